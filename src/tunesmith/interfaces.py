"""The contracts between the engine (`tools`) and those who propose and decide (`agent`).

Each says who calls what, when and how often. The smallest implementation of each is the one to read
first: `Strategy` - `agent/methods/random.py`; `Policy` - `agent/policy/rules.py`; `Surrogate` -
`agent/methods/gp/strategy.py`. Contracts that only one package needs are in its `base.py`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from pydantic import Field

from tunesmith.budget import Budget, Spend
from tunesmith.commands import Action
from tunesmith.history import Array, History
from tunesmith.recommendation import Recommendation, by_best_value
from tunesmith.stated_prior import StatedPrior
from tunesmith.steering.versions import SpaceVersion
from tunesmith.task import Task
from tunesmith.trial import Configuration, Frozen, Proposal


class Strategy(ABC):
    """Who proposes configurations.

    Constructed once per run with the space, a seed and whatever it needs. `propose` is called by the
    engine whenever a worker is free, and by an Optuna sampler once per trial. It does no I/O and keeps
    no state that changes its answers: the same history gives the same proposals, which is what
    makes a resumed run continue like an uninterrupted one. Draw numbers from
    `seeds.rng_for(seed, name, len(history))`.
    """

    name: str

    @abstractmethod
    def propose(self, history: History, n: int, candidates: Sequence[Proposal] = ()) -> list[Proposal]:
        """Up to `n` configurations to run next, best first, all valid, none tried or pending.

        Args:
            history: Everything known; its pending trials are running now.
            n: How many are wanted, at least 1.
            candidates: Proposals of others (a language model, a person) that compete with this
                strategy's own under its acquisition function; a strategy without one may ignore them.
        Returns:
            Fewer than `n` only when the space has nothing new left; empty when it is exhausted.
        """

    def stated_priors(self, default: Configuration | None) -> tuple[StatedPrior, ...]:
        """What the strategy believes before the first trial, for people to read; empty for no beliefs.

        Called once, when a run starts, with the task's default.
        """
        return ()

    def recommend(self, history: History) -> Recommendation | None:
        """The configuration to use in the end; None while no trial completed.

        Called once, when the search has ended, and like `propose` without I/O or state. What a strategy has
        no better answer to, it leaves to the best value.
        """
        return by_best_value(history)


class Surrogate(Protocol):
    """A calibrated model of the metric over the space."""

    def fit(self, history: History) -> None: ...

    def predict(self, configurations: Sequence[Configuration]) -> tuple[Array, Array]:
        """Mean and standard deviation, metric units, each of shape (len(configurations),)."""
        ...


class Decision(Frozen):
    """The plan of a policy, which the engine follows until the next decision."""

    reason: str
    """Why, for a person to read."""
    launch: tuple[Proposal, ...] = ()
    """To run next, in this order, before anything a strategy proposes; validated already."""
    candidates: tuple[Proposal, ...] = ()
    """Proposals of a model that compete with the strategy's own proposals until the next decision."""
    stop: str | None = None
    """A reason to end the run now; None to go on."""
    wake_after: int = Field(default=5, ge=1)
    """Wake the policy again once this many further trials have finished."""


@dataclass(frozen=True)
class Briefing:
    """What a policy is given to decide by."""

    task: Task
    history: History
    budget: Budget
    spend: Spend
    triggers: tuple[str, ...]
    """Why: `start`, `resumed`, `trials_finished`, `plateau`, `surprise`, `failures`."""
    messages: tuple[str, ...] = ()
    """Notes of people, oldest first; data, not instructions to the engine."""
    turn: int = 0
    queued: tuple[Proposal, ...] = ()
    """What is to run next and has not started."""
    conclusions: Callable[[], Sequence[str]] = tuple
    """What the method has concluded so far, one clean line each, worked out when it is called."""
    spaces: Callable[[], Sequence[SpaceVersion]] = tuple
    """The search spaces that the run has had, that of now last; worked out when it is called."""
    paused: bool = False
    """Whether a person has paused the run."""

    @property
    def trials_left(self) -> int:
        """Trials that the budget still allows, at least 0."""
        return max(0, self.budget.trials - self.spend.trials)


