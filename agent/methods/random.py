"""The method `random`: uniform proposals. The smallest strategy and method; read it first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set

import numpy as np

from tunesmith.agent.methods.base import Method, MethodParts
from tunesmith.agent.methods.gp.enumeration import list_rows
from tunesmith.history import History
from tunesmith.interfaces import Strategy
from tunesmith.seeds import rng_for
from tunesmith.space import Space
from tunesmith.trial import Configuration, Origin, Proposal

ATTEMPTS = 64
"""Draws before a small space is listed instead, and a large one counts as exhausted."""


class RandomStrategy(Strategy):
    """The task's default first, then configurations uniform over the space, never one twice.

    Candidates of others are not judged here, so they are ignored.

    Args:
        space: What to draw from.
        seed: The same seed and history give the same proposals.
    """

    name = "random"

    def __init__(self, space: Space, seed: int) -> None:
        self.space = space
        self.seed = seed

    def propose(self, history: History, n: int, candidates: Sequence[Proposal] = ()) -> list[Proposal]:
        rng = rng_for(self.seed, self.name, len(history))
        proposals = history.default_first
        taken = {*history.taken, *(p.configuration.digest for p in proposals)}
        while len(proposals) < n and (new := draw(self.space, rng, taken)) is not None:
            taken.add(new.digest)
            reason = "A random configuration, uniform over the space."
            proposals.append(Proposal(configuration=new, origin=Origin.RANDOM, reason=reason))
        return proposals


def draw(space: Space, rng: np.random.Generator, taken: Set[str]) -> Configuration | None:
    """A uniform configuration whose digest is not in `taken`; None when the space has none left."""
    return next((c for c in _draws(space, rng) if c.digest not in taken), None)


def _draws(space: Space, rng: np.random.Generator) -> Iterator[Configuration]:
    for _ in range(ATTEMPTS):
        yield from space.sample(rng)
    rows = list_rows(space)
    if rows is not None:
        yield from (space.decode(rows[i]) for i in rng.permutation(len(rows)))


METHOD = Method(
    summary="uniform draws; the baseline that every other method has to beat",
    build=lambda context: MethodParts(RandomStrategy(context.task.space, context.task.seed)),
    several_metrics=True,
    limits=True,
)
