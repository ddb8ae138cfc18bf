"""What a policy may do to a run in one decision: ask for suggestions, and launch trials that pass the checks.

Wrong use raises ToolError, whose text tells a model what to do instead.

A method may limit how often a model's own configurations are launched: it hands a `LaunchGate`, which is
asked at every launch, however often the policy is woken.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from tunesmith.errors import InvalidConfiguration, ToolError
from tunesmith.history import History
from tunesmith.interfaces import Briefing, LaunchGate
from tunesmith.text.numbers import significant
from tunesmith.tools.analysis.numbers import format_metric
from tunesmith.tools.toolbox.advice import Advice, OnAdvice
from tunesmith.trial import Configuration, Origin, Proposal, Trial

NEAR = 0.005
"""Two configurations closer than this in every coordinate of the unit cube are the same experiment."""
MAX_SUGGESTIONS = 8
MAX_LAUNCH = 8
"""Trials one turn may queue."""


class Suggester(Protocol):
    """Proposes for a toolbox; implemented by `agent/methods/hybrid/suggester.py`."""

    def __call__(self, history: History, n: int, /, on_advice: OnAdvice | None = None) -> list[Proposal]:
        """Up to `n`, best first, valid and new.

        Args:
            on_advice: Takes what a model has said as soon as it is of use. None: it is in the result, and
                what else it changes is changed at once.
        """
        ...

    @property
    def left(self) -> tuple[Proposal, ...]:
        """Candidates of a model that were asked for and have not been suggested yet."""
        ...


class StudyToolbox:
    """Implements `interfaces.Toolbox` for one decision.

    Trials go on during a decision. What the policy reads is the briefing, which stays; launches are checked
    against the run as it is, in the engine's thread.

    Args:
        briefing: The records that the policy was woken with.
        suggest: Proposes configurations, best first.
        launch: Queues proposals and returns the numbers of their trials at once.
        queued: What waits in the queue now.
        gate: Limits the configurations that a model had a part in; None sets no limit.
        history: The trials as they are now; None: those of the briefing.
        in_turn: Runs a launch in the engine's thread; None: here.
        on_advice: Makes a part of a model's answer take effect and returns what was queued of it; None:
            suggestions are all there is.
    """

    def __init__(
        self,
        briefing: Briefing,
        *,
        suggest: Suggester,
        launch: Callable[[list[Proposal]], list[int]],
        queued: Callable[[], Sequence[Proposal]] = tuple,
        gate: LaunchGate | None = None,
        history: Callable[[], History] | None = None,
        in_turn: Callable[[Callable[[], list[int]]], list[int]] | None = None,
        on_advice: Callable[[Advice], Sequence[Proposal]] | None = None,
    ) -> None:
        self._briefing = briefing
        self._history = briefing.history
        self._suggest, self._launch, self._queued = suggest, launch, queued
        self._gate, self._on_advice = gate, on_advice
        self._now = history or (lambda: briefing.history)
        self._in_turn = in_turn or (lambda launching: launching())
        self._advised: list[Proposal] = []
        self._suggested: dict[Configuration, Proposal] = {}
        self._held: dict[Configuration, Proposal] = {}  # refused at the gate
        self._launched: dict[Configuration, int] = {}
        self._turn: list[Proposal] = []

    def suggest(self, n: int = 3) -> list[Proposal]:
        """Up to `n`, best first; one that is launched keeps its provenance."""
        if n < 1:
            raise ToolError("n must be at least 1")
        on_advice = None if self._on_advice is None else self._take
        asked, budget = self._history, self._briefing.budget
        if budget.cost is not None:
            asked = replace(asked, affordable=budget.cost_left(asked.cost))
        found = self._suggest(asked, min(n, MAX_SUGGESTIONS), on_advice)
        self._suggested.update((proposal.configuration, proposal) for proposal in found)
        return found

    def candidates(self) -> tuple[Proposal, ...]:
        """The model's configurations that were not launched: they go on competing under the acquisition."""
        held = (*self._suggested.values(), *self._held.values(), *self._suggest.left)
        kept = {p.configuration: p for p in held if p.origin is Origin.MODEL}
        gone = {*self._launched, *(p.configuration for p in self._advised)}
        return tuple(p for c, p in kept.items() if c not in gone)

    @property
    def launched(self) -> tuple[Proposal, ...]:
        """What was queued in this decision, a model's warm start included."""
        return (*self._advised, *self._turn)

    def launch_trials(self, proposals: Sequence[Proposal]) -> list[int]:
        """Put proposals at the front of the queue: all, or none with a ToolError that says why."""
        if not proposals:
            raise ToolError("no configuration was given")
        return self._in_turn(lambda: self._launch_now(proposals))

    def _take(self, advice: Advice) -> None:
        assert self._on_advice is not None
        self._advised += self._on_advice(advice)

    def _launch_now(self, proposals: Sequence[Proposal]) -> list[int]:
        accepted = [self._suggested.get(p.configuration, p) for p in proposals]
        accepted = [self._marked(p) for p in accepted]
        self._check_budget(len(accepted))
        self._check_legal(accepted)
        self._check_new(accepted)
        self._check_cost(accepted)
        self._check_gate(accepted)
        numbers = self._launch(accepted)
        self._launched.update(zip((p.configuration for p in accepted), numbers, strict=True))
        self._turn += accepted
        return numbers

    def _marked(self, proposal: Proposal) -> Proposal:
        """A configuration that was not suggested is marked as the policy's own."""
        if proposal.configuration in self._suggested or proposal.origin is not Origin.MODEL:
            return proposal
        return proposal.with_provenance(own_choice=True, side="model")

    def _check_budget(self, wanted: int) -> None:
        if len(self._launched) + wanted > MAX_LAUNCH:
            raise ToolError(
                f"at most {MAX_LAUNCH} trials may be launched in a turn; {len(self._launched)} are already. "
                "Launch fewer, or call decide and be woken again."
            )
        started = len(self._now().not_lost) - len(self._history.not_lost)
        free = max(0, self._briefing.trials_left - started - len(self._waiting(self._queued())))
        if wanted > free:
            raise ToolError(f"the budget has room for {free} more trials, {wanted} were asked for")

    def _check_legal(self, proposals: Sequence[Proposal]) -> None:
        faults = []
        for place, proposal in enumerate(proposals, 1):
            try:
                self._history.space.validate(dict(proposal.configuration))
            except InvalidConfiguration as error:
                faults.append(f"configuration {place}: {error}")
        if faults:
            raise ToolError("; ".join(faults))

    def _check_new(self, proposals: Sequence[Proposal]) -> None:
        seen: set[Configuration] = set()
        for place, proposal in enumerate(proposals, 1):
            known = self._known(proposal)
            if known is not None:
                raise ToolError(f"configuration {place} was {known}; launch something else")
            if proposal.configuration in seen:
                raise ToolError(f"configuration {place} repeats another one of this launch")
            seen.add(proposal.configuration)

    def _check_cost(self, proposals: Sequence[Proposal]) -> None:
        """All of them must be paid for by what is left of a budget of costs, after what waits already."""
        budget, cost_of = self._briefing.budget, self._briefing.task.cost_of
        if budget.cost is None:
            return
        waiting = self._waiting(self._queued())
        spent = self._now().cost + math.fsum(cost_of(p.configuration) or 0.0 for p in waiting)
        for place, proposal in enumerate(proposals, 1):
            cost, left = cost_of(proposal.configuration), budget.cost_left(spent)
            if cost is None:
                raise ToolError(f"configuration {place} states no cost, and the budget is one of costs")
            if left is not None and cost > left:
                raise ToolError(
                    f"configuration {place} costs {significant(cost)}, and {significant(left)} of the budget "
                    f"of {significant(budget.cost)} is left for it; launch something cheaper"
                )
            spent += cost

    def _known(self, proposal: Proposal) -> str | None:
        """`already tried as #12 -> 0.41`, or None for something new."""
        configuration = proposal.configuration
        if configuration in self._launched:
            return f"already launched as #{self._launched[configuration]} in this turn"
        if any(configuration == waiting.configuration for waiting in self._queued()):
            return "already queued"
        if proposal.origin is Origin.REPLICATE:
            return None
        now = self._now()
        row_, active = now.space.encode(configuration)
        tried = now.not_lost
        rows, masks = now.encoded(tried)
        if not tried:
            return None
        same = np.array([t.configuration == configuration for t in tried])
        if proposal.provenance.own_choice:  # a strategy may search this finely, a model does not
            same |= (np.abs(rows - row_).max(axis=1) < NEAR) & (masks == active).all(axis=1)
        if not same.any():
            return None
        trial = tried[int(np.argmax(same))]
        exactly = "already tried as" if trial.configuration == configuration else "all but tried as"
        return f"{exactly} #{trial.number} -> {self._result(trial)}"

    def _result(self, trial: Trial) -> str:
        if trial.value is not None:
            return format_metric(self._history, trial.value)
        return "running now" if not trial.finished else trial.state.value.replace("_", " ")

    def _check_gate(self, proposals: Sequence[Proposal]) -> None:
        gate, now, launched = self._gate, self._now(), self._waiting(self._queued())
        if gate is None:
            return
        for place, proposal in enumerate(proposals, 1):
            if gate.applies_to(proposal) and not gate.is_open(now, launched):
                self._held.update((p.configuration, p) for p in proposals if gate.applies_to(p))
                raise ToolError(f"configuration {place} may not be launched now: {gate.refusal}")
            launched.append(proposal)

    def own_allowance(self) -> int:
        """How many configurations of its own the policy may launch now; with a gate, one at a time."""
        if self._gate is None:
            return MAX_LAUNCH - len(self._launched)
        # By the briefing, as all that is read: the queue of now would be another one in a replay.
        held = {t.configuration for t in self._history.not_lost}
        waiting = {p.configuration: p for p in (*self._briefing.queued, *self.launched)}
        return int(self._gate.is_open(self._history, [p for c, p in waiting.items() if c not in held]))

    def _waiting(self, queued: Sequence[Proposal]) -> list[Proposal]:
        """What is queued, or was launched in this turn, and has not started."""
        held = {t.configuration for t in self._now().not_lost}
        waiting = {p.configuration: p for p in (*queued, *self._turn) if p.configuration not in held}
        return list(waiting.values())
