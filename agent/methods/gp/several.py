"""Several objectives: a Gaussian process of each, and what a trial is expected to add to their Pareto front.

The front is that of the feasible trials, in the units that each objective's own process is fitted in (its
scores, made about standard normal). An increasing map leaves the front the front; it makes a step of equal
rank count about equally in every objective, whatever its scale. The reference point lies a little below the
worst of the front.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tunesmith.agent.methods.goals.hypervolume import Boxes, log_expected_gain, undominated
from tunesmith.agent.methods.goals.scalarise import pareto_front
from tunesmith.agent.methods.gp.surrogate import Fitted, GaussianProcessSurrogate
from tunesmith.goals import Goal
from tunesmith.history import Array, History
from tunesmith.trial import Trial, TrialState

BELOW = 0.1
"""How far the reference point lies below the worst of the front, as a share of the front's range."""
LEAST_RANGE = 0.5
"""The front's range counts as at least this share of all trials': a front whose points lie close together
would else be extended by small steps only."""


@dataclass(frozen=True)
class Objectives:
    """The surrogates of all objectives at one history.

    Attributes:
        goals: The primary one first; those without two different values are left out.
        fitted: Of each.
        front: (n, k) transformed values of the front; larger is better.
        reference: (k,) where hypervolume begins.
        boxes: What the front leaves undominated.
    """

    goals: tuple[Goal, ...]
    fitted: tuple[Fitted, ...]
    front: Array
    reference: Array
    boxes: Boxes

    def log_gain(self, points: Array, pending: Array | None = None) -> Array:
        """log of the expected gain of hypervolume at `points` (m, c) as surrogates scale them, shape (m,).

        `pending` points (q, c) count as observed at the mean: what they are expected to add is no gain again.
        """
        boxes = self.boxes
        if pending is not None and len(pending):
            expected = np.column_stack([fitted.process.predict(pending)[0] for fitted in self.fitted])
            boxes = undominated(np.concatenate([self.front, expected]), self.reference)
        moments = [fitted.process.predict(points, pending) for fitted in self.fitted]
        means, stds = np.stack([m for m, _ in moments]), np.stack([s for _, s in moments])
        return log_expected_gain(means, stds, boxes)


def objectives_at(
    history: History, primary: Fitted, surrogates: Sequence[GaussianProcessSurrogate]
) -> Objectives | None:
    """The objectives of a history; None where it has one only.

    Args:
        primary: The fit of the primary objective.
        surrogates: One for each of `history.others`, in order.
    """
    if not history.others:
        return None
    goals, fits = [history.goals.primary], [primary]
    for goal, surrogate in zip(history.others, surrogates, strict=True):
        fitted = surrogate.fitted(seen_by(history, goal))
        if fitted is not None:
            goals.append(goal)
            fits.append(fitted)
    done = history.feasible or history.completed
    values = np.array([[g.sign * t.values[g.metric] for g in goals] for t in done], dtype=np.float64)
    rows = np.column_stack([fit.transform(values[:, j]) for j, fit in enumerate(fits)])
    front = rows[pareto_front(-rows)]
    reference = _reference(front, rows)
    front = front if history.feasible else front[:0]
    return Objectives(tuple(goals), tuple(fits), front, reference, undominated(front, reference))


def _reference(front: Array, rows: Array) -> Array:
    worst, best = front.min(axis=0), front.max(axis=0)
    if len(front) < 2:  # it spans no range; then all trials do
        worst, best = np.minimum(worst, rows.min(axis=0)), rows.max(axis=0)
    span = np.maximum(best - worst, LEAST_RANGE * np.ptp(rows, axis=0))
    return np.asarray(worst - BELOW * span)


def seen_by(history: History, goal: Goal) -> History:
    """The history with one of its objectives as the primary one; its limits stay.

    Trials that were stopped are left out: their curves are of the primary metric.
    """
    trials = tuple(_with_value(t, goal) for t in history if t.state is not TrialState.PRUNED)
    others = tuple(other for other in history.goals.objectives if other != goal)
    return replace(history, metric=goal.metric, direction=goal.direction, others=others, trials=trials)


def _with_value(trial: Trial, goal: Goal) -> Trial:
    if trial.state is not TrialState.COMPLETED:
        return trial
    return trial.model_copy(update={"value": trial.values[goal.metric], "curve": ()})
