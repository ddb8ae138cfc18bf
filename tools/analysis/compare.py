"""Whether one configuration is better than another: paired differences over the same seeds.

Training twice on one seed shares what the seed decides (order of data, initial weights), so the
difference of a pair is less noisy than either value. The interval is Student's, over n differences.

Where too few seeds leave it open, more are taken and the two are compared again. Each look may be wrong, so
look k of K, at n_k pairs, gets a share of the 5 % in proportion to sqrt(n_k): together they err at most as
often as one test would, whatever their dependence (Bonferroni), and the late looks, which decide small
differences, get most. The intervals shown are the repeated ones of Jennison and Turnbull (1989).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np

from tunesmith.history import Direction
from tunesmith.trial import Frozen

Verdict = Literal["better", "worse", "not distinguishable"]
CONFIDENCE = 0.95
ROUNDING = 1e-12
"""Relative size below which a spread of differences is rounding, not seeds."""


class Comparison(Frozen):
    """The first configuration against the second, on the same seeds."""

    metric: str
    direction: Direction
    first: str = "the best configuration"
    second: str = "the default"
    unit: Literal["seeds", "items"] = "seeds"
    """What the pairs are: trainings on one seed, or scores of one item by one training each."""
    n: int
    """Pairs compared."""
    first_mean: float | None
    second_mean: float | None
    """Metric units; None without a pair."""
    difference: float | None
    """Mean of the paired differences, positive where the first is better; metric units."""
    low: float | None
    high: float | None
    """Ends of the interval of `difference`; None with fewer than two pairs."""
    confidence: float = CONFIDENCE
    verdict: Verdict
    """Of the first: better or worse only when the whole interval is on one side of zero."""
    sentence: str = ""
    """The same in words."""


def levels(looks: Sequence[int]) -> list[float]:
    """The error that each look may make, (len(looks),); they add up to 1 - CONFIDENCE.

    Args:
        looks: Pairs at each look, rising.
    """
    roots = [math.sqrt(n) for n in looks]
    return [(1 - CONFIDENCE) * root / sum(roots) for root in roots]


def compare_paired(
    first: Sequence[float],
    second: Sequence[float],
    *,
    direction: Direction,
    metric: str,
    level: float = 1 - CONFIDENCE,
) -> Comparison:
    """Compare the best configuration with the default by their values on the same seeds.

    Args:
        first, second: The metric of each, seed by seed in the same order; finite, shape (n,).
        level: The error that this test may make: smaller where others are made on the same data.
    Raises:
        ValueError: Unequal lengths, or a value that is not finite.
    """
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if a.shape != b.shape or a.ndim != 1:
        raise ValueError(f"pairs are needed, and there are {a.size} values of one and {b.size} of the other")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise ValueError("every value must be finite; leave out the pairs with a failed run")
    n = int(a.size)
    differences = (a - b) if direction == "maximize" else (b - a)
    low, high = interval(differences, level) if n >= 2 else (None, None)
    verdict: Verdict = "not distinguishable"
    if low is not None and low > 0:
        verdict = "better"
    elif high is not None and high < 0:
        verdict = "worse"
    comparison = Comparison(
        metric=metric,
        direction=direction,
        n=n,
        first_mean=float(a.mean()) if n else None,
        second_mean=float(b.mean()) if n else None,
        difference=float(differences.mean()) if n else None,
        low=low,
        high=high,
        verdict=verdict,
    )
    return comparison.model_copy(update={"sentence": _sentence(comparison)})


def interval(differences: np.ndarray, level: float) -> tuple[float, float]:
    """Ends of Student's interval of a mean: mean ± t * s / sqrt(n), with n - 1 degrees of freedom.

    Args:
        differences: At least two values, shape (n,).
        level: The share of intervals that may miss, such as 0.05.
    """
    from scipy import stats

    n, mean = len(differences), float(differences.mean())
    deviation = float(differences.std(ddof=1))
    if deviation <= ROUNDING * float(np.abs(differences).max()):
        deviation = 0.0  # the same difference on every seed: training that ignores its seed
    half = float(stats.t.ppf(1 - level / 2, n - 1)) * deviation / math.sqrt(n)
    return mean - half, mean + half


def _sentence(c: Comparison) -> str:
    first, second, mean, low, high = c.first[:1].upper() + c.first[1:], c.second, c.difference, c.low, c.high
    if mean is None:
        return f"{first} and {second} cannot be compared: no seed has a value of {c.metric} for both."
    means = f"mean {c.metric} {c.first_mean:.4g} against {c.second_mean:.4g}"
    if low is None or high is None:
        return f"{first} and {second} are not distinguishable from one seed alone ({means})."
    gain = f"{abs(mean):.3g}"
    ends = sorted((low, high)) if mean >= 0 else sorted((-low, -high))
    shown = [f"{end:.3g}" for end in ends]
    interval = f"{c.confidence:.0%} interval {shown[0]} to {shown[1]}"
    if c.verdict == "not distinguishable":
        if low == high:
            return (
                f"{first} and {second} came out the same on all {c.n} seeds ({means}): not distinguishable."
            )
        lead = "better" if mean >= 0 else "worse"
        return (
            f"{first} and {second} are not distinguishable over {c.n} paired seeds: {means}, "
            f"{gain} {lead} with a {interval}."
        )
    # Differences that only the rounding of 32-bit metrics tells apart would be an interval "0.02 to 0.02".
    same = ", the same difference on every seed" if shown[0] == shown[1] else f" ({interval})"
    return f"{first} is {c.verdict} than {second} by {gain}{same} over {c.n} paired seeds: {means}."
