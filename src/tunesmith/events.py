"""Everything that happens in a run: a tagged union, `kind` tells which.

The terminal, the report and the log are built from events alone. What one may ask of a run is in
`commands.py`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, field_validator

from tunesmith.bounded import Bounded
from tunesmith.budget import ModelSpend
from tunesmith.commands import Command
from tunesmith.guidelines import Guideline
from tunesmith.interfaces import Decision
from tunesmith.recommendation import Recommendation
from tunesmith.stated_prior import StatedPrior
from tunesmith.text.cleaning import clean
from tunesmith.text.numbers import counted
from tunesmith.time_left import about
from tunesmith.trial import Frozen, Outcome, Proposal


class _Event(Bounded):
    at: float = 0.0
    """Unix time; set when the event is stored."""
    seq: int = 0
    """Position in the run's log, from 1; set when the event is stored."""
    clock: float = 0.0
    """Seconds since its session began, by a clock that nobody sets; 0 for what no session has stored, and in
    logs of before 0.3."""


class RunStarted(_Event):
    kind: Literal["run_started"] = "run_started"
    name: str
    folder: str
    strategy: str
    policy: str
    model: str | None
    """Name of the language model, or None: running without one."""
    workers: int
    resumed: bool
    trials_before: int = 0
    cost_before: float | None = None
    """What those trials cost; None in runs before costs were told here."""
    version: str = ""
    python: str = ""
    """Which Python runs the trials, and why; empty for a function given from Python, and in older runs."""
    priors: tuple[StatedPrior, ...] = ()
    """What the strategy believes before the first trial; empty for none, and in runs before there were."""


class RunFinished(_Event):
    kind: Literal["run_finished"] = "run_finished"
    reason: str
    status: Literal["finished", "stopped", "failed"]
    """finished: nothing left to do; stopped: by a person, resumable; failed: no trial completed."""
    by_budget: bool = False
    """Whether the budget ended it, so that a larger one lets the same run go on."""
    budget_trials: int | None = None
    """`Budget.trials` at that time: more of them let any run go on."""
    budget_cost: float | None = None
    """`Budget.cost` at that time, where it could pay for nothing that was left; None else."""
    infeasible: bool = False
    """Whether trials had completed and none kept the limits of that time, as the reason says."""


class TaskChanged(_Event):
    """The session goes on with a task that differs from that of the session before.

    After `Steered` it says what a command made of the space and the trials, and the reply (`CommandDone`)
    to the command tells people of it.
    """

    kind: Literal["task_changed"] = "task_changed"
    changes: tuple[str, ...]
    """One clause for each, such as `seed was 0 and is now 1`."""
    space: bool = False
    """Whether the search space is among them; the fields below are empty where it is not."""
    version: int = 1
    """Which of the run's spaces counts from here on, from 1 in order of their first use."""
    epoch: int = 1
    """How often the run has said something of its hyperparameters by now."""
    carried: tuple[int, ...] = ()
    """Trials of other spaces whose configuration is legal in this one."""
    left: tuple[int, ...] = ()
    """Trials whose configuration is not: they are history, and nothing is learned from them."""
    reasons: tuple[str, ...] = ()
    """Why they are left out, with how many, the most frequent first."""
    best: int | None = None
    """The best completed trial of those that count; None while there is none."""

    @property
    def text(self) -> str:
        """What became of the earlier trials, in a sentence; empty where the space is the same."""
        if not self.space:
            return ""
        text = f"Search space {self.version} of this run: "
        if not self.carried and not self.left:
            return text + "no trial of another space is there."
        text += f"of {len(self.carried) + len(self.left)} earlier trials {len(self.carried)} "
        text += "counts in it" if len(self.carried) == 1 else "count in it"
        if self.left:
            why = f": {'; '.join(self.reasons[:3])}" if self.reasons else ""
            text += f", {len(self.left)} {'stays' if len(self.left) == 1 else 'stay'} history only{why}"
        return text + "."

    @property
    def counts(self) -> str:
        """How many of the earlier trials count, in a short sentence; empty where the space is the same."""
        if not self.space:
            return ""
        every, kept = len(self.carried) + len(self.left), len(self.carried)
        if not every:
            return f"Search space {self.version}."
        return (
            f"Search space {self.version}: of {counted(every, 'earlier trial')} "
            f"{kept} {'counts' if kept == 1 else 'count'}."
        )


