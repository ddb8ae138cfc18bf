"""Scores for a Gaussian process: clipped below, made nearly normal, and back to metric units.

Whatever the metric's scale and sign, one wild value must not flatten the differences among the good
ones. So scores (larger is better) are clipped below `median - 3 (best - median)`, z-scored, put through
the Yeo-Johnson transform of largest likelihood (Yeo and Johnson, 2000), and z-scored again.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize_scalar

from tunesmith.history import Array, History
from tunesmith.tools.analysis.forecast import Forecaster
from tunesmith.trial import Trial, TrialState

CLIP = 3.0
"""Scores further below the median than this many times (best - median) count as that bad, no worse."""
LAMBDA_RANGE = (-10.0, 12.0)
"""Bounds of the Yeo-Johnson exponent; wide, symmetric about 1 (no change)."""


@dataclass(frozen=True)
class ScoreTransform:
    """An increasing map from scores to about standard normal, and back.

    Attributes:
        floor: Any score below counts as this one.
        scale: Scores are divided by this first, so that squares of huge ones stay finite.
        shift, spread: First z-score, of the divided scores.
        exponent: Yeo-Johnson lambda; None when the plain z-score is used.
        shift2, spread2: Second z-score.
        reach: First z-scores that `inverse` clips to: the observed range and as much again on both sides,
            because the inverse of Yeo-Johnson may run off to infinity not far outside the data.
    """

    floor: float
    scale: float
    shift: float
    spread: float
    exponent: float | None
    shift2: float
    spread2: float
    reach: tuple[float, float]

    def __call__(self, scores: Array) -> Array:
        z = (np.maximum(scores, self.floor) / self.scale - self.shift) / self.spread
        if self.exponent is not None:
            z = yeo_johnson(z, self.exponent)
        return (z - self.shift2) / self.spread2

    def inverse(self, transformed: Array) -> Array:
        """Scores of transformed values, clipped to `reach`; finite always."""
        z = transformed * self.spread2 + self.shift2
        if self.exponent is not None:
            z = yeo_johnson_inverse(z, self.exponent)
        scaled = np.clip(z, *self.reach) * self.spread + self.shift
        largest = LARGEST / max(self.scale, 1.0)
        return np.clip(scaled, -largest, largest) * self.scale

    def variances(self, low: Array, high: Array) -> Array:
        """Variances in transformed units of scores whose central 68 % is `low` to `high`, each (n,)."""
        return np.minimum((self(high) - self(low)) / 2, UNKNOWN) ** 2

    def moments(self, mean: Array, std: Array) -> tuple[Array, Array]:
        """Median and half the central 68 % interval, score units, of a normal in transformed units.

        Quantiles pass through an increasing map unchanged, moments do not; for a linear map the two
        agree with mean and standard deviation.
        """
        low, middle, high = (self.inverse(mean + k * std) for k in (-1.0, 0.0, 1.0))
        return middle, (high - low) / 2


UNKNOWN = 1e3
"""A standard deviation in transformed units; a value with this one or more is as good as unknown."""
LARGEST = np.finfo(float).max / 4
"""Scores beyond this are clipped, so that sums and differences of them stay finite."""


def yeo_johnson(x: Array, exponent: float) -> Array:
    """The Yeo-Johnson transform; increasing, 0 at 0, slope 1 at 0."""
    positive = x >= 0
    log = np.log1p(np.abs(x))
    up = log if exponent == 0 else np.expm1(exponent * log) / exponent
    down = log if exponent == 2 else np.expm1((2 - exponent) * log) / (2 - exponent)
    return np.where(positive, up, -down)


def yeo_johnson_inverse(y: Array, exponent: float) -> Array:
    """The inverse of `yeo_johnson`; values beyond its image come back as +-infinity."""
    magnitude = np.abs(y)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):

        def undo(power: float) -> Array:
            if power == 0:
                return np.expm1(magnitude)
            inside = 1 + power * magnitude
            return np.where(inside > 0, np.expm1(np.log(np.maximum(inside, 0)) / power), np.inf)

        return np.where(y >= 0, undo(exponent), -undo(2 - exponent))


def fit_transform(scores: Array, floor: float) -> tuple[ScoreTransform, Array] | None:
    """The transform fitted to `scores` (n,), already >= floor, and their transformed values.

    Returns:
        None when all scores are equal: there is nothing to model.
    """
    scale = float(np.max(np.abs(scores))) or 1.0
    scaled = scores / scale
    spread = float(np.std(scaled))
    # Equal up to rounding counts as equal: the transform would only blow the rounding up.
    if spread <= 1e-12:
        return None
    shift = float(np.mean(scaled))
    z = (scaled - shift) / spread
    exponent, y = _most_normal(z)
    shift2, spread2 = float(np.mean(y)), float(np.std(y))
    if exponent is not None and not (isfinite(shift2) and isfinite(spread2) and spread2 > 1e-12):
        exponent, shift2, spread2 = None, 0.0, 1.0
        y = z
    low, high = float(np.min(z)), float(np.max(z))
    reach = (2 * low - high, 2 * high - low)
    return ScoreTransform(floor, scale, shift, spread, exponent, shift2, spread2, reach), (
        y - shift2
    ) / spread2


def _most_normal(z: Array) -> tuple[float | None, Array]:
    """Yeo-Johnson exponent of largest likelihood and the transformed z; (None, z) where none is finite."""
    jacobian = float(np.sum(np.sign(z) * np.log1p(np.abs(z))))
    n = len(z)

    def loss(exponent: float) -> float:
        variance = float(np.var(yeo_johnson(z, exponent)))
        if not (isfinite(variance) and variance > 0):
            return np.inf
        return n / 2 * float(np.log(variance)) - (exponent - 1) * jacobian

    with np.errstate(over="ignore", invalid="ignore"):
        exponent = float(minimize_scalar(loss, bounds=LAMBDA_RANGE, method="bounded").x)
        y = yeo_johnson(z, exponent)
    return (exponent, y) if np.all(np.isfinite(y)) else (None, z)


def clip_value(scores: Array) -> float:
    """The score that lower ones are raised to; scores (n,), n >= 1.

    Where the best is also the median, (best - median) is no scale: then nothing is clipped, and it is as much
    below the worst as the worst is below the best (or any amount, if all are equal).
    """
    best, median, worst = float(np.max(scores)), float(np.median(scores)), float(np.min(scores))
    if best > median:
        return max(median - CLIP * (best - median), -LARGEST)
    return worst - ((best - worst) or max(abs(best), 1.0))


class Scores(NamedTuple):
    """What finished trials came to, larger is better.

    Attributes:
        values: (n,) a score for each.
        low, high: (n,) a standard deviation to either side where not known exactly; `values` for results.
        floor: What any of them is at least.
    """

    values: Array
    low: Array
    high: Array
    floor: float


def scores_of(trials: tuple[Trial, ...], history: History) -> Scores | None:
    """One score for each of `trials`, of those in `history.scored`: a failure has none (`feasibility.py`).

    - completed: its value;
    - pruned: the final value that its curve would have led to, forecast from the completed curves, with the
      spread of that forecast. Its last report is no result: good and hopeless curves look alike early on.

    Returns:
        None when nothing has completed: there is no scale yet.
    """
    if not history.completed:
        return None
    floor = clip_value(history.scores)
    if history.limits and history.feasible:
        # Differences among the feasible ones count, however much better those are that break a limit.
        feasible = history.sign * np.array([t.value for t in history.feasible], dtype=np.float64)
        floor = min(floor, clip_value(feasible))
    if history.others and history.front:
        # What is poor in one objective may be good in another: all of the front counts, and as much beyond.
        front = history.sign * np.array([t.value for t in history.front], dtype=np.float64)
        floor = min(floor, max(2 * float(front.min()) - float(front.max()), -LARGEST))
    values, spread = np.empty(len(trials)), np.zeros(len(trials))
    forecaster = Forecaster(history.sign, history.completed) if history.pruned else None
    for i, trial in enumerate(trials):
        if trial.state is TrialState.COMPLETED:
            assert trial.value is not None
            values[i] = history.sign * trial.value
        else:
            assert forecaster is not None, f"trial {trial.number} has no score: {trial.state}"
            values[i], spread[i] = forecaster.forecast(trial.curve)
    # The floor comes last: what is hopeless even with luck is known to be as bad as the floor, not uncertain.
    low, high = np.maximum(values - spread, floor), np.maximum(values + spread, floor)
    return Scores(np.maximum(values, floor), low, high, floor)
