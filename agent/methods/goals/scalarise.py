"""Several objectives as one: ParEGO's augmented Chebyshev function with weights of its own for every trial.

A single-objective tuner that minimises it for ever new weights walks along the Pareto front, also where that
is concave (Knowles, "ParEGO", IEEE Transactions on Evolutionary Computation 10(1), 2006). For normalised
objectives f in [0, 1], smaller being better, and weights w that sum to 1:

    max_j w_j f_j + 0.05 sum_j w_j f_j
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tunesmith.history import Array
from tunesmith.seeds import rng_for

AUGMENTATION = 0.05
"""rho of the paper: keeps points out that are only weakly Pareto optimal."""
CUT = 0.9
"""Quantile that bounds an objective's range from the worse side: one huge value on the front, of a trial that
diverged, must not press all others together."""


def draw_weights(seed: int, number: int, objectives: int) -> tuple[float, ...]:
    """Weights for one trial, uniform over all that are positive and sum to 1."""
    weights = rng_for(seed, "weights", number).dirichlet(np.ones(objectives))
    return tuple(float(weight) for weight in weights)


def scalarise(values: Array, weights: tuple[float, ...]) -> Array:
    """One number per trial, smaller is better, never above about 3.

    Args:
        values: Objectives, all to be minimised and finite, shape (n, k).
        weights: Shape (k,).
    """
    if len(values) == 0:
        return np.empty(0)
    weighted = np.array(weights) * normalised(values)
    return np.asarray(weighted.max(axis=1) + AUGMENTATION * weighted.sum(axis=1))


def normalised(values: Array) -> Array:
    """Objectives with 0 at the best seen and 1 at the worst of the front; beyond that compressed to below 3.

    The range is that of the Pareto front, not of all trials: how objectives trade off is asked there.
    """
    best = values.min(axis=0)
    worst = np.minimum(values[pareto_front(values)].max(axis=0), np.quantile(values, CUT, axis=0))
    # One point on the front spans no range; then the whole sample's does.
    span = np.where(worst > best, worst - best, np.quantile(values, CUT, axis=0) - best)
    with np.errstate(over="ignore"):  # a span near the smallest float; infinity is compressed like the rest
        shifted = (values - best) / np.where(span > 0, span, 1.0)
    beyond = np.maximum(shifted - 1, 0)
    return np.asarray(np.minimum(shifted, 1) + 2 * (1 - 1 / (1 + beyond)))


def pareto_front(values: Array) -> NDArray[np.bool_]:
    """Which rows no other row dominates (as good in all objectives, better in one); shape (n,)."""
    front = np.ones(len(values), dtype=bool)
    for i, row in enumerate(values):
        if front[i]:
            # What this row dominates cannot dominate anything that it does not.
            front &= ~(np.all(values >= row, axis=1) & np.any(values > row, axis=1))
    return front
