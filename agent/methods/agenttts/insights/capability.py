"""Insight 1: of the models of a stage larger ones are better, by an amount that is the stage's own.

With a the stage's scale of capability, s the size in [0, 1] and one free effect for each model,

    f(m) = a (b s(m) + g(m)),    g ~ N(0, OWN^2),    b ~ N(1, 1/4) believed,  b ~ N(0, 1) not believed
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tunesmith.agent.methods.agenttts.features import Features
from tunesmith.history import Array

NAME = "capability"
PRIOR = 0.8
"""Probability of the belief before any trial, for each stage."""
SPREAD_BELIEVED, SPREAD_FREE = 0.5, 1.0
OWN = 0.35
"""Standard deviation of what a model is better or worse than its size says, where larger ones are better."""
OWN_FREE = 0.6
SCALE = (0.08, 2.0)
"""Between which a stage's scale lies, units of log quality."""


def mean(features: Features, believed: NDArray[np.bool_], scale: Array) -> Array:
    """Expected effect of options, (h, n), for hypotheses (h,)."""
    return np.asarray((scale * believed)[:, None] * features.size)


def variance(features: Features, believed: NDArray[np.bool_], scale: Array) -> Array:
    """Of the effects of options, (h, n): the diagonal of `covariance`."""
    slope = np.where(believed, SPREAD_BELIEVED, SPREAD_FREE) ** 2
    own = np.where(believed, OWN, OWN_FREE) ** 2
    return np.asarray(scale[:, None] ** 2 * (slope[:, None] * features.size**2 + own[:, None]))


def covariance(u: Features, v: Features, believed: NDArray[np.bool_], scale: Array) -> Array:
    """Of the effects of options, (h, nu, nv)."""
    slope = np.where(believed, SPREAD_BELIEVED, SPREAD_FREE) ** 2
    own = np.where(believed, OWN, OWN_FREE) ** 2
    same = u.model[:, None] == v.model[None, :]
    by_size = np.outer(u.size, v.size)
    return np.asarray(
        scale[:, None, None] ** 2 * (slope[:, None, None] * by_size + own[:, None, None] * same)
    )
