"""LLAMBO in a run, as published: every trial is its choice, made after the trial before it."""

from __future__ import annotations

from tunesmith.agent.methods.llambo.settings import LlamboSettings, calls_a_trial
from tunesmith.agent.policy.every_trial import EveryTrialPolicy
from tunesmith.interfaces import Briefing, Emit, Strategy


class LlamboPolicy(EveryTrialPolicy):
    """Launches what a `LlamboStrategy` chooses.

    Args:
        settings: What `strategy` was built from.
        strategy, name, emit: As for `EveryTrialPolicy`.
    """

    def __init__(self, strategy: Strategy, name: str, settings: LlamboSettings, emit: Emit) -> None:
        super().__init__(strategy, name, emit)
        self._settings = settings

    def calls_left(self, briefing: Briefing) -> int:
        started = max(self._settings.initial, len(briefing.history))
        return calls_a_trial(self._settings) * max(briefing.budget.trials - started, 0)