class TrialStarted(_Event):
    kind: Literal["trial_started"] = "trial_started"
    number: int
    proposal: Proposal
    seed: int
    cost: float | None = None
    """What the trial costs, in units of the problem; None where no cost is stated."""


class TrialReported(_Event):
    kind: Literal["trial_reported"] = "trial_reported"
    number: int
    step: int
    value: float


class TrialFinished(_Event):
    kind: Literal["trial_finished"] = "trial_finished"
    number: int
    outcome: Outcome
    """Without scores per item: the log stays small, and the trial's folder has them."""
    value: float | None
    """The task's metric, None unless completed."""
    improved: bool
    """Whether it is the new incumbent."""
    on_front: bool = False
    """Whether several metrics are optimised, and it is on the Pareto front of the feasible trials so far."""
    surprise: float | None = None
    """(value - expected) / spread, positive when better than expected; None without a prediction."""

    @field_validator("outcome")
    @classmethod
    def _without_items(cls, outcome: Outcome) -> Outcome:
        return outcome.changed(items={}) if outcome.items else outcome


class Progress(_Event):
    """How far the search is: when a trial has ended, and once a minute."""

    kind: Literal["progress"] = "progress"
    done: int
    """Trials that have ended, of those that the budget counts."""
    total: int
    """Trials that the budget allows."""
    running: int
    workers: int
    seconds: float
    """Of running so far, over all sessions."""
    left_s: float | None
    """Estimated seconds until the last trial ends, at most what the time budget leaves; None while no trial
    has ended."""
    needed_s: float | None = None
    """Estimated seconds for all of them, where the time budget leaves less; None where it does not."""
    comparison_s: float | None = None
    """Estimated seconds of the comparison on fresh seeds, which comes after; None for none."""
    cost: float | None = None
    """What the trials cost so far, in units of the problem; None where no cost is stated."""
    cost_total: float | None = None
    """What they may cost together; None for no limit."""
    affordable: int | None = None
    """How many further trials the budget of costs has room for at their mean cost, where that is fewer than
    `total` allows; None where it is not."""

    @property
    def text(self) -> str:
        """`about 2 h 10 min for the other 29 trials with 2 workers`; empty without an estimate."""
        rest = self.total - self.done
        if self.affordable is not None:
            rest = self.running + self.affordable
        if self.left_s is None or rest <= 0:
            return ""
        text = f"about {about(self.left_s)} for the other {counted(rest, 'trial')}"
        if self.affordable is not None:
            text += " that the cost budget has room for"
        text += f" with {counted(self.workers, 'worker')}"
        if self.needed_s is not None:
            text = f"the time budget ends in about {about(self.left_s)}, and the other "
            text += f"{counted(rest, 'trial')} would take about {about(self.needed_s)}"
        if self.comparison_s is not None:
            text += f", then about {about(self.comparison_s)} for the comparison with the default"
        return text


class Woken(_Event):
    """The policy was woken, and why."""

    kind: Literal["woken"] = "woken"
    triggers: tuple[str, ...]


class Thought(_Event):
    """A part of streamed reasoning or narration; parts with one `turn` belong together."""

    kind: Literal["thought"] = "thought"
    turn: int
    speaker: Literal["model", "narrator"]
    text: str
    final: bool = True
    """False for a piece with more to come in this turn."""


class ToolCalled(_Event):
    kind: Literal["tool_called"] = "tool_called"
    turn: int
    tool: str
    arguments: dict[str, Any]


class ToolReturned(_Event):
    kind: Literal["tool_returned"] = "tool_returned"
    turn: int
    tool: str
    result: str
    ok: bool = True


