"""What a trial is expected to add to the hypervolume that a Pareto front dominates, in closed form.

All objectives are maximised here. The region that a front does not dominate, above a reference point, is
cut into boxes [l, u), where u may be infinite. A point f adds the part of each box below it, and for
independent f_j ~ N(mean_j, std_j^2) the expectation of that is a product of expected improvements:

    HVI(f) = sum_boxes prod_j (min(f_j, u_j) - l_j)_+
    E HVI = sum_boxes prod_j (EI_j(l_j) - EI_j(u_j)),    EI_j(a) = E (f_j - a)_+

(Emmerich, Deutz and Klinkenberg, CEC 2011; Yang et al., *Efficient computation of expected hypervolume
improvement*, 2019). Its logarithm is computed directly, as that of expected improvement is: it ranks
candidates also where the expectation itself underflows (Ament et al., 2023). With one objective it is log EI.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp

from tunesmith.agent.methods.gp.acquisition import log_expected_improvement
from tunesmith.history import Array

MOST_BOXES = 3000
"""More are not looked at: with four objectives and more, some of the front's points are left out."""
LEAST_LOG = -1e300


class Boxes(NamedTuple):
    """A region above a reference point, cut into boxes that do not overlap.

    Attributes:
        lower: (b, k) finite.
        upper: (b, k) above `lower`; may be infinite.
    """

    lower: Array
    upper: Array


def undominated(front: Array, reference: Array) -> Boxes:
    """The region above `reference` (k,) that no point of `front` (n, k) dominates; all are maximised."""
    front = np.maximum(np.asarray(front, dtype=np.float64).reshape(-1, len(reference)), reference)
    while True:
        lower, upper = _cut(front, np.asarray(reference, dtype=np.float64))
        if len(lower) <= MOST_BOXES or len(front) < 3:
            return Boxes(lower, upper)
        # Each second one by the first objective: what lies near two others changes little.
        front = front[np.argsort(front[:, 0], kind="stable")][::2]


def _cut(front: Array, reference: Array) -> tuple[Array, Array]:
    """Lower and upper corners, each (b, k), slab by slab of the last objective."""
    if len(reference) == 1:
        top = np.max(front[:, 0], initial=reference[0])
        return np.array([[top]]), np.array([[np.inf]])
    edges = np.unique(np.concatenate([reference[-1:], front[:, -1]]))
    lowers, uppers = [], []
    for low, high in zip(edges, [*edges[1:], np.inf], strict=True):
        # Within the slab those points dominate that reach its upper end.
        lower, upper = _cut(front[front[:, -1] >= high, :-1], reference[:-1])
        lowers.append(np.column_stack([lower, np.full(len(lower), low)]))
        uppers.append(np.column_stack([upper, np.full(len(upper), high)]))
    return np.concatenate(lowers), np.concatenate(uppers)


def log_expected_gain(means: Array, stds: Array, boxes: Boxes) -> Array:
    """log E HVI at m points, shape (m,), finite.

    Args:
        means, stds: (k, m) moments of each objective, in the units of the boxes; larger is better.
    """
    total = np.zeros((len(boxes.lower), means.shape[1]))
    for j, (mean, std) in enumerate(zip(means, stds, strict=True)):
        edges, place = np.unique(np.concatenate([boxes.lower[:, j], boxes.upper[:, j]]), return_inverse=True)
        at = np.full((len(edges), len(mean)), -np.inf)
        for i, edge in enumerate(edges):
            if np.isfinite(edge):
                at[i] = log_expected_improvement(mean, std, float(edge))
        low, high = at[place[: len(boxes.lower)]], at[place[len(boxes.lower) :]]
        total += low + _log_one_minus_exp(np.minimum(high - low, 0.0))
    return np.asarray(np.maximum(logsumexp(total, axis=0), LEAST_LOG))


def _log_one_minus_exp(x: Array) -> Array:
    """log(1 - e^x) for x <= 0; a very small number where x is 0."""
    x = np.minimum(x, -1e-15)
    return np.where(x > -0.7, np.log(-np.expm1(x)), np.log1p(-np.exp(x)))
