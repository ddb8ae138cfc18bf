"""The plan of a run: what the policy decided last, and what a model has said since."""

from __future__ import annotations

from collections.abc import Callable

from tunesmith.events import Decided
from tunesmith.history import History
from tunesmith.interfaces import Decision, Emit
from tunesmith.tools.engine.policy_runner import Made
from tunesmith.tools.engine.trial_queue import TrialQueue
from tunesmith.tools.records.moments import Moment
from tunesmith.tools.toolbox.advice import Advice
from tunesmith.trial import Proposal


class Plan:
    """Used from the engine's thread.

    Args:
        decision: What holds from an earlier session; None where the run begins.
        history: The trials as they are now.
        queue: What it launches goes here.
        emit: Stores what takes effect.
    Attributes:
        decision: What holds now.
        asked_at: Trials started when the policy was asked last.
    """

    def __init__(
        self, decision: Decision | None, history: Callable[[], History], queue: TrialQueue, emit: Emit
    ) -> None:
        self._history, self._queue, self._emit = history, queue, emit
        self.decision = decision or Decision(reason="The run has just begun.")
        self.asked_at = 0

    @property
    def moment(self) -> Moment:
        """Where the run is."""
        history = self._history()
        return Moment(len(history), len(history.finished))

    def follow(self, made: Made) -> None:
        """A decision holds from now on, and what it launches is queued."""
        self.decision = made.decision
        self._emit(Decided(policy=made.policy, decision=made.decision, **self.moment._asdict()))
        if made.decision.launch:
            self._queue.add(made.decision.launch)

    def add(self, advice: Advice) -> tuple[Proposal, ...]:
        """A part of a model's answer counts from now on. Returns what was queued of it."""
        history = self._history()
        advice.apply()
        if advice.priors is not None:
            self._emit(advice.priors.model_copy(update=self.moment._asdict()))
        if advice.candidates:
            competing = (*self.decision.candidates, *advice.candidates)
            self.decision = self.decision.model_copy(update={"candidates": competing})
        if not advice.launch:
            return ()
        waiting = {proposal.configuration for proposal in self._queue.waiting}
        default = [p for p in history.default_first if p.configuration not in waiting]
        started = len(history) - self.asked_at
        launch = (*default, *(_late(proposal, started) for proposal in advice.launch))
        self._queue.add(launch)
        return launch


def _late(proposal: Proposal, started: int) -> Proposal:
    """Says so where more than the default trial was started before a model's answer came."""
    if started <= 1:
        return proposal
    reason = f"{proposal.reason} It came when {started} trials had been started since the model was asked."
    return proposal.model_copy(update={"reason": reason})