class _TakesEffect(_Event):
    """Changes what is tried from here on. Trials go on while a model thinks, so it says at which of them."""

    started: int | None = None
    """Trials started when it took effect, those of earlier sessions included; None in logs of 0.1.0."""
    finished: int | None = None
    """Trials that had ended by then."""


class Decided(_TakesEffect):
    kind: Literal["decided"] = "decided"
    policy: str
    decision: Decision


class ElicitedPrior(Frozen):
    """What a language model expects of one hyperparameter of this very task, checked against the space."""

    parameter: str
    low: float | None = None
    """Low end of what is plausible: about 80 % of the belief lies between `low` and `high`."""
    best: float | None = None
    high: float | None = None
    """All three are None for a belief about categories."""
    weights: dict[str, float] = Field(default_factory=dict)
    """Share of the belief by choice; empty for a numeric parameter."""
    flat: bool = False
    """Whether the value is expected to matter hardly at all; the other fields say nothing then."""
    joint_with: str = ""
    """The hyperparameter that the best value moves with; shown, the prior takes each one by itself."""
    why: str = ""

    @property
    def text(self) -> str:
        """`lr near 0.003 (0.001 to 0.01)`, `optimizer adam (70%)` or `tol hardly matters`; clean."""
        name = clean(self.parameter, 60)
        moves = f", moving with {clean(self.joint_with, 60)}" if self.joint_with else ""
        if self.flat:
            return f"{name} hardly matters{moves}"
        if self.weights:
            choice, weight = max(self.weights.items(), key=lambda pair: pair[1])
            return f"{name} {clean(choice, 60)} ({weight:.0%}){moves}"
        if self.low is None or self.best is None or self.high is None:
            return f"{name}{moves}" if moves else f"{name}: nothing in particular"
        return f"{name} near {self.best:.3g} ({self.low:.3g} to {self.high:.3g}){moves}"


class PriorsElicited(_TakesEffect):
    """What the model expects; asked once in a run, told in parts where its answer came in parts.

    Read again on resume.
    """

    kind: Literal["beliefs_stated"] = "beliefs_stated"
    beliefs: tuple[ElicitedPrior, ...]
    prompt_id: str


class GuidelinesStated(_Event):
    """A round of a search that goes by guidelines: what it concluded, and what it tries next for it.

    Read again on resume: what is left of `planned` is tried, and later rounds see what became of the claims.
    """

    kind: Literal["guidelines_stated"] = "guidelines_stated"
    round: int
    """From 1."""
    trials: int
    """Trials that had been started when it was stated; later ones test it."""
    guidelines: tuple[Guideline, ...] = ()
    planned: tuple[Proposal, ...] = ()
    """Configurations of this round, where the method runs them unjudged; empty where they compete."""
    prompt_id: str = ""


class ModelCalled(_Event):
    """One attempt at the language model, failed ones included; `spend` is the total after it."""

    kind: Literal["model_called"] = "model_called"
    purpose: str
    model: str
    ok: bool
    seconds: float
    prompt_tokens: int
    completion_tokens: int
    dollars: float | None
    """None when the model's price is unknown."""
    error: str = ""
    estimated: bool = False
    """Whether the tokens are an estimate, because the server did not count them or no answer came."""
    spend: ModelSpend
    """Of its budget alone."""
    budget: Literal["search", "conversation"] = "search"
    """Whose budget it counts in: that of the search, or that of questions and instructions of a person."""


class Degraded(_Event):
    """Something fell back, was repaired, rejected or retried; the run goes on."""

    kind: Literal["degraded"] = "degraded"
    what: Literal["fallback", "repair", "rejected", "retry", "warning"]
    where: str
    """The part it happened in, such as `policy.decide` or `storage`."""
    cause: str
    continuation: str
    """What was done instead."""


class AnswersParsed(_Event):
    """Answers of a language model were read; how many at which stage. What it took is in Degraded events."""

    kind: Literal["answers_parsed"] = "answers_parsed"
    where: str
    """What was asked for, such as `agent/briefing.v2`."""
    strict: int = 0
    """In the form that was asked for."""
    tolerant: int = 0
    """In another form without ambiguity, or from JSON that was repaired."""
    repaired: int = 0
    """After one question back."""
    refused: int = 0
    """Not usable: the numeric methods went on without them."""


