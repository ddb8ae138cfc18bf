"""Insight 2: more samples of a stage bring less and less, and past a peak may harm.

With c the stage's scale of sampling, r(n) a curve from 0 at one sample, and d(n, m) a smooth function of the
logarithm of n that may bend either way, for each model a little differently,

    f(n, m) = c (b r(n) + b_m r(n) + d(n, m))

Believed, r has one of SHAPES, with a knee or a peak; not believed, it is the logarithm of n alone, so that
every doubling brings the same, and its slope b may as well be 0.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tunesmith.agent.methods.agenttts.features import Features
from tunesmith.history import Array

NAME = "saturation"
PRIOR = 0.8
"""Probability of the belief before any trial, for each stage."""
SPREAD_BELIEVED, SPREAD_FREE = 0.5, 0.8
MEAN_FREE = 0.6
BY_MODEL = 0.4
OWN = 0.25
REACH = 0.35
"""Length scale of d, share of the logarithmic range of samples."""
SCALE = (0.02, 0.6)
"""Between which a stage's scale lies, units of log quality."""
SHAPES = 5
"""0 is a straight line in log n; 1 to 3 saturate at once, soon and late; 4 peaks."""
_POWERS = (0.0, 1.6, 0.8, 0.35)
_PEAK = 0.45
"""Where the peaked shape is highest, share of the logarithmic range."""


def curves(features: Features) -> Array:
    """r(n) of every shape at options, (SHAPES, n)."""
    x = features.level
    log_n = x * np.log(features.most)
    rising = [(1 - np.exp(-p * log_n)) / (1 - np.exp(-p * np.log(features.most))) for p in _POWERS[1:]]
    peaked = 1 - ((x - _PEAK) / _PEAK) ** 2
    return np.stack([x, *rising, peaked])


def mean(features: Features, shape: NDArray[np.intp], scale: Array) -> Array:
    """Expected effect of options, (h, n), for hypotheses (h,); shape 0 is the one that is not believed in."""
    slope = np.where(shape > 0, 1.0, MEAN_FREE)
    return np.asarray((scale * slope)[:, None] * curves(features)[shape])


def variance(features: Features, shape: NDArray[np.intp], scale: Array) -> Array:
    """Of the effects of options, (h, n): the diagonal of `covariance`."""
    spread = np.where(shape > 0, SPREAD_BELIEVED, SPREAD_FREE) ** 2 + BY_MODEL**2
    return np.asarray(scale[:, None] ** 2 * (curves(features)[shape] ** 2 * spread[:, None] + OWN**2))


def covariance(u: Features, v: Features, shape: NDArray[np.intp], scale: Array) -> Array:
    """Of the effects of options, (h, nu, nv)."""
    same = u.model[:, None] == v.model[None, :]
    near = np.exp(-0.5 * ((u.level[:, None] - v.level[None, :]) / REACH) ** 2)
    spread = np.where(shape > 0, SPREAD_BELIEVED, SPREAD_FREE) ** 2
    r_u, r_v = curves(u)[shape], curves(v)[shape]
    by_curve = r_u[:, :, None] * r_v[:, None, :] * (spread[:, None, None] + BY_MODEL**2 * same)
    return np.asarray(scale[:, None, None] ** 2 * (by_curve + OWN**2 * near * (0.5 + 0.5 * same)))
