"""The form of a model's answer to a person, and the commands that its actions come to."""

from __future__ import annotations

from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tunesmith.agent.conversation.asked import parameters_in
from tunesmith.commands import (
    Action,
    AddChoice,
    ChangeBudget,
    Freeze,
    Kill,
    Narrow,
    Note,
    Pause,
    Resume,
    SetPrior,
    Stop,
    Try,
    Undo,
    Widen,
)
from tunesmith.space import Space
from tunesmith.text.cleaning import clean

Plain = int | float | str | bool
MOST_ACTIONS = 12
"""Actions that are taken of one answer."""
BUDGET = ("trials", "more_trials", "wall_time_s", "cost", "target", "patience")
"""Fields of an action that change a budget."""


class Setting(BaseModel):
    """One hyperparameter of a configuration."""

    name: str
    value: Plain


class Asking(BaseModel):
    """One thing that the person asks to be done. Fields that the kind does not need stay null or empty."""

    model_config = ConfigDict(title="Action")
    kind: Literal[
        "try",
        "kill",
        "budget",
        "freeze",
        "narrow",
        "widen",
        "add_choice",
        "prior",
        "note",
        "pause",
        "resume",
        "stop",
        "undo",
    ]
    parameter: str | None = None
    value: Plain | None = None
    low: float | None = None
    high: float | None = None
    choices: list[Plain] = Field(default_factory=list)
    values: list[Setting] = Field(default_factory=list)
    number: int | None = None
    trials: int | None = None
    more_trials: int | None = None
    wall_time_s: float | None = None
    cost: float | None = None
    target: float | None = None
    patience: int | None = None
    text: str | None = None


class Said(BaseModel):
    """A model's answer."""

    model_config = ConfigDict(title="Answer")
    answer: str
    cites: list[int] = Field(default_factory=list)
    """Numbers of the trials that the answer rests on."""
    actions: list[Asking] = Field(default_factory=list)


class Asked(NamedTuple):
    """What an answer's actions come to."""

    actions: tuple[Action, ...]
    faults: tuple[str, ...]
    """Why others cannot be followed, a sentence each."""


def commands_of(said: Said, space: Space) -> Asked:
    """The actions as commands. Whether the run can carry them out is for the engine to say."""
    actions: list[Action] = []
    faults = []
    for asking in said.actions[:MOST_ACTIONS]:
        try:
            actions.append(_command(asking, space))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or asking.kind
            faults.append(clean(f"{asking.kind}: {where}: {first['msg']}", 300))
        except ValueError as error:
            faults.append(clean(f"{asking.kind}: {error}", 300))
    if len(said.actions) > MOST_ACTIONS:
        faults.append(f"only the first {MOST_ACTIONS} of {len(said.actions)} actions are taken")
    return Asked(tuple(actions), tuple(faults))


def _command(asking: Asking, space: Space) -> Action:
    match asking.kind:
        case "pause":
            return Pause()
        case "resume":
            return Resume()
        case "undo":
            return Undo()
        case "stop":
            return Stop(reason=clean(asking.text, 300)) if asking.text else Stop()
        case "note":
            if not asking.text:
                raise ValueError("it has no text")
            return Note(text=clean(asking.text, 1000))
        case "kill":
            return Kill.model_validate({"number": asking.number})
        case "try":
            if not asking.values:
                raise ValueError("it names no value")
            return Try(values={_parameter(s.name, space): _whole(s.value) for s in asking.values}, fill=True)
        case "budget":
            given = {name: value for name in BUDGET if (value := getattr(asking, name)) is not None}
            if not given:
                raise ValueError("it says nothing that is to change")
            return ChangeBudget.model_validate(given)
    name = _parameter(asking.parameter or "", space)
    choices = tuple(map(_whole, asking.choices))
    match asking.kind:
        case "freeze":
            return Freeze(parameter=name, value=_whole(asking.value))
        case "narrow":
            if asking.low is None and asking.high is None and not choices:
                raise ValueError(f"it names neither a bound nor choices for {name}")
            return Narrow(parameter=name, low=asking.low, high=asking.high, choices=choices)
        case "widen":
            if asking.low is None and asking.high is None:
                raise ValueError(f"it names no bound for {name}")
            return Widen(parameter=name, low=asking.low, high=asking.high)
        case "add_choice":
            if not choices and asking.value is not None:
                choices = (_whole(asking.value),)
            if not choices:
                raise ValueError(f"it names no choice for {name}")
            return AddChoice(parameter=name, choices=choices)
        case "prior":
            if asking.value is None:
                raise ValueError(f"it does not say which value of {name} is expected")
            return SetPrior(parameter=name, best=_whole(asking.value), low=asking.low, high=asking.high)
    raise ValueError("this cannot be asked")


def _parameter(said: str, space: Space) -> str:
    """The hyperparameter's name in the space. Raises ValueError."""
    if said in space.names:
        return said
    low = " ".join(said.casefold().split())
    found = parameters_in(low, tuple(low.split()), space)
    if len(found) != 1:
        names = ", ".join(clean(name, 40) for name in space.names[:12])
        raise ValueError(f"there is no hyperparameter {clean(said, 60)!r}; there are {names}")
    return found[0]


def _whole(value: Plain | None) -> Plain | None:
    """A number as text as a number: models quote them."""
    if not isinstance(value, str):
        return value
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            continue
    return value