class Noted(_Event):
    """A plain line for the person watching, or a note that a person made of the run."""

    kind: Literal["noted"] = "noted"
    text: str
    by: Literal["tunesmith", "person"] = "tunesmith"


class TrialWaits(_Event):
    """The next trial waits although a worker is free; once for each reason, however its numbers change."""

    kind: Literal["trial_waits"] = "trial_waits"
    text: str
    """A clause, such as `4,096 MiB of memory are needed and 1,000 MiB are free`; empty: it waits no more."""
    why: Literal["resources", "unavailable"] | None = None
    """resources: others hold what it needs; unavailable: where it would run is not ready; None at the end."""
    number: int | None = None
    """The trial, where it has a number already."""

    @property
    def sentence(self) -> str:
        """For the person watching; empty when it waits no more."""
        return f"The next trial waits although a worker is free: {self.text}." if self.text else ""


class Asked(_Event):
    """A person said something in plain words, at whichever terminal; answers follow as `Answered`."""

    kind: Literal["asked"] = "asked"
    command_id: int
    text: str


class ActionsProposed(_Event):
    """What a person's plain words come to, as commands that the run would carry out.

    They wait for `Approve(request=command_id, ...)` where `waiting`; otherwise they are carried out already,
    and each has its `CommandDone`. A later request, or the end of the run, ends the waiting.
    """

    kind: Literal["actions_proposed"] = "actions_proposed"
    command_id: int
    actions: tuple[Command, ...]
    effects: tuple[str, ...]
    """What each would change, in a sentence, in the same order."""
    waiting: bool


class Steered(_Event):
    """A person's command changed the task of the run: its space, budget or priors."""

    kind: Literal["steered"] = "steered"
    change: int
    """Number of the change, from 1, over all sessions."""
    command: Command
    text: str
    """What was changed, such as `lr: 1e-05 to 0.1 is now 0.0001 to 0.01`."""
    undone: int | None = None
    """The change that this one takes back; None where it is none of that kind."""
    started: int = 0
    """Trials started when it took effect, those of earlier sessions included."""


class CommandDone(_Event):
    """A command was carried out or refused."""

    kind: Literal["command_done"] = "command_done"
    command_id: int
    command: str
    ok: bool
    reply: str


class Answered(_Event):
    """A piece of the answer to a person's question."""

    kind: Literal["answered"] = "answered"
    command_id: int
    text: str
    final: bool
    by: Literal["model", "records"] = "records"
    """Who answers: the language model, or rules from the records alone."""
    actions: int = 0
    """With the last piece: how many actions the person's words come to; `ActionsProposed` follows."""
    followed: bool = True
    """With the last piece: whether the words were understood, and nothing in them was impossible."""


class Recommended(_Event):
    """The search has ended, and this is what it recommends; read again by the report."""

    kind: Literal["recommended"] = "recommended"
    recommendation: Recommendation
    text: str
    """The same in words."""


class Confirmed(_Event):
    """Fresh-seed comparison of the best with the default configuration: progress, then the verdict."""

    kind: Literal["confirmed"] = "confirmed"
    done: int
    total: int
    text: str = ""


Event = Annotated[
    RunStarted
    | RunFinished
    | TaskChanged
    | TrialStarted
    | TrialReported
    | TrialFinished
    | Progress
    | Woken
    | Thought
    | ToolCalled
    | ToolReturned
    | Decided
    | PriorsElicited
    | GuidelinesStated
    | ModelCalled
    | Degraded
    | AnswersParsed
    | Noted
    | TrialWaits
    | Asked
    | ActionsProposed
    | Steered
    | CommandDone
    | Answered
    | Recommended
    | Confirmed,
    Field(discriminator="kind"),
]
EVENT: TypeAdapter[Event] = TypeAdapter(Event)
"""Reads and writes any event: `EVENT.dump_json(event)`, `EVENT.validate_json(text)`."""
