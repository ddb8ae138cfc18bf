"""How a trial's result stands among those before it, with several metrics or limits.

One result beats another where it exceeds every limit by no more and one of them by less; of two that keep all
limits, where it dominates the other (Deb et al., 2002). A result is poor if more of the others beat it than
beat the middle one of those before it: with one metric and no limit, if it is below the median.
"""

from __future__ import annotations

import numpy as np

from tunesmith.goals import Goals
from tunesmith.history import Array
from tunesmith.trial import Trial


class Standing:
    """Completed trials of one study, in order; each one that is added is compared with all before it."""

    def __init__(self, goals: Goals) -> None:
        self._goals = goals
        self._excess = np.empty((0, len(goals.limits)))
        self._scores = np.empty((0, len(goals.objectives)))
        self._beaten = np.empty(0, dtype=int)  # by how many of the others

    def __len__(self) -> int:
        return len(self._beaten)

    def add(self, trial: Trial) -> bool | None:
        """Take a completed trial in; whether it is poor, None where it is the first."""
        values = trial.values  # one of an older task may lack a metric
        limits, goals = self._goals.limits, self._goals.objectives
        excess = np.array([max(x.excess(values.get(x.metric, x.sign * np.inf)), 0.0) for x in limits])
        scores = np.array([g.sign * values.get(g.metric, -g.sign * np.inf) for g in goals])
        beats = _beats(excess, scores, self._excess, self._scores)
        beaten = int(_beats(self._excess, self._scores, excess, scores).sum())
        self._beaten = self._beaten + beats
        poor = bool(beaten > np.median(self._beaten)) if len(self._beaten) else None
        self._excess = np.vstack([self._excess, excess])
        self._scores = np.vstack([self._scores, scores])
        self._beaten = np.append(self._beaten, beaten)
        return poor


def _beats(excess: Array, scores: Array, others: Array, their_scores: Array) -> Array:
    """Whether results beat others, elementwise over rows; one of the sides may be a single row."""
    nearer = (excess <= others).all(axis=-1) & (excess < others).any(axis=-1)
    kept = (excess == 0).all(axis=-1) & (others == 0).all(axis=-1)
    better = (scores >= their_scores).all(axis=-1) & (scores > their_scores).any(axis=-1)
    return np.asarray(nearer | (kept & better))
