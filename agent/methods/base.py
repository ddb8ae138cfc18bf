"""The contract of a method: what proposes the trials of a run. Members are in `registry.METHODS`.

A session calls `build` once, in its main thread, before the first trial, and hands the parts on:

    strategy     to the engine; `propose` is called in the engine's thread, for every trial that nobody queued
    policy       to the policy runner; `decide` is called in a thread of its own, never twice at once
    suggester    to the toolbox; called in the thread of `decide`. What it changes that `propose` depends on,
                 it changes by an `Advice`, which takes effect in the engine's thread

A new method is one folder beside this file, or a package with an entry point, and one registration. The
smallest member is `random.py`; `tunesmith.testing.methods` has the cases that every member passes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from tunesmith.agent.policy.base import PolicyContext
from tunesmith.events import ElicitedPrior, Event
from tunesmith.history import History
from tunesmith.interfaces import LaunchGate, Policy, Strategy
from tunesmith.tools.toolbox.advice import OnAdvice
from tunesmith.tools.toolbox.study_toolbox import Suggester
from tunesmith.trial import Frozen, Proposal


class NoSettings(Frozen):
    """The settings of a method that has none."""


@dataclass(frozen=True, kw_only=True)
class MethodContext(PolicyContext):
    """What a session gives to `Method.build`."""

    name: str
    """The method and what the task changes, for texts: `halton with scramble=False`."""
    settings: Any
    """The task's settings of this method, an instance of `Method.settings`."""
    elicited: Sequence[ElicitedPrior] | None = None
    """Priors elicited from a language model in an earlier session of this run; None: it was not asked."""
    competing: Sequence[Proposal] = ()
    """A model's configurations that were competing when an earlier session of this run ended."""
    earlier: Sequence[Event] = ()
    """The log of the earlier sessions of this run."""


@dataclass(frozen=True)
class MethodParts:
    """What a method consists of in one session."""

    strategy: Strategy
    policy: Policy | None = None
    """None: the rules policy, which leaves every choice to the strategy."""
    suggester: Suggester | None = None
    """Where the toolbox takes suggestions from; None: the strategy's own proposals."""
    gate: LaunchGate | None = None
    """Limits what the policy may launch of its own; None sets no limit."""
    conclusions: Callable[[History], Sequence[str]] | None = None
    """What the method has concluded by a history, one clean line each; None: it concludes nothing in words.
    Called from the policy's thread, for a person or a model that asks."""


@dataclass(frozen=True)
class Method:
    """A method that can be chosen by name (`tuner: NAME` in a task file).

    Another preset of the same method is a member of its own: `dataclasses.replace(METHOD, settings=...)` with
    a subclass of its settings.
    """

    summary: str
    """What it does, in one line; shown by `tunesmith check`."""
    build: Callable[[MethodContext], MethodParts]
    """Must work without a language model, and draw every random number from the task's seed."""
    settings: type[BaseModel] = NoSettings
    """What the task's `tuner` mapping is validated against. Every setting has a default."""
    uses_model: bool = False
    """Whether a session opens a language model for it."""
    proposes_every_trial: bool = False
    """Whether its policy proposes each trial, so that launching always waits for the policy's decision."""
    several_metrics: bool = False
    """Whether it optimises every metric of a task; where not, a task with several is refused for it."""
    limits: bool = False
    """Whether it keeps limits on metrics in view; where not, a task that has some is refused for it."""
    calls_needed: Callable[[Any, int], int] | None = None
    """Calls of the language model that a run makes, from settings and number of trials; None: a handful."""


class StrategySuggester:
    """Suggests what a strategy proposes by itself."""

    left: tuple[Proposal, ...] = ()

    def __init__(self, strategy: Strategy) -> None:
        self._strategy = strategy

    def __call__(self, history: History, n: int, /, on_advice: OnAdvice | None = None) -> list[Proposal]:
        return self._strategy.propose(history, n)
