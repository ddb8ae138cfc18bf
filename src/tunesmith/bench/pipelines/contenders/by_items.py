"""Contenders that spend their budget item by item on randomly drawn allocations.

Successive halving (Karnin et al., ICML 2013; Jamieson and Talwalkar, AISTATS 2016): rounds of equal cost,
after each of which the better half goes on. UCB elimination: the arm of the highest upper confidence bound is
evaluated on its next items; arms whose bound falls below the best lower bound are out. The bound is
mean +- sqrt(2 V log(t) / n), V the variance with one pseudo-item of 1/4: UCB1-Normal without its forced pulls
(Auer et al., 2002).
"""

from __future__ import annotations

import math
from itertools import islice

import numpy as np

from tunesmith.bench.pipelines.search import Search
from tunesmith.seeds import rng_for
from tunesmith.trial import Configuration

ARMS_HALVING, ARMS_UCB = 256, 128
CHUNK = 2
"""Items of a pull."""
FEWEST = 4
"""Items of every arm at the beginning."""


def halving(search: Search, seed: int) -> None:
    """Successive halving on items."""
    arms = _drawn(search, seed, ARMS_HALVING)
    rounds = max(1, math.ceil(math.log2(len(arms))))
    upto, means = 0, np.zeros(len(arms))
    while not search.over and arms:
        share = search.budget // rounds
        upto = min(search.n, upto + max(1, share // len(arms)))
        means = np.array([search.look(arm, upto).mean() for arm in arms])
        order = np.argsort(-means, kind="stable")
        search.choose(arms[order[0]])
        if len(arms) == 1 and upto == search.n:
            return
        arms = [arms[i] for i in order[: max(1, math.ceil(len(arms) / 2))]]


def ucb(search: Search, seed: int) -> None:
    """UCB-V with elimination; what has the highest mean among the most evaluated arms is chosen."""
    arms = _drawn(search, seed, ARMS_UCB)
    scores = [search.look(arm, FEWEST) for arm in arms if search.left >= 1]
    arms = arms[: len(scores)]
    n = np.array([len(s) for s in scores])
    mean, var = np.array([s.mean() for s in scores]), np.array([s.var() for s in scores])
    search.choose(arms[int(np.argmax(mean))])
    alive = np.ones(len(arms), dtype=bool)
    while not search.over:
        variance = (n * var + 0.25) / (n + 1)
        width = np.where(n < search.n, np.sqrt(2 * variance * math.log(max(search.items, 2)) / n), 0.0)
        upper, lower = mean + width, mean - width
        alive &= upper >= lower[alive].max()
        search.choose(arms[int(np.argmax(np.where(alive, lower, -np.inf)))])
        best = int(np.argmax(np.where(alive, upper, -np.inf)))
        if n[best] >= search.n:  # known exactly, and nothing else may be better
            search.choose(arms[best])
            return
        pulled = search.look(arms[best], int(n[best]) + CHUNK)
        n[best], mean[best], var[best] = len(pulled), pulled.mean(), pulled.var()


def _drawn(search: Search, seed: int, most: int) -> list[Configuration]:
    """The default and random feasible allocations."""
    drawn = list(islice(search.landscape.drawn(rng_for(seed, "arms")), most))
    default = search.landscape.task.default
    if default is not None and all(arm.digest != default.digest for arm in drawn):
        drawn = [default, *drawn[: most - 1]]
    return drawn
