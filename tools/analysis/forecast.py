"""Where a learning curve will end, forecast from its value so far and the curves of completed trials.

Symbols, for the n completed trials that have a value at the step in question (larger is better throughout):
    v, f   (n,) value at that step and final value, none far below the rest (see `_floor`), standardised
    w      (n,) weight exp(-(v - v*)^2 / 2): how near a completed curve was to v*, the one in question

The forecast is a Bayesian linear regression of f on v, the slope's prior centred on 1/2 with the weight of
two curves and never below 0. Residuals count by w: curves that begin alike tell how much may still change,
which is a lot among poor beginnings and little among good ones. Below all the completed curves, which may be
few because poor ones were stopped, the regression is not trusted to go on: the final value falls as the value
itself does. The more a curve has still to gain, the less certain it is, since a training whose step size
falls to zero can begin slower than all others and end among the best.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import NamedTuple

import numpy as np

from tunesmith.history import Array
from tunesmith.trial import Trial

Curve = Sequence[tuple[int, float]]

CLIP = 3.0
"""Values further below the median than this many times (best - median) count as that bad, no worse."""
FEWEST = 3
"""Curves that a regression needs; with fewer the typical gain is added, and the spread is wide."""
SLOPE, SLOPE_COUNT = 0.5, 2.0
"""Prior mean of the standardised slope, and how many curves it counts for."""
RESIDUAL, RESIDUAL_COUNT = 0.75, 2.0
"""Prior mean of the standardised residual variance (1 - SLOPE^2), and how many curves it counts for."""
UNSEEN = 0.25
"""Standard deviation of a final value below all completed curves, as a share of how far below."""

AHEAD = 0.25
"""Standard deviation of a gain still to come, as a share of it: a late climber is not like the others."""


class Forecast(NamedTuple):
    """A final score, larger is better, with its standard deviation; both in metric units."""

    score: float
    spread: float


class Forecaster:
    """Completed trials as a measure for others. Scores are the metric times `sign`: larger is better.

    Args:
        sign: +1 to maximise, -1 to minimise.
    """

    def __init__(self, sign: float, completed: Iterable[Trial] = ()) -> None:
        self._sign = sign
        self._curves: list[Curve] = []
        self._finals: list[float] = []
        self._at: dict[int, tuple[Array, Array]] = {}
        self.lengths: list[int] = []
        """How often each completed trial reported."""
        for trial in completed:
            self.add(trial)

    def add(self, trial: Trial) -> None:
        """Take in a completed trial."""
        assert trial.value is not None
        self._curves.append(trial.curve)
        self.lengths.append(trial.report_count)
        self._finals.append(self._sign * trial.value)
        self._at.clear()

    def __len__(self) -> int:
        return len(self._finals)

    @property
    def finals(self) -> Array:
        """Final scores of the completed trials, shape (n,)."""
        return np.array(self._finals)

    def forecast(self, curve: Curve) -> Forecast:
        """The final score of a trial that has reported `curve` so far; at least one trial has completed.

        Never better than the best completed score: a curve that was not trained to its end is no proof. A
        trial without a report counts as the worst one.
        """
        finals = self.finals
        scale = float(np.max(np.abs(finals))) or 1.0
        width = scale * float(np.std(finals / scale))  # squares of huge values stay finite so
        if not curve:
            return Forecast(float(np.min(finals)), width)
        step, value = curve[-1][0], self._sign * curve[-1][1]
        values, ends = self._compared(step)
        if len(values) < FEWEST:
            gain = float(np.median(ends - values)) if len(values) else 0.0
            spread = max(width, abs(gain), abs(value + gain - float(np.median(finals))) / 2)
            return Forecast(min(value + gain, float(np.max(finals))), spread)
        score, spread = _regressed(values, ends, value)
        return Forecast(min(score, float(np.max(finals))), spread)

    def _compared(self, step: int) -> tuple[Array, Array]:
        """(value at `step`, final score) of the completed trials that reported up to it or beyond.

        Of all that had begun by then where those are fewer than three.
        """
        if step not in self._at:
            begun, reached = [], []
            for curve, final in zip(self._curves, self._finals, strict=True):
                place = bisect_right(curve, step, key=itemgetter(0)) - 1
                if place >= 0:
                    begun.append((self._sign * curve[place][1], final))
                    reached.append(curve[-1][0] >= step)
            pairs = np.array(begun, dtype=np.float64).reshape(-1, 2)
            if sum(reached) >= FEWEST:
                pairs = pairs[reached]
            self._at[step] = pairs[:, 0], pairs[:, 1]
        return self._at[step]


def _regressed(values: Array, finals: Array, value: float) -> tuple[float, float]:
    """Mean and standard deviation of the final score where the value is `value`; arrays (n,), n >= 3."""
    scale = max(float(np.max(np.abs([values, finals]))), abs(value)) or 1.0  # squares stay finite so
    values, finals, value = values / scale, finals / scale, value / scale
    values = np.maximum(values, _floor(values))
    finals = np.maximum(finals, _floor(finals))
    v_mean, f_mean = float(np.mean(values)), float(np.mean(finals))
    v_sd, f_sd = float(np.std(values)), float(np.std(finals))
    v_sd, f_sd = v_sd or f_sd or 1.0, f_sd or v_sd
    v, f = (values - v_mean) / v_sd, ((finals - f_mean) / f_sd if f_sd else np.zeros_like(finals))
    lowest = float(np.min(values))
    below, inside = max(lowest - value, 0.0), (max(value, lowest) - v_mean) / v_sd
    slope = max((SLOPE_COUNT * SLOPE + float(v @ f)) / (SLOPE_COUNT + float(v @ v)), 0.0)
    weights = np.exp(-((v - inside) ** 2) / 2)
    squares = RESIDUAL_COUNT * RESIDUAL + float(weights @ (f - slope * v) ** 2)
    residual = squares / (RESIDUAL_COUNT + float(np.sum(weights)))
    variance = residual * (1 + 1 / len(v) + inside**2 / (SLOPE_COUNT + len(v)))
    # A report on another scale than the result (a loss beside an accuracy) falls at the result's scale.
    same_scale = abs(f_mean - v_mean) <= 10 * (v_sd + f_sd)
    drop = below * (1.0 if same_scale else f_sd / v_sd)
    score = f_mean + slope * inside * f_sd - drop
    ahead = AHEAD * (score - value) if same_scale else 0.0
    return scale * score, scale * float(np.linalg.norm([np.sqrt(variance) * f_sd, UNSEEN * drop, ahead]))


def _floor(scores: Array) -> float:
    """The score that lower ones are raised to, so that one wild curve does not decide the regression."""
    best, median = float(np.max(scores)), float(np.median(scores))
    return median - CLIP * (best - median) if best > median else -np.inf
