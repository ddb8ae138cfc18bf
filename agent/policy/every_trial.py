"""The policy of methods that propose every trial, which wait for a model: their strategy is asked here.

The strategy asks a model, so it is called in the thread of `decide`, and what it chose is launched. With
several workers it chooses as many as are free, and what runs or waits counts as running. Where the model
fails, the strategy's own fallback makes the choice and records it.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from tunesmith.agent.policy import narrator
from tunesmith.agent.policy.findings import Watermark, findings
from tunesmith.agent.policy.rules import WAKE_AFTER
from tunesmith.events import Degraded, Thought
from tunesmith.history import History
from tunesmith.interfaces import Briefing, Decision, Emit, Policy, Strategy, Toolbox
from tunesmith.trial import Proposal


class EveryTrialPolicy(Policy):
    """Launches what the strategy chooses, as many trials as there are free workers.

    Args:
        strategy: May wait for a model.
        name: The method and its changed settings, such as `NAME with alpha=0.2`.
        emit: Takes the narration.
    """

    asks_model = True  # and is waited for all the same: the method proposes every trial

    def __init__(self, strategy: Strategy, name: str, emit: Emit) -> None:
        self.name = name[:100]
        self._strategy, self._emit = strategy, emit
        self._watermark = Watermark()
        self._opened = False
        self._narrated_at = 0

    @abstractmethod
    def calls_left(self, briefing: Briefing) -> int:
        """Calls of the model that the rest of the run makes."""

    def ended(self, history: History) -> str | None:
        """Why the method has nothing more to propose; None while it has."""
        return None

    def decide(self, briefing: Briefing, toolbox: Toolbox) -> Decision:
        """As many proposals as there are workers without work; none where all are busy."""
        self._open(briefing)
        history = briefing.history.with_running(briefing.queued)
        free = briefing.task.workers - len(history.pending)
        wanted = min(free, briefing.trials_left - len(briefing.queued))
        if wanted < 1:
            return Decision(
                reason="Every worker is busy: the next trial is chosen when one ends.", wake_after=1
            )
        chosen = self._strategy.propose(history, wanted)
        if not chosen and (reason := self.ended(history)) is not None:
            return Decision(reason=reason, stop=reason)
        self._narrate(briefing, chosen)
        reason = chosen[0].reason if chosen else "The search space has nothing new left."
        return Decision(reason=reason, launch=tuple(chosen), wake_after=1)

    def _open(self, briefing: Briefing) -> None:
        """Once: what begins, and whether the caps on the model let it go on to the end."""
        if self._opened:
            return
        self._opened = True
        resumed = "resumed" in briefing.triggers
        self._watermark.advance(briefing.history, resumed=resumed)
        self._narrated_at = len(briefing.history.finished)
        text = narrator.opening(briefing, resumed=resumed, standing_in=False, chosen_by=self.name)
        self._say(briefing, text)
        needed = self.calls_left(briefing)
        cap = briefing.budget.model.calls
        left = None if cap is None else max(cap - briefing.spend.model.calls, 0)
        if left is not None and left < needed:
            self._emit(
                Degraded(
                    what="warning",
                    where="tuner",
                    cause=f"{self.name} needs about {needed} calls of the model, and {left} are left",
                    continuation="what they do not reach is chosen numerically; see budget.model.calls",
                )
            )

    def _narrate(self, briefing: Briefing, chosen: Sequence[Proposal]) -> None:
        finished = len(briefing.history.finished)
        if finished - self._narrated_at < WAKE_AFTER:
            return
        self._narrated_at = finished
        fresh = self._watermark.advance(briefing.history, resumed=False)
        following = chosen[0] if chosen else None
        self._say(briefing, narrator.update(briefing, findings(briefing.history, fresh), following))

    def _say(self, briefing: Briefing, text: str) -> None:
        self._emit(Thought(turn=briefing.turn, speaker="narrator", text=text))
