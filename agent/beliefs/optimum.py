"""Where the optimum is: the best point of each of many functions drawn from the surrogate.

S functions are drawn jointly over a pool of legal configurations; x_s is the best point of the s-th. What was
believed before weighs them, w_s ~ pi(x_s), as in ColaBO (Hvarfner, Hutter and Nardi, 2024): a prior over
where the optimum is conditions functions on where their own optimum is. pi is the prior with each belief
counted as far as results bear it out (`gp/trust.py`): a refuted one is nearly uniform and weighs nothing.
The belief is the weighted distribution of x_s (Villemonteix, Vazquez and Walter, 2009).

A configuration may fail or break a limit. Draw s has a level u_s ~ U(0, 1), and only points that work and
keep the limits with at least this probability compete. With several objectives each draw scalarises its
functions with weights of its own (ParEGO), so that the belief is about where the Pareto front's
configurations are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import qmc

from tunesmith.agent.beliefs.joint import draw_functions
from tunesmith.agent.methods.goals.scalarise import AUGMENTATION
from tunesmith.agent.methods.gp.enumeration import list_rows
from tunesmith.agent.methods.gp.posterior import Posterior
from tunesmith.history import Array, History
from tunesmith.space import Space

DRAWS = 512
POOL = 512
"""Points of the whole space in the pool, before steps from the best ones."""
MOST_LISTED = 800
"""A space of up to so many configurations is its own pool."""
STEPPED_FROM = 16
"""How many likely optima get steps around them in a second pool."""
STEPS = (0.5, 0.2, 0.05)
"""Standard deviations of steps, in length-scales of the surrogate, so that they reach far where the metric
hardly changes: else what does not matter would seem to be known."""
STEPS_EACH = 6
ANYWHERE = 0.5
"""Steps longer than this, in ranges, are drawn anew from the whole range."""
BEST = 3
"""Trials to step from in the first pool."""


@dataclass(frozen=True)
class Drawn:
    """Functions over a pool.

    Attributes:
        rows: (m, c) legal unit-cube rows.
        functions: (S, m) of the primary metric, transformed units, larger is better.
        may: (S, m) whether a point works and keeps the limits in that draw.
        best: (S,) index of each draw's optimum.
        weights: (S,) of the draws by the prior; sum to 1.
        extra: Indices of the rows that were asked for besides the pool.
    """

    rows: Array
    functions: Array
    may: NDArray[np.bool_]
    best: NDArray[np.intp]
    weights: Array
    extra: NDArray[np.intp]


def draw_optima(
    posterior: Posterior, history: History, rng: np.random.Generator, extra: Array, width: float
) -> Drawn:
    """Functions over a pool refined where their optima are.

    Args:
        extra: (q, c) rows that are to be in the pool, such as running trials.
        width: Factor on the surrogate's deviations from its mean.
    """
    space = posterior.space
    listed = list_rows(space)
    if listed is not None and 0 < len(listed) <= MOST_LISTED:
        return _drawn(posterior, np.asarray(listed), rng, extra, width)
    best = posterior.best_rows(history, BEST)
    pool = np.concatenate([_spread_out(space, POOL, rng), _around(posterior, best, rng), best])
    pool = _legal(space, pool)
    first = _drawn(posterior, pool, rng, extra, width)
    weight = np.bincount(first.best, first.weights, minlength=len(first.rows))
    likely = np.argsort(-weight, kind="stable")[:STEPPED_FROM]
    finer = _around(posterior, first.rows[likely[weight[likely] > 0]], rng)
    return _drawn(posterior, _legal(space, np.concatenate([pool, finer])), rng, extra, width)


def _spread_out(space: Space, n: int, rng: np.random.Generator) -> Array:
    rows: Array = qmc.Sobol(space.dimensions, rng=rng).random(n)
    return rows


def _around(posterior: Posterior, rows: Array, rng: np.random.Generator) -> Array:
    """Each row moved in all dimensions, by normal steps; a category to any other with as large a chance."""
    lengths = posterior.fitted.process.length_scales / np.sqrt(len(posterior.prior.columns))
    repeated = np.repeat(rows, STEPS_EACH, axis=0)
    if posterior.space.conditions:  # a step may activate what had no value: let it be any
        repeated = np.where(posterior.space.active(repeated), repeated, rng.random(repeated.shape))
    found = []
    for step in STEPS:
        moved = repeated.copy()
        for length, at in zip(step * lengths, posterior.prior.columns.values(), strict=True):
            if len(at) > 1:
                index = np.flatnonzero(rng.random(len(moved)) < min(length, 1.0))
                moved[index[:, None], at] = np.eye(len(at))[rng.integers(len(at), size=len(index))]
            elif length > ANYWHERE:
                moved[:, at[0]] = rng.random(len(moved))
            else:
                moved[:, at[0]] += length * rng.standard_normal(len(moved))
        found.append(np.clip(moved, 0.0, 1.0))
    return np.concatenate(found)


def _legal(space: Space, rows: Array) -> Array:
    rows = space.round(rows)
    legal: Array = np.unique(rows[space.feasible(rows)], axis=0)
    return legal


def _drawn(posterior: Posterior, rows: Array, rng: np.random.Generator, extra: Array, width: float) -> Drawn:
    rows = np.concatenate([rows, extra])
    points = posterior.surrogate.points(rows)
    functions, _ = draw_functions(
        posterior.fitted.process, points, rng.standard_normal((DRAWS, len(rows))), width
    )
    log_may = np.zeros(len(rows))
    if posterior.feasibility is not None:
        log_may += np.minimum(posterior.feasibility.merit(rows), 0.0)
    for limit in posterior.limits:
        log_may += limit.log_kept(points)
    may = np.exp(log_may)[None, :] >= rng.random(DRAWS)[:, None]
    none = ~may.any(axis=1)
    may[none, int(np.argmax(log_may))] = True
    merit = functions if posterior.objectives is None else _scalarised(posterior, points, functions, rng)
    best = np.argmax(np.where(may, merit, -np.inf), axis=1)
    weights = np.full(DRAWS, 1 / DRAWS)
    if posterior.prior.informative:
        found = rows[best]
        log = posterior.prior.log_density(found, posterior.space.active(found))
        weights = np.exp(log - log.max())
        weights /= weights.sum()
    extras = np.arange(len(rows) - len(extra), len(rows))
    return Drawn(rows, functions, may, best, weights, extras)


def _scalarised(posterior: Posterior, points: Array, functions: Array, rng: np.random.Generator) -> Array:
    """(S, m), larger is better: each draw's own trade-off between all objectives."""
    objectives = posterior.objectives
    assert objectives is not None
    drawn = [functions]
    for fitted in objectives.fitted[1:]:
        normal = rng.standard_normal(functions.shape)
        drawn.append(draw_functions(fitted.process, points, normal)[0])
    weights = rng.dirichlet(np.ones(len(drawn)), size=len(functions))
    top = objectives.front.max(axis=0) if len(objectives.front) else objectives.reference + 1
    span = np.maximum(top - objectives.reference, 1e-9)
    lost = [
        weights[:, j, None] * np.maximum((top[j] + span[j] - values) / span[j], 0)
        for j, values in enumerate(drawn)
    ]
    merit: Array = -(np.max(lost, axis=0) + AUGMENTATION * np.sum(lost, axis=0))
    return merit
