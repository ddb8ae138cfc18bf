"""Which trial starts next: a queued one, else what the strategy proposes, else a random one if that fails.

Nothing illegal, running or done already is returned, and nothing that the budget of costs cannot pay for.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from tunesmith.errors import InvalidConfiguration, SpaceError
from tunesmith.events import Degraded, Noted
from tunesmith.history import History
from tunesmith.interfaces import Emit, Strategy
from tunesmith.seeds import rng_for
from tunesmith.task import Task
from tunesmith.text.cleaning import error_line
from tunesmith.tools.engine.cost_budget import CostBudget
from tunesmith.tools.engine.steering import fitting
from tunesmith.tools.engine.trial_queue import TrialQueue
from tunesmith.trial import Origin, Proposal, TrialState

log = logging.getLogger(__name__)

DRAWS = 8
"""Random configurations among which one that may be run is looked for."""


class Chooser:
    """Used from the engine's thread; only `queue.add` and `queue.waiting` are for others.

    Args:
        emit: Called with a `Degraded` for every proposal that is not run and every fault of the strategy.
        first: Number of the next trial.
    Attributes:
        queue: What goes before anything the strategy proposes.
    """

    def __init__(self, task: Task, strategy: Strategy, emit: Emit, first: int) -> None:
        self._task, self._strategy, self._emit = task, strategy, emit
        self.queue = TrialQueue(first)
        self._costs = CostBudget(task)
        self._exhausted_at: History | None = None
        self._steered = False

    def take_task(self, task: Task, strategy: Strategy) -> None:
        """Go on with a changed task; what waits is in its space from now on, where it is legal there."""
        self._task, self._strategy, self._steered = task, strategy, True
        self._costs = CostBudget(task)
        self._exhausted_at = None
        self.queue.change(self._fitting)

    def _fitting(self, proposal: Proposal) -> Proposal:
        """A proposal in the space of now: it may come from a policy that was woken in an earlier one."""
        return fitting(proposal, self._task.space) if self._steered else proposal

    def exhausted(self, history: History) -> bool:
        """Whether nothing new was found for this very snapshot when `next` was last asked."""
        return self._exhausted_at is history

    def why_exhausted(self, history: History) -> str:
        """Why nothing new was found."""
        dear = self.too_dear(history)
        return "every configuration of the search space has been tried" if dear is None else dear

    def too_dear(self, history: History) -> str | None:
        """That the budget of costs can pay for nothing new, where `exhausted`; None where that is not why."""
        return self._costs.why_over(history) if self._costs.limited and self.exhausted(history) else None

    def next(self, history: History, candidates: Sequence[Proposal]) -> tuple[int, Proposal] | None:
        """Number and proposal of the trial that starts now; None where nothing new is left to try."""
        while True:
            while (queued := self.queue.first()) is not None:
                queued = self._fitting(queued)
                cause, dear = self.why_not(queued, history), self.unaffordable(queued, history)
                if cause is None and dear is None:
                    return self.queue.start(), queued
                if cause is not None:
                    self._rejected(queued, cause)
                else:
                    self._emit(Noted(text=f"A queued configuration is not run: {dear}."))
                self.queue.drop()
            if self.exhausted(history):
                return None  # asked ten times a second while others run
            proposal = self._proposed(history, candidates)
            if proposal is None:
                self._exhausted_at = history
                return None
            number = self.queue.start_unqueued()
            if number is not None:
                return number, proposal

    def why_not(self, proposal: Proposal, history: History) -> str | None:
        """Why a proposal may not be run: illegal, running, or done already, unless it is a second try."""
        try:
            self._task.space.validate(dict(proposal.configuration))
        except InvalidConfiguration as error:
            return str(error)
        again = (
            [TrialState.LOST, TrialState.CRASHED] if proposal.origin is Origin.RETRY else [TrialState.LOST]
        )
        if proposal.origin is Origin.REPLICATE:
            return _no_replicate(proposal, history)
        for trial in history:
            if trial.configuration == proposal.configuration and trial.state not in again:
                return f"the same configuration is trial {trial.number} already"
        return None

    def unaffordable(
        self, proposal: Proposal, history: History, waiting: Sequence[Proposal] = ()
    ) -> str | None:
        """Why the budget of costs cannot pay for a proposal beside those waiting; None where it can."""
        return self._costs.why_not(proposal, history, waiting)

    def _proposed(self, history: History, candidates: Sequence[Proposal]) -> Proposal | None:
        """What the strategy, or chance in its place, would run next."""
        try:
            candidates = [self._fitting(one) for one in candidates] if self._steered else candidates
            proposals = self._strategy.propose(self._costs.asked(history), 1, candidates)
        except Exception as error:  # a strategy's fault costs one random proposal, and is shown
            log.exception("the %s strategy failed", self._strategy.name)
            proposals = self._random_instead(history, error_line(error))
        acceptable = self._acceptable(proposals, history)
        if acceptable is None and self._costs.limited:
            # The strategy may know nothing of costs, and have nothing to offer but what is too dear.
            acceptable = self._acceptable(self._costs.instead(history), history)
        elif acceptable is None and proposals:
            others = self._random_instead(history, "none of its proposals may be run")
            acceptable = self._acceptable(others, history)
        return acceptable

    def _acceptable(self, proposals: Sequence[Proposal], history: History) -> Proposal | None:
        """The first that may be run; those before it are shown as rejected."""
        for proposal in proposals:
            cause = self.why_not(proposal, history) or self.unaffordable(proposal, history)
            if cause is None:
                return proposal
            self._rejected(proposal, cause)
        return None

    def _rejected(self, proposal: Proposal, cause: str) -> None:
        where = f"proposal by {proposal.origin.value}"
        self._emit(Degraded(what="rejected", where=where, cause=cause[:500], continuation="it was not run"))

    def _random_instead(self, history: History, cause: str) -> list[Proposal]:
        name = self._strategy.name
        how = "a random configuration was run instead"
        self._emit(Degraded(what="fallback", where=f"strategy {name}", cause=cause[:500], continuation=how))
        rng = rng_for(self._task.seed, "engine fallback", len(history))
        reason = f"Drawn at random because the {name} strategy failed."
        try:
            drawn = self._task.space.sample(rng, DRAWS)
        except SpaceError as error:  # a kind of problem that says now that nothing can be run
            self._emit(Noted(text=f"No configuration can be drawn: {error}"))
            return []
        return [Proposal(configuration=one, origin=Origin.RANDOM, reason=reason) for one in drawn]


def _no_replicate(proposal: Proposal, history: History) -> str | None:
    """Why a proposal is no second run of the trial that it names, or None."""
    number = proposal.provenance.replicate_of
    trial = None if number is None else history.get(number)
    if trial is None or trial.state is not TrialState.COMPLETED:
        return f"it repeats trial {number}, which has not completed"
    return (
        None if trial.configuration == proposal.configuration else f"trial {number} is another configuration"
    )
