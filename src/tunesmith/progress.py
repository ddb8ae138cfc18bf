"""Which trials brought a search forward: with limits and several metrics that is more than a better value."""

from __future__ import annotations

import math
from collections.abc import Mapping

from tunesmith.goals import Goals
from tunesmith.trial import Trial


class Progress:
    """Is told of completed trials, in the order that counts, and says of each whether it was a step forward.

    With one metric a step is a better feasible value; with several, a feasible trial that none before it
    equals or beats in all of them, so that the Pareto front changes. While none is feasible, a step is to
    break the limits by less than all before (`Goals.violation`).

    Args:
        margin: By how much a metric must be better, metric units, by name; 0 for the others.
    """

    def __init__(self, goals: Goals, margin: Mapping[str, float] | None = None) -> None:
        self._goals = goals
        self._margins = [(margin or {}).get(goal.metric, 0.0) for goal in goals.objectives]
        self._front: list[list[float]] = []
        self._least = math.inf
        self.last: Trial | None = None
        """The latest step; None while there was none."""

    @property
    def feasible(self) -> bool:
        """Whether any trial so far was feasible."""
        return bool(self._front)

    def add(self, trial: Trial) -> bool:
        """Whether a completed trial is a step forward."""
        assert trial.value is not None, f"trial {trial.number} is not completed"
        step = self._steps(trial)
        if step:
            self.last = trial
        return step

    def _steps(self, trial: Trial) -> bool:
        if self._goals.limits and self._goals.broken(trial.values):
            violation = self._goals.violation(trial.values)
            step = not self._front and (violation < self._least or self.last is None)
            self._least = min(self._least, violation)
            return step
        primary, *others = self._goals.objectives
        row = [
            primary.sign * (trial.value or 0.0),
            *(goal.sign * trial.values[goal.metric] for goal in others),
        ]
        if not all(any(a - b > m for a, b, m in self._against(row, before)) for before in self._front):
            return False
        # What the new one is as good as everywhere says nothing any more.
        kept = [before for before in self._front if any(b > a for a, b in zip(row, before, strict=True))]
        self._front = [*kept, row]
        return True

    def _against(self, row: list[float], before: list[float]) -> zip[tuple[float, float, float]]:
        return zip(row, before, self._margins, strict=True)
