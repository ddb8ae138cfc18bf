"""Drawing configurations, and listing them where they are few."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from tunesmith.errors import SpaceError
from tunesmith.space.scales import Array
from tunesmith.trial import Value

if TYPE_CHECKING:
    from tunesmith.space.space import Space

FIRST_DRAWS = 256
MOST_DRAWS = 2**18
"""Draws after which a space is said to have nothing (more) that satisfies its constraints."""
LARGEST_LISTING = 10_000


def feasible_rows(space: Space, rng: np.random.Generator, n: int) -> Array:
    """n legal rows, uniform over the part of the cube where the constraints hold, shape (n, d).

    Raises:
        SpaceError: Too few were found in 2^18 draws; names the constraint that held most rarely.
    """
    found: list[Array] = []
    have, drawn, batch = 0, 0, n if not space.constraints else max(FIRST_DRAWS, 2 * n)
    while have < n:
        rows = space.round(rng.random((batch, space.dimensions)))
        kept = rows[space.feasible(rows)]
        found.append(kept)
        have, drawn = have + len(kept), drawn + batch
        if have < n and drawn >= max(MOST_DRAWS, 64 * n):
            raise SpaceError(
                f"{drawn:,} random configurations hold {have} that satisfy the constraints, {n} needed; "
                f"{_rarest(space, rng)!r} holds most rarely. Loosen it, or change the ranges.",
                key=("constraints",),
            )
        batch = min(2 * batch, 2**15)
    return np.concatenate(found)[:n]


def _rarest(space: Space, rng: np.random.Generator) -> str:
    rows = space.round(rng.random((4096, space.dimensions)))
    shares = space.constraint_table(rows).mean(axis=0)
    return space.constraints[int(np.argmin(shares))]


def count(space: Space) -> int | None:
    """How many assignments the conditions allow, constraints not looked at; None where it is infinite."""
    parents = [name for name in space.order if any(name in c for c in space.conditions.values())]
    if any(parameter.size is None for parameter in space.parameters.values()):
        return None
    if not parents:
        return math.prod(p.size or 1 for p in space.parameters.values())
    return sum(weight for _, weight in _parent_cases(space, parents))


def _parent_cases(space: Space, parents: list[str]) -> Iterator[tuple[dict[str, Value], int]]:
    """Assignments of the parents, grouped by what they switch on, each with its number of configurations."""
    groups = {name: _groups(space, name) for name in parents}
    leaves = [name for name in space.order if name not in groups]

    def descend(depth: int, given: dict[str, Value], weight: int) -> Iterator[tuple[dict[str, Value], int]]:
        if depth == len(parents):
            yield (
                given,
                weight * math.prod(space.parameters[x].size or 1 for x in leaves if _is_on(space, x, given)),
            )
            return
        name = parents[depth]
        if not _is_on(space, name, given):
            yield from descend(depth + 1, given, weight)
            return
        for value, members in groups[name]:
            yield from descend(depth + 1, {**given, name: value}, weight * members)

    return descend(0, {}, 1)


def _groups(space: Space, name: str) -> list[tuple[Value, int]]:
    """One value for each set of values with the same effect on the children, and the set's size."""
    parameter = space.parameters[name]
    mentioned = [c[name] for c in space.conditions.values() if name in c]
    values = list(dict.fromkeys(itertools.chain.from_iterable(mentioned)))
    rest = (parameter.size or 0) - len(values)
    cases = [(value, 1) for value in values]
    if rest:
        other = next(v for i in range(len(values) + 1) if (v := parameter.value_at(i)) not in values)
        cases.append((other, rest))
    return cases


def _is_on(space: Space, name: str, given: dict[str, Value]) -> bool:
    return all(
        parent in given and given[parent] in values
        for parent, values in space.conditions.get(name, {}).items()
    )


def all_values(space: Space) -> Iterator[dict[str, Value]]:
    """Every assignment the conditions allow, in the order of the values; finite spaces only."""

    def descend(depth: int, given: dict[str, Value]) -> Iterator[dict[str, Value]]:
        if depth == len(space.order):
            yield {name: given[name] for name in space.names if name in given}
            return
        name = space.order[depth]
        if not _is_on(space, name, given):
            yield from descend(depth + 1, given)
            return
        for index in range(space.parameters[name].size or 0):
            yield from descend(depth + 1, {**given, name: space.parameters[name].value_at(index)})

    return descend(0, {})
