"""Everything that one may ask of a run: a tagged union, `kind` tells which.

Commands are posted to the run's store by terminals, scripts and answers of a language model; the engine
carries out or refuses each, and says so in a `CommandDone`. What they mean for a task is in `steering/`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from tunesmith.bounded import Bounded


class Pause(Bounded):
    """Start no further trial; running ones go on."""

    kind: Literal["pause"] = "pause"


class Resume(Bounded):
    kind: Literal["resume"] = "resume"


class Stop(Bounded):
    """End the run cleanly and resumably; running trials are stopped and run again on resume."""

    kind: Literal["stop"] = "stop"
    reason: str = "a person asked to stop"


class Ask(Bounded):
    """A question or an instruction in plain words."""

    kind: Literal["ask"] = "ask"
    text: str


class Try(Bounded):
    """Run this configuration next."""

    kind: Literal["try"] = "try"
    values: dict[str, Any]
    fill: bool = False
    """Whether hyperparameters that `values` lacks are those of the best trial, or else of the default."""
    reason: str = "a person asked for it"


class Kill(Bounded):
    """End one running trial: it counts as pruned at its last report, and is not run again."""

    kind: Literal["kill"] = "kill"
    number: int = Field(ge=0)
    reason: str = "a person ended it"


class ChangeBudget(Bounded):
    """Change what the run may spend; only what is given changes."""

    kind: Literal["budget"] = "budget"
    trials: int | None = Field(default=None, ge=1)
    more_trials: int | None = None
    """Added to `Budget.trials`; may be negative. Not together with `trials`."""
    wall_time_s: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    cost: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    target: float | None = Field(default=None, allow_inf_nan=False)
    patience: int | None = Field(default=None, ge=1)
    model_calls: int | None = Field(default=None, ge=0)
    model_tokens: int | None = Field(default=None, ge=0)
    model_dollars: float | None = Field(default=None, ge=0, allow_inf_nan=False)


class Freeze(Bounded):
    """Tune a hyperparameter no further: it has this value from here on."""

    kind: Literal["freeze"] = "freeze"
    parameter: str
    value: Any = None
    """None: its value in the best trial."""


class Narrow(Bounded):
    """Search less of a hyperparameter: a smaller range, or fewer choices."""

    kind: Literal["narrow"] = "narrow"
    parameter: str
    low: float | None = Field(default=None, allow_inf_nan=False)
    high: float | None = Field(default=None, allow_inf_nan=False)
    choices: tuple[Any, ...] = ()


class Widen(Bounded):
    """Search more of a hyperparameter: a larger range."""

    kind: Literal["widen"] = "widen"
    parameter: str
    low: float | None = Field(default=None, allow_inf_nan=False)
    high: float | None = Field(default=None, allow_inf_nan=False)


class AddChoice(Bounded):
    """Give a categorical hyperparameter further choices."""

    kind: Literal["add_choice"] = "add_choice"
    parameter: str
    choices: tuple[Any, ...]


class SetPrior(Bounded):
    """Say where the best value of a hyperparameter is expected; the results decide how far that counts."""

    kind: Literal["prior"] = "prior"
    parameter: str
    best: Any
    """A number, or a choice."""
    low: float | None = Field(default=None, allow_inf_nan=False)
    high: float | None = Field(default=None, allow_inf_nan=False)
    """About 80 % of the belief lies between `low` and `high`; None: a usual width around `best`."""


class Note(Bounded):
    """Keep a person's words in the run's records; the agent reads them, and nothing else changes."""

    kind: Literal["note"] = "note"
    text: str


class Undo(Bounded):
    """Take back the latest change of space, budget or priors that is not taken back yet."""

    kind: Literal["undo"] = "undo"


class Approve(Bounded):
    """Carry out, or drop, the actions of an `ActionsProposed` that waits."""

    kind: Literal["approve"] = "approve"
    request: int
    """`ActionsProposed.command_id`."""
    approved: bool = True


Action = (
    Pause
    | Resume
    | Stop
    | Try
    | Kill
    | ChangeBudget
    | Freeze
    | Narrow
    | Widen
    | AddChoice
    | SetPrior
    | Note
    | Undo
)
"""What plain words may become."""
Command = Annotated[Action | Ask | Approve, Field(discriminator="kind")]
COMMAND: TypeAdapter[Command] = TypeAdapter(Command)
NEED_APPROVAL = (Stop, Kill, Undo, ChangeBudget, Freeze, Narrow, Widen, AddChoice)
"""Actions that are shown for approval where they come of plain words."""
