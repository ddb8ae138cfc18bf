"""The published loop in a run: its strategy proposes every trial, and ends the search after its rounds."""

from __future__ import annotations

from tunesmith.agent.methods.agenttts.paper import PaperStrategy
from tunesmith.agent.policy.every_trial import EveryTrialPolicy
from tunesmith.history import History
from tunesmith.interfaces import Briefing, Emit
from tunesmith.text.numbers import counted


class PaperPolicy(EveryTrialPolicy):
    """Launches what a `PaperStrategy` chooses.

    Args:
        strategy, name, emit: As for `EveryTrialPolicy`.
    """

    def __init__(self, strategy: PaperStrategy, name: str, emit: Emit) -> None:
        super().__init__(strategy, name, emit)
        self._planner = strategy

    def calls_left(self, briefing: Briefing) -> int:
        return self._planner.calls_left(briefing.trials_left)

    def ended(self, history: History) -> str | None:
        if not self._planner.ended(history):
            return None
        rounds = counted(self._planner.settings.iterations, "round")
        return f"the {rounds} of {self.name} after its initial design are over"
