"""`Space.snap`: the nearest legal configuration to some values, and what was changed.

For values from a language model or a person. Every change is reported in a sentence, so that a repaired
proposal can be shown as repaired. A value with nothing legal in it (NaN, a word for a number) is refused.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tunesmith.errors import InvalidConfiguration, Problem, short
from tunesmith.space.conditions import describe as describe_conditions
from tunesmith.space.definition import SpaceDefinition
from tunesmith.space.encoding import Mask
from tunesmith.space.nesting import flat_values
from tunesmith.space.scales import Array
from tunesmith.space.values import plain
from tunesmith.trial import Configuration, Value

_SEED = 20_260_101
# Of the search for a feasible point: fixed, so that one input always gets the same repair.


def snap(
    space: SpaceDefinition, proposed: Mapping[str, object], base: Mapping[str, Value] | None
) -> tuple[Configuration, tuple[str, ...]]:
    """See `Space.snap`."""
    proposed = flat_values(proposed, space.names)
    changes = [
        f"{short(key)} was left out: it is not a parameter."
        for key in proposed
        if key not in space.parameters
    ]
    faults: list[Problem] = []
    values: dict[str, Value] = {}
    for name in space.order:
        value = plain(proposed.get(name))
        if not space.is_active(name, values):
            if value is not None:
                only = describe_conditions(space.conditions[name])
                changes.append(f"{name} was left out: it applies only when {only}.")
            continue
        null_is_legal = name in proposed and space.parameters[name].check(name, None) is None
        if value is None and not null_is_legal:  # a missing key, or the null that models write for one
            values[name] = _fill(space, name, base)
            changes.append(f"{name} was missing and became {space.format_value(name, values[name])}.")
            continue
        fault = space.parameters[name].check(name, value)
        if fault is None:
            values[name] = space.parameters[name].canonical(value)
        elif fault.nearest is None or fault.kind == "not_finite":
            faults.append(fault)
            values[name] = _fill(space, name, base)  # only to know which children are active
        else:
            values[name] = fault.nearest  # type: ignore[assignment]
            shown = space.format_value(name, values[name])
            changes.append(f"{name} = {short(value)} is {_REASONS[fault.kind]} and became {shown}.")
    if faults:
        raise InvalidConfiguration(tuple(faults))
    values = {name: values[name] for name in space.names if name in values}
    violated = space.problems(values)
    if not violated:
        return space.validate(values), tuple(changes)
    # What a kind of problem refuses is not moved: only the kind knows what would be near to it.
    refused = any(problem.kind == "cannot_run" for problem in violated)
    repaired = None if refused else _nearest_feasible(space, values, violated)
    if repaired is None:
        raise InvalidConfiguration(violated)
    moved = [
        f"{name} to {space.format_value(name, repaired[name])}" if name in repaired else f"{name} left out"
        for name in space.names
        if values.get(name) != repaired.get(name)
    ]
    broken = " and ".join(repr(problem.key) for problem in violated)
    return repaired, (*changes, f"{broken} did not hold; moved {', '.join(moved)}.")


_REASONS = {
    "wrong_type": "of the wrong type",
    "out_of_range": "out of range",
    "off_step": "between two steps",
}


def _fill(space: SpaceDefinition, name: str, base: Mapping[str, Value] | None) -> Value:
    """The base's value where legal, else the middle of the range (a categorical's first choice)."""
    parameter = space.parameters[name]
    if base is not None and name in base and parameter.check(name, plain(base[name])) is None:
        return parameter.canonical(plain(base[name]))
    if parameter.one_hot:
        return parameter.value_at(0)
    middle = parameter.from_unit(0.5)
    # As it would be printed: 0.001, not 0.0010000000000000002.
    return parameter.canonical(float(parameter.format(middle))) if parameter.size is None else middle


def _nearest_feasible(
    space: SpaceDefinition, values: Mapping[str, Value], violated: tuple[Problem, ...]
) -> Configuration | None:
    """A feasible configuration near `values`, moving only what the violated constraints name if it can."""
    rng = np.random.default_rng(_SEED)
    start, _ = space.encode(values)
    broken = {problem.key for problem in violated}
    named = {name for c in space.parsed_constraints if c.text in broken for name in c.names}
    few = np.array([column.parameter in named for column in space.columns])
    for free in (few, np.ones_like(few)):
        best = _search(space, start, free, rng)
        if best is not None:
            return space.validate(_keep_unmoved(space, values, space.decode(best)))
    return None


def _keep_unmoved(
    space: SpaceDefinition, values: Mapping[str, Value], moved: Configuration
) -> dict[str, Value]:
    """`moved`, with the exact values of what did not move; through the cube they pick up float noise."""
    kept = dict(moved)
    for name in moved.keys() & values.keys():
        token = space.parameters[name].token
        if token(values[name]) == token(moved[name]):
            kept[name] = values[name]
    return kept


def _search(space: SpaceDefinition, start: Array, free: Mask, rng: np.random.Generator) -> Array | None:
    """The feasible row closest to `start` among random moves of the free columns, walked back towards it."""
    noise = rng.standard_normal((4096, len(start))) * rng.choice([0.03, 0.1, 0.3], size=(4096, 1))
    moves = np.concatenate([start + noise, rng.random((4096, len(start)))])
    # Moving one or two of the columns is often the shorter way.
    moves = np.where(
        free & (rng.random(moves.shape) < rng.choice([0.3, 1.0], size=(len(moves), 1))), moves, start
    )
    rows = space.round(moves)
    rows = rows[space.feasible(rows)]
    if not len(rows):
        return None
    best = rows[np.argmin(np.abs(rows - start).sum(axis=1))]
    way = space.round(start + np.linspace(0.0, 1.0, 513)[:, None] * (best - start))
    return np.asarray(way[np.argmax(space.feasible(way))])
