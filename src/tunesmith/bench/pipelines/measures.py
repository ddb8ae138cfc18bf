"""The figures: trials until within EPSILON of the optimum, regret, ratios. Runs in, numbers out.

A trial is one whole evaluation: as many item evaluations as the search has items. A run that never comes
within EPSILON counts as more than all its trials in medians, and as one more than all of them in means.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tunesmith.bench.metrics import LEVEL, limits
from tunesmith.bench.pipelines.runs import PipelineRun
from tunesmith.bench.pipelines.search import Change
from tunesmith.history import Array

EPSILON = 0.01
CHECKPOINTS = (10, 25, 50)
MARGIN = 0.005
"""What two qualities may differ by and still count as no worse."""
DRAWS = 2000


def reached(run: PipelineRun) -> Change | None:
    """When a run would first have chosen something within EPSILON of the optimum; None: never."""
    assert run.optimum is not None
    return next((c for c in run.changes if c.quality >= run.optimum - EPSILON - 1e-9), None)


class Spent(NamedTuple):
    """What a run had spent when it first came within EPSILON; infinite where it never did in time."""

    trials: float
    items: float
    cost: float


def spent_to(run: PipelineRun, trials: int) -> Spent:
    """See `Spent`; in time means within so many trials."""
    change = reached(run)
    if change is None or change.items > trials * run.n:
        return Spent(math.inf, math.inf, math.inf)
    return Spent(change.items / run.n, change.items, change.cost)


def regret_at(run: PipelineRun, trials: int) -> float:
    """Optimum less the quality of what would have been chosen after so many trials, at first the default."""
    assert run.optimum is not None
    quality = run.start
    for change in run.changes:
        if change.items <= trials * run.n:
            quality = change.quality
    return run.optimum - quality


@dataclass(frozen=True)
class Quartiles:
    """Median with quartiles; None where it is beyond what was observed."""

    low: float | None
    median: float | None
    high: float | None


def quartiles(values: Sequence[float]) -> Quartiles:
    """Of values, the infinite ones beyond all others."""
    if not values:
        return Quartiles(None, None, None)
    found = np.quantile(np.array(values), [0.25, 0.5, 0.75], method="higher")
    low, median, high = (float(v) if math.isfinite(v) else None for v in found)
    return Quartiles(low, median, high)


@dataclass(frozen=True)
class Ratio:
    """Mean trials of one contender over those of another, on the same tasks and seeds.

    Attributes:
        low, high: The interval by bootstrap over seeds.
        pairs: Runs compared.
    """

    ratio: float
    low: float
    high: float
    pairs: int


def ratio_of_trials(
    mine: Mapping[tuple[str, int], float], other: Mapping[tuple[str, int], float], trials: int
) -> Ratio | None:
    """See `Ratio`; by (task, seed), infinite where never. None without a common run."""
    common = sorted(set(mine) & set(other))
    if not common:
        return None
    seeds = sorted({seed for _, seed in common})
    sums = np.zeros((len(seeds), 2))
    for key in common:
        sums[seeds.index(key[1])] += [min(mine[key], trials + 1), min(other[key], trials + 1)]
    total = sums.sum(axis=0)
    low, high = _over_seeds(sums)
    return Ratio(float(total[0] / total[1]), low, high, len(common))


@dataclass(frozen=True)
class Difference:
    """Mean paired difference, with the interval by bootstrap over seeds."""

    mean: float
    low: float
    high: float
    pairs: int


def paired_difference(
    mine: Mapping[tuple[str, int], float], other: Mapping[tuple[str, int], float]
) -> Difference | None:
    """Mine less the other's, by (task, seed); None without a common run."""
    common = sorted(set(mine) & set(other))
    if not common:
        return None
    seeds = sorted({seed for _, seed in common})
    sums = np.zeros((len(seeds), 2))
    for key in common:
        sums[seeds.index(key[1])] += [mine[key] - other[key], 1]
    low, high = _over_seeds(sums)
    return Difference(float(sums[:, 0].sum() / sums[:, 1].sum()), low, high, len(common))


def _over_seeds(sums: Array) -> tuple[float, float]:
    """The LEVEL interval of the ratio of two sums, (seeds, 2), by resampling seeds."""
    assert 0 < LEVEL < 1
    picked = np.random.default_rng(0).integers(len(sums), size=(DRAWS, len(sums)))
    drawn = sums[picked].sum(axis=1)
    return limits(drawn[:, 0] / drawn[:, 1])
