"""Insight 3: what a stage is worth depends on the stages before it.

Believed, stages multiply: the quality of a chain is P(first right) P(second right | first right) ..., so its
logarithm is a sum over stages. Not believed, they add up: the quality itself is that sum. Either way a smooth
function of neighbouring stages together is left to the data.

A surrogate works in units t(q) of one of these two links:

    t(q) = log(q + SMALL)  believed,    t(q) = q / ADDED  not believed
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from tunesmith.agent.methods.agenttts.features import Features
from tunesmith.agent.methods.gp.acquisition import expected_improvement
from tunesmith.history import Array

NAME = "interaction"
PRIOR = 0.75
"""Probability of the belief before any trial."""
SMALL = 0.03
"""Qualities far below this are alike: nobody chooses between them."""
ADDED = 0.5
"""A quality in units of the additive link, in which effects are about as large as in the other one."""
SCALE = (0.01, 0.25)
REACH_SIZE, REACH_LEVEL = 0.6, 0.5


def transform(quality: Array, multiplied: bool) -> Array:
    q = np.maximum(np.asarray(quality, dtype=float), 0.0)
    return np.asarray(np.log(q + SMALL) if multiplied else q / ADDED)


def slope(quality: Array, multiplied: bool) -> Array:
    """t'(q)."""
    q = np.maximum(np.asarray(quality, dtype=float), 0.0)
    return 1.0 / (q + SMALL) if multiplied else np.full_like(q, 1 / ADDED)


def quality_moments(mean: Array, std: Array, multiplied: bool) -> tuple[Array, Array]:
    """Mean and standard deviation of q where t(q) ~ N(mean, std^2)."""
    if not multiplied:
        return mean * ADDED, std * ADDED
    centre = np.exp(mean + std**2 / 2)
    return centre - SMALL, centre * np.sqrt(np.expm1(np.minimum(std**2, 50.0)))


def above(mean: Array, std: Array, bound: float, multiplied: bool) -> Array:
    """E (q - bound)_+ where t(q) ~ N(mean, std^2)."""
    if not multiplied:
        return expected_improvement(mean * ADDED, std * ADDED, bound)
    least = bound + SMALL
    d = (mean - np.log(least)) / std
    return np.asarray(np.exp(mean + std**2 / 2) * ndtr(d + std) - least * ndtr(d))


def likeness(u: Features, v: Features) -> Array:
    """How alike options of one stage are, (nu, nv) in [0, 1], for the function of neighbouring stages."""
    far = ((u.size[:, None] - v.size[None, :]) / REACH_SIZE) ** 2
    far = far + ((u.level[:, None] - v.level[None, :]) / REACH_LEVEL) ** 2
    same = u.model[:, None] == v.model[None, :]
    return np.asarray(np.exp(-0.5 * far) * (0.4 + 0.6 * same) * np.outer(u.effort, v.effort))