class Toolbox(Protocol):
    """What a policy may do to a run in one decision; called from the policy's thread, one call at a time.

    `tools/toolbox/study_toolbox.py` implements it. The tools that a language model is offered
    (`registry.TOOLS`) act through it as well. Wrong use raises ToolError, whose text is written for a model.
    """

    def suggest(self, n: int = 3) -> list[Proposal]:
        """Suggestions, best first: those of a model and of the surrogate, by one acquisition function."""
        ...

    def candidates(self) -> tuple[Proposal, ...]:
        """A model's configurations that were not launched, for `Decision.candidates`."""
        ...

    def launch_trials(self, proposals: Sequence[Proposal]) -> list[int]:
        """Put proposals at the front of the queue; returns the numbers of their trials at once."""
        ...

    @property
    def launched(self) -> tuple[Proposal, ...]:
        """What was queued in this decision, a model's warm start included."""
        ...

    def own_allowance(self) -> int:
        """How many configurations that the policy made up itself may be launched now."""
        ...


class LaunchGate(Protocol):
    """How often a policy may launch a configuration in which a language model had a part.

    A method that limits its model hands one to the toolbox, which asks it at every launch, in the policy's
    thread. Without one every legal, new configuration may be launched. `agent/methods/hybrid/gate.py` has
    one. The answers depend on the arguments alone.
    """

    refusal: str
    """Tells the model why it must wait, and what to do instead; follows `may not be launched now: `."""

    def applies_to(self, proposal: Proposal) -> bool:
        """Whether the proposal needs an open gate."""
        ...

    def is_open(self, history: History, launched: Sequence[Proposal]) -> bool:
        """Whether one more such proposal may be launched after `launched`, which are queued in this order."""
        ...


class Emit(Protocol):
    """Stores an event in the run's log; may be called from any thread."""

    def __call__(self, event: Any) -> Any: ...


class Policy(ABC):
    """Decides what a run does next, with a reason.

    `decide` is called in a thread beside the engine whenever a trigger fires, never twice at once.
    It reads an immutable briefing, acts through the toolbox, and returns a plan. A ModelError
    that it raises costs a fallback to the rules policy, not the run.
    """

    name: str
    asks_model: bool = False
    """Whether deciding may wait for a language model: trials then go on meanwhile. A policy that does not is
    waited for where there is one worker, so that the same seed gives the same run."""

    @abstractmethod
    def decide(self, briefing: Briefing, toolbox: Toolbox) -> Decision: ...


Speaker = Literal["model", "records"]
"""Who answers a person, as in `Answered`."""


@dataclass(frozen=True)
class Question:
    """What a person said in plain words: a question or an instruction."""

    text: str
    briefing: Briefing
    """The run as it is when the answer begins."""
    talk: tuple[Any, ...] = ()
    """Events of the run that an answer can need (`tools/records/talk.py`), oldest first."""
    command_id: int | None = None
    """Of the command that says it."""


@dataclass(frozen=True)
class Understood:
    """What came of a person's words, beside the answer."""

    actions: tuple[Action, ...] = ()
    """What the person asked to be done."""
    followed: bool = True
    """False where the words were not understood, or something in them cannot be done."""


class Conversation(Protocol):
    """Answers people, with or without a language model. `agent/conversation/` implements it."""

    def answer(self, question: Question, say: Callable[[str, Speaker], None]) -> Understood:
        """Say the answer in pieces, and return what the person asked to be done.

        Called in a thread beside the engine, one question at a time, in the order of asking. A fault of a
        model is answered from the records.
        """
        ...

    def answer_from_records(self, question: Question, say: Callable[[str, Speaker], None]) -> Understood:
        """The same at once and without a model, where there is no time for one; from any thread."""
        ...

    def close(self) -> None:
        """Break off what is being asked; called from another thread. Idempotent."""
        ...
