"""What matters: the share of the variance of each drawn function that goes with each hyperparameter.

Sobol's total effect by Jansen's estimator (Jansen, 1999), of functions drawn from the surrogate, each over
the same design of N base points and, for each hyperparameter, the same points with it drawn anew:

    T_j = mean (f(A) - f(A with j of B))^2 / 2,    importance_j = T_j / sum_k T_k

Unlike fANOVA's main effects (Hutter, Hoos and Leyton-Brown, 2014) an interaction counts for each that takes
part. Each draw gives one set of shares, so that what is not known yet shows as a wide interval.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.stats import qmc

from tunesmith.agent.beliefs.joint import draw_functions
from tunesmith.agent.methods.gp.posterior import Posterior
from tunesmith.history import Array

DRAWS = 128
POINTS = 640
"""Of the whole design, as long as there are LEAST base points."""
LEAST, MOST = 16, 64
FLAT, FLAT_HIGH, FLAT_RULED_OUT = 0.05, 0.15, 0.2
"""Largest share, its largest upper end, and largest share of the range that the results rule out, of a
hyperparameter that is called flat: what decides little of the variance may still decide the last bit."""


class Importance(NamedTuple):
    """Shares of the hyperparameters, each (p,), in the space's order.

    Attributes:
        share: Mean over draws; they sum to 1.
        low, high: 10 % and 90 % quantiles.
    """

    share: Array
    low: Array
    high: Array


def importance(posterior: Posterior, rng: np.random.Generator) -> Importance | None:
    """None where no pair of legal points differs in one hyperparameter alone."""
    space, columns = posterior.space, list(posterior.prior.columns.values())
    p, c = len(columns), space.dimensions
    n = int(np.clip(2 ** int(np.log2(max(POINTS / (1 + p), 1))), LEAST, MOST))
    both = qmc.Sobol(2 * c, rng=rng).random(n)
    base = both[:, :c]
    blocks = [base]
    for at in columns:
        changed = base.copy()
        changed[:, at] = both[:, c:][:, at]
        blocks.append(changed)
    rows = space.round(np.concatenate(blocks))
    legal = space.feasible(rows).reshape(1 + p, n)
    functions, _ = draw_functions(
        posterior.fitted.process,
        posterior.surrogate.points(rows),
        rng.standard_normal((DRAWS, len(rows))),
    )
    values = functions.reshape(DRAWS, 1 + p, n)
    counted = legal[1:] & legal[0]
    pairs = counted.sum(axis=1)
    if not pairs.any():
        return None
    # Points of one configuration differ by the jitter only, which is no effect.
    same = (np.abs(rows.reshape(1 + p, n, -1)[1:] - rows[:n]) < 1e-12).all(axis=2)
    squared = np.where(counted & ~same, (values[:, 1:] - values[:, :1]) ** 2, 0.0)
    effects = squared.sum(axis=2) / np.maximum(pairs, 1) / 2
    total = effects.sum(axis=1, keepdims=True)
    shares = effects / np.maximum(total, 1e-300)
    share = shares.mean(axis=0)
    low, high = np.quantile(shares, (0.1, 0.9), axis=0)
    return Importance(share / max(float(share.sum()), 1e-300), low, high)
