"""Where trials keep the task's limits: a Gaussian process for each, of how far its metric is from the bound.

With e the excess over the bound (above 0 where the limit is broken) and m three times the median of |e|,

    z = b(e / m),    b(x) = sign(x) log(1 + |x|)

is modelled, standardised: b keeps the bound at 0, magnifies what is near it, which decides, and presses
together what is far from it (Eriksson and Poloczek, *Scalable constrained Bayesian optimization*, AISTATS
2021). A trial keeps the limit where its excess is at most 0, so

    P(kept | u) = Phi((z_0 - mean(u)) / sqrt(sd(u)^2 + v))

with v what the process's noise exceeds ORDINARY by: of a noisy metric it is the trial's own value that is
compared. The limits count as independent (Gardner et al., *Bayesian optimization with inequality
constraints*, ICML 2014).

Only trials that completed say anything: what one that was stopped or failed would have come to is unknown.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import log_ndtr

from tunesmith.agent.methods.goals.violation import excesses
from tunesmith.agent.methods.gp.gp_model import LEAST_NOISE, Columns, GaussianProcess, fit
from tunesmith.goals import Limit
from tunesmith.history import Array, History
from tunesmith.trial import Trial

MOST_FITTED = 200
"""A longer history is fitted to the trials nearest to the bound, which decide where it runs."""
ORDINARY = 0.01
"""A noise variance up to this is what the noise's prior leaves where there is none; the best is often at the
border, which is only approached closely where the border is taken to be sharp."""
NEAR = 3.0
"""Values up to about so many times the median distance from the bound count as they are. With 1 the model
takes the bound for a kink of the metric, and is late to find it; without a bound far values flatten it."""
LEAST_LOG = -700.0
"""log P is cut here, so that sums stay finite."""


@dataclass(frozen=True)
class LimitModel:
    """One limit's process.

    Attributes:
        process: Over the standardised z.
        scale: m, metric units.
        shift, spread: z is standardised by these.
    """

    limit: Limit
    process: GaussianProcess
    scale: float
    shift: float
    spread: float

    def log_kept(self, points: Array, pending: Array | None = None) -> Array:
        """log P(kept) at `points` (m, c) as the surrogate scales them, shape (m,); `pending` run now."""
        mean, std = self.process.predict(points, pending)
        border = (0.0 - self.shift) / self.spread
        kept = log_ndtr((border - mean) / np.sqrt(std**2 + max(self.process.noise - ORDINARY, 0.0)))
        return np.asarray(np.maximum(kept, LEAST_LOG))

    def metric(self, points: Array) -> tuple[Array, Array]:
        """Expected value of the metric and its spread (half the central 68 % band), metric units."""
        mean, std = self.process.predict(points)
        low, middle, high = (self._value(mean + k * std) for k in (-1.0, 0.0, 1.0))
        return middle, np.abs(high - low) / 2

    def _value(self, standardised: Array) -> Array:
        z = np.clip(standardised * self.spread + self.shift, -MOST_BILOG, MOST_BILOG)
        excess = np.sign(z) * np.expm1(np.abs(z)) * self.scale
        return np.asarray(self.limit.bound + self.limit.sign * excess)


MOST_BILOG = 50.0
"""Values of z beyond are cut before they are turned back."""


def limit_models(columns: Columns, history: History, points: Array) -> tuple[LimitModel, ...]:
    """The models of a history's limits; none of a limit that all completed trials are equally far from.

    Args:
        points: (n, c) of `history.completed`.
    """
    models = (_fitted(columns, limit, history.completed, points) for limit in history.limits)
    return tuple(model for model in models if model is not None)


def _fitted(columns: Columns, limit: Limit, trials: tuple[Trial, ...], points: Array) -> LimitModel | None:
    excess = excesses(limit, trials)
    known = np.isfinite(excess)  # a trial of an older task may lack the metric
    excess, points = excess[known], points[known]
    if len(excess) > MOST_FITTED:
        kept = np.sort(np.argsort(np.abs(excess), kind="stable")[:MOST_FITTED])
        excess, points = excess[kept], points[kept]
    if len(excess) < 2:
        return None
    largest = float(np.max(np.abs(excess)))
    scale = NEAR * float(np.median(np.abs(excess)))
    scale = scale if scale > 1e-9 * largest else largest
    if not scale > 0:
        return None
    z = bilog(excess / scale)
    shift, spread = float(np.mean(z)), float(np.std(z))
    if spread <= 1e-9 * max(float(np.max(np.abs(z))), 1.0):
        return None
    process = fit(columns, points, (z - shift) / spread, warped=False, floor=LEAST_NOISE)
    return LimitModel(limit, process, scale, shift, spread)


def bilog(x: Array) -> Array:
    """sign(x) log(1 + |x|): increasing, 0 at 0, slope 1 there."""
    return np.asarray(np.sign(x) * np.log1p(np.abs(x)))
