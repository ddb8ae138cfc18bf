"""The figures: regret, ranks, intervals, critical difference. Arrays in, arrays out; no files, no words.

Throughout, an evaluation that failed (NaN) counts as no value: the best so far stays what it was.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tunesmith.history import Array, Direction

DRAWS = 10_000
LEVEL = 0.95
NO_WORSE = 1.05
"""A ratio's upper limit up to which a contender counts as no worse than the reference."""


def best_so_far(values: Array, direction: Direction) -> Array:
    """Best of the values up to each evaluation, along the last axis; NaN before the first value."""
    better = np.fmax if direction == "maximize" else np.fmin
    return np.asarray(better.accumulate(values, axis=-1))


def normalised_regret(values: Array, direction: Direction, best: float, worst: float, *, clip: bool) -> Array:
    """(best - y) / (best - worst), y the best so far; 0 is as good as the best, 1 as poor as the worst.

    Args:
        values: Metric units, (..., evaluations).
        best, worst: What 0 and 1 stand for, metric units. Where they are equal there is nothing to
            gain: regret is 0 for a value as good as that, else 1.
        clip: Whether to keep it in [0, 1]. Without, better than `best` is below 0.
    Returns:
        Same shape; 1 before the first value.
    """
    reached = best_so_far(values, direction)
    span = best - worst
    if span == 0:
        sign = 1.0 if direction == "maximize" else -1.0
        regret = np.where(sign * (best - reached) > 0, 1.0, 0.0)
    else:
        regret = (best - reached) / span
    regret = np.where(np.isnan(reached), 1.0, regret)
    return np.asarray(np.clip(regret, 0.0, 1.0) if clip else regret)


def hypervolume(points: Array, reference: Array) -> float:
    """Area that points dominate below a reference point, both metrics minimised (Zitzler and Thiele, 1999).

    Args:
        points: Shape (n, 2); those that are not below the reference in both metrics add nothing.
        reference: Shape (2,).
    """
    area, height = 0.0, float(reference[1])
    for x, y in points[np.lexsort(points.T[::-1])]:
        if x < reference[0] and y < height:
            area += float(reference[0] - x) * (height - float(y))
            height = float(y)
    return area


def window_mean(curves: Array, first: int, last: int) -> Array:
    """Mean of curves (..., evaluations) over evaluations `first` to `last`, counted from 1 and included."""
    return np.asarray(curves[..., first - 1 : last].mean(axis=-1))


def resampled(n: int) -> NDArray[np.int64]:
    """Bootstrap draws of n tasks, (DRAWS, n); the same ones for every contender, so that they are paired."""
    return np.asarray(np.random.default_rng(0).integers(n, size=(DRAWS, n)))


def limits(draws: Array) -> tuple[float, float]:
    """The LEVEL interval of bootstrap draws, by percentiles."""
    low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def mean_interval(by_task: Array) -> tuple[float, float]:
    """Bootstrap interval over tasks of the mean of `by_task` (n,)."""
    return limits(by_task[resampled(len(by_task))].mean(axis=1))


def ratio_interval(mine: Array, reference: Array) -> tuple[float, float]:
    """Paired bootstrap interval over tasks of mean(mine) / mean(reference), both (n,).

    A draw in which the reference has no regret left is a ratio of infinity, or 1 if neither has any.
    """
    draws = resampled(len(mine))
    top, bottom = mine[draws].mean(axis=1), reference[draws].mean(axis=1)
    none = bottom <= 0
    ratio = np.where(none, np.where(top <= 0, 1.0, np.inf), top / np.where(none, 1.0, bottom))
    low, high = np.quantile(ratio, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], method="nearest")
    return float(low), float(high)


def ranks(regrets: Array) -> Array:
    """Ranks of contenders on each task, 1 the best, ties shared: (contenders, tasks) in and out."""
    from scipy.stats import rankdata

    return np.asarray(rankdata(np.round(regrets, 9), axis=0))


@dataclass(frozen=True)
class CriticalDifference:
    """Friedman's test, and Nemenyi's critical difference after it (Demsar, JMLR 7, 2006).

    Attributes:
        p: Of Friedman's test that all contenders are alike.
        difference: Two average ranks that differ by less cannot be told apart at 5 %.
        groups: Contenders (indices, by rank) that cannot be told apart; only the largest such groups.
    """

    p: float
    difference: float
    groups: tuple[tuple[int, ...], ...]


def critical_difference(table: Array) -> CriticalDifference | None:
    """For ranks (contenders, tasks); None with fewer than 3 contenders or 2 tasks."""
    from scipy.stats import friedmanchisquare, studentized_range

    k, n = table.shape
    if k < 3 or n < 2:
        return None
    with np.errstate(all="ignore"):
        p = float(friedmanchisquare(*table).pvalue)
    q = float(studentized_range.ppf(0.95, k, np.inf)) / np.sqrt(2)
    difference = float(q * np.sqrt(k * (k + 1) / (6 * n)))
    means = table.mean(axis=1)
    order = np.argsort(means, kind="stable")
    groups: list[tuple[int, ...]] = []
    for i in range(k):
        group = tuple(int(j) for j in order[i:] if means[j] - means[order[i]] < difference)
        if len(group) > 1 and not any(set(group) <= set(other) for other in groups):
            groups.append(group)
    return CriticalDifference(1.0 if np.isnan(p) else p, difference, tuple(groups))
