"""Drawing configurations, and listing them where they are few."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np

from tunesmith.errors import SpaceError
from tunesmith.space.definition import SpaceDefinition
from tunesmith.space.scales import Array
from tunesmith.trial import Value

FIRST_DRAWS = 256
MOST_DRAWS = 2**18
"""Draws after which a space counts as having nothing (more) that satisfies its constraints."""
MOST_ASKED = 2**14
"""The same where a kind of problem is asked about each of them, by a function in Python."""
LARGEST_LISTING = 10_000


def feasible_rows(space: SpaceDefinition, rng: np.random.Generator, n: int) -> Array:
    """n legal rows, uniform over the part of the cube where the constraints hold, shape (n, d).

    Raises:
        SpaceError: Too few were found in 2^18 draws (2^14 where a kind of problem is asked about each); names
            the constraint that held most rarely.
    """
    batches: list[Array] = []
    have, drawn, batch = 0, 0, max(FIRST_DRAWS, 2 * n) if space.bounded else n
    most = MOST_DRAWS if space.why_not_run is None else MOST_ASKED
    while have < n:
        rows = space.round(rng.random((batch, space.dimensions)))
        kept = rows[space.feasible(rows)]
        batches.append(kept)
        have, drawn = have + len(kept), drawn + batch
        if have < n and drawn >= max(most, 64 * n):
            if space.why_not_run is not None and space.constraint_table(rows).all(axis=1).any():
                raise SpaceError(
                    f"{drawn:,} random configurations hold {have} that the kind of problem can run, "
                    f"{n} needed. Change the ranges, or the settings of `problem`."
                )
            raise SpaceError(
                f"{drawn:,} random configurations hold {have} that satisfy the constraints, {n} needed; "
                f"{_rarest(space, rng)!r} holds most rarely. Loosen it, or change the ranges.",
                key=("constraints",),
            )
        batch = min(2 * batch, 2**15)
    return np.concatenate(batches)[:n]


def _rarest(space: SpaceDefinition, rng: np.random.Generator) -> str:
    rows = space.round(rng.random((4096, space.dimensions)))
    shares = space.constraint_table(rows).mean(axis=0)
    return space.constraints[int(np.argmin(shares))]


def count(space: SpaceDefinition) -> int | None:
    """How many assignments the conditions allow, constraints not looked at; None where it is infinite."""
    if any(parameter.size is None for parameter in space.parameters.values()):
        return None
    parents = {parent for condition in space.conditions.values() for parent in condition}
    cases = {name: _groups(space, name) for name in space.order if name in parents}
    leaves = [name for name in space.order if name not in parents]
    total = 0
    for values, weight in _assignments(space, list(cases), cases):
        total += weight * math.prod(
            space.parameters[name].size or 1 for name in leaves if space.is_active(name, values)
        )
    return total


def all_values(space: SpaceDefinition) -> Iterator[dict[str, Value]]:
    """Every assignment the conditions allow, in the order of the values; finite spaces only."""
    cases = {
        name: [(parameter.value_at(i), 1) for i in range(parameter.size or 0)]
        for name, parameter in space.parameters.items()
    }
    for values, _ in _assignments(space, list(space.order), cases):
        yield {name: values[name] for name in space.names if name in values}


def _assignments(
    space: SpaceDefinition,
    names: list[str],
    cases: dict[str, list[tuple[Value, int]]],
    values: dict[str, Value] | None = None,
    weight: int = 1,
) -> Iterator[tuple[dict[str, Value], int]]:
    """Assignments of `names`, parents first, from (value, weight) cases; each with its weights' product."""
    values = values or {}
    if not names:
        yield values, weight
    elif not space.is_active(names[0], values):
        yield from _assignments(space, names[1:], cases, values, weight)
    else:
        for value, members in cases[names[0]]:
            yield from _assignments(space, names[1:], cases, {**values, names[0]: value}, weight * members)


def _groups(space: SpaceDefinition, name: str) -> list[tuple[Value, int]]:
    """One value for each set of values with the same effect on the children, and the set's size."""
    parameter = space.parameters[name]
    mentioned = [condition[name] for condition in space.conditions.values() if name in condition]
    values = list(dict.fromkeys(itertools.chain.from_iterable(mentioned)))
    rest = (parameter.size or 0) - len(values)
    cases = [(value, 1) for value in values]
    if rest:
        other = next(v for i in range(len(values) + 1) if (v := parameter.value_at(i)) not in values)
        cases.append((other, rest))
    return cases
