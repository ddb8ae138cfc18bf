"""Where an acquisition function may be high: candidates, and the search among them.

Uniform points, draws from the prior, small steps from the best trials, and competing proposals of others
form one pool; the best four are then refined by ever smaller steps. Steps are random rather than along
a gradient, because integers, categories, conditions and constraints have none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from tunesmith.agent.methods.gp.enumeration import list_rows
from tunesmith.agent.methods.gp.length_scales import is_wide
from tunesmith.agent.methods.gp.prior import Prior
from tunesmith.history import Array
from tunesmith.space import Space
from tunesmith.trial import Origin

UNIFORM, FROM_PRIOR = 400, 133
NEAR_BEST = ((33, 0.15), (33, 0.03))
"""Around each of the three best trials: how many steps, and their standard deviation."""
MOVED, FEW = 0.35, 2
"""A step moves this share of the dimensions, and at least this many, on average."""
SAME = 1e-6
"""Rows closer than this in every column are one configuration."""

Score = Callable[[Array], Array]


class Refining(NamedTuple):
    """How the best candidates are refined."""

    rounds: Sequence[float] = (0.1, 0.04, 0.015, 0.005)
    """Standard deviation of the steps, round by round."""
    best: int = 4
    """How many are refined in each round."""
    steps: int = 30
    """From each of them."""


COARSE = Refining()
FINE = Refining((0.1, 0.04, 0.015, 0.005, 0.0015, 0.0005, 0.00015, 0.00005), 6, 100)
"""Where there are limits or several metrics: the best lies at a border, or on a front, that is sharp."""


@dataclass(frozen=True)
class Pool:
    """Candidates, judged.

    Attributes:
        rows: (m, c) legal unit-cube rows.
        origins: (m,) where each came from, as indices into ORIGINS; a refined one keeps its ancestor's.
        ancestors: (m,) index of the competing proposal a row is or descends from, -1 for none.
        scores: (m,) acquisition.
    """

    rows: Array
    origins: NDArray[np.intp]
    ancestors: NDArray[np.intp]
    scores: Array

    def __len__(self) -> int:
        return len(self.rows)

    def best(self, k: int) -> Pool:
        order = np.argsort(-self.scores, kind="stable")[:k]
        return self.take(order)

    def take(self, index: NDArray[np.intp]) -> Pool:
        return Pool(self.rows[index], self.origins[index], self.ancestors[index], self.scores[index])

    def joined(self, other: Pool) -> Pool:
        columns = ((getattr(self, f.name), getattr(other, f.name)) for f in fields(self))
        return Pool(*(np.concatenate(pair) for pair in columns))


ORIGINS = (Origin.SURROGATE, Origin.PRIOR, Origin.LOCAL, Origin.MODEL)
SURROGATE, PRIOR, LOCAL, COMPETING = range(4)


def search(
    space: Space,
    prior: Prior,
    score: Score,
    best: Array,
    competing: Array,
    taken: Array,
    rng: np.random.Generator,
    refining: Refining = COARSE,
) -> Pool:
    """The best candidates found, best first; empty only when the space seems exhausted.

    Args:
        score: Acquisition of legal rows (m, c), shape (m,).
        best: (k, c) rows of the best trials, to step from.
        competing: (g, c) rows that others propose; judged as they are, and may be refined like any other.
        taken: (t, c) rows already run or running.
        refining: How the best ones are refined.
    """
    everything = list_rows(space)
    if everything is not None:
        rows, origins = everything, np.full(len(everything), SURROGATE)
    else:
        parts = [rng.random((UNIFORM, space.dimensions)), prior.sample(rng, FROM_PRIOR)]
        kinds = [SURROGATE] * UNIFORM + [PRIOR] * FROM_PRIOR
        for row in best:
            for count, sd in NEAR_BEST:
                parts.append(_step(space, np.repeat(row[None], count, axis=0), sd, prior, rng))
                kinds += [LOCAL] * count
        rows, origins = np.concatenate(parts), np.array(kinds)
    rows = np.concatenate([competing, rows])
    origins = np.concatenate([np.full(len(competing), COMPETING), origins])
    ancestors = np.where(origins == COMPETING, np.arange(len(rows)), -1)
    pool = _judged(space, score, rows, origins, ancestors, taken)
    if everything is None:
        for sd in refining.rounds:
            chosen = pool.best(refining.best)
            repeat = np.repeat(np.arange(len(chosen)), refining.steps)
            stepped = _step(space, chosen.rows[repeat], sd, prior, rng)
            pool = pool.joined(
                _judged(space, score, stepped, chosen.origins[repeat], chosen.ancestors[repeat], taken)
            )
    return pool.best(len(pool))


def _judged(
    space: Space,
    score: Score,
    rows: Array,
    origins: NDArray[np.intp],
    ancestors: NDArray[np.intp],
    taken: Array,
) -> Pool:
    """The legal, feasible, new ones among `rows`, rounded and scored."""
    rows = space.round(rows)
    keep = space.feasible(rows)
    if len(taken) and len(rows):
        keep &= cdist(rows, taken, "chebyshev").min(axis=1) >= SAME
    rows, origins, ancestors = rows[keep], origins[keep], ancestors[keep]
    return Pool(rows, origins, ancestors, score(rows) if len(rows) else np.empty(0))


def _share(n: int, d: int) -> Array | float:
    """The probability that a dimension moves; in a wide space, (n, 1): every second row moves only a few.

    Where most dimensions do not matter, moving many at once costs what the priors hold and tells nothing.
    """
    if not is_wide(d):
        return max(MOVED, FEW / d)
    return np.where(np.arange(n) % 2 == 0, FEW / d, MOVED)[:, None]


def _step(space: Space, rows: Array, sd: float, prior: Prior, rng: np.random.Generator) -> Array:
    """Each row moved in some of its dimensions: numbers by a normal step, categories to any choice."""
    d = len(prior.columns)
    moved = rng.random((len(rows), d)) < _share(len(rows), d)
    # A row that moves nowhere is wasted: move one dimension then.
    still = ~moved.any(axis=1)
    moved[still, rng.integers(d, size=int(still.sum()))] = True
    stepped = rows.copy()
    if space.conditions:
        # A step may activate a parameter that had no value: let it be any, not the middle of its range.
        stepped = np.where(space.active(rows), rows, rng.random(rows.shape))
    for j, at in enumerate(prior.columns.values()):
        index = np.flatnonzero(moved[:, j])
        if len(at) == 1:
            stepped[index, at[0]] += sd * rng.standard_normal(len(index))
        else:
            stepped[index[:, None], at] = np.eye(len(at))[rng.integers(len(at), size=len(index))]
    return np.clip(stepped, 0.0, 1.0)
