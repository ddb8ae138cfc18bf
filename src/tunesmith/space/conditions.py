"""Conditions: a parameter with `when` is active only for certain values of its parents.

Several parents must all agree; a parent that is inactive itself makes its children inactive.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith.errors import SpaceError, short
from tunesmith.space.floats import Float
from tunesmith.space.parameter import Parameter
from tunesmith.space.values import plain, show
from tunesmith.trial import Value

Conditions = Mapping[str, tuple[Value, ...]]


def read_conditions(parameters: Mapping[str, Parameter]) -> dict[str, Conditions]:
    """Conditions of every conditional parameter, parent -> values in the parent's own form.

    Raises:
        SpaceError: An unknown parent, a value the parent never takes, a Float as a parent.
    """
    return {
        name: {
            parent: _values(name, parent, wanted, parameters)
            for parent, wanted in _mapping(name, p.when).items()
        }
        for name, p in parameters.items()
        if p.when
    }


def parents_first(
    parameters: Mapping[str, Parameter], conditions: Mapping[str, Conditions]
) -> tuple[str, ...]:
    """Names ordered so that every parent comes before its children; SpaceError for a circle."""
    order: dict[str, None] = {}
    waiting = list(parameters)
    while waiting:
        ready = [name for name in waiting if all(parent in order for parent in conditions.get(name, ()))]
        if not ready:
            raise SpaceError(
                f"the conditions of {', '.join(waiting)} go in a circle", key=(waiting[0], "when")
            )
        order.update(dict.fromkeys(ready))
        waiting = [name for name in waiting if name not in order]
    return tuple(order)


def describe(conditions: Conditions) -> str:
    """`optimizer is sgd or adam and nesterov is True`."""
    return " and ".join(
        f"{parent} is {' or '.join(show(value) for value in values)}" for parent, values in conditions.items()
    )


def to_dict(conditions: Conditions) -> dict[str, Any]:
    return {parent: values[0] if len(values) == 1 else list(values) for parent, values in conditions.items()}


def _mapping(name: str, when: object) -> Mapping[str, Any]:
    if not isinstance(when, Mapping) or not all(isinstance(parent, str) for parent in when):
        raise SpaceError(
            f"`when` of {name} is a mapping such as {{optimizer: sgd}}, got {short(when)}", key=(name, "when")
        )
    return when


def _values(name: str, parent: str, wanted: Any, parameters: Mapping[str, Parameter]) -> tuple[Value, ...]:
    key = (name, "when", parent)
    if parent not in parameters:
        raise SpaceError(f"{name} depends on {short(parent)}, which is not a parameter of the space", key=key)
    if parent == name:
        raise SpaceError(f"{name} depends on itself", key=key)
    if isinstance(parameters[parent], Float):
        raise SpaceError(f"{name} depends on {parent}, a float; conditions compare for equality", key=key)
    several = isinstance(wanted, Sequence) and not isinstance(wanted, str)
    # A list is one value where the parent has that very list as a choice.
    one = not several or parameters[parent].check(parent, wanted) is None
    listed = [wanted] if one else list(wanted)
    if not listed:
        raise SpaceError(f"`when` of {name} lists no value of {parent}", key=key)
    for value in map(plain, listed):
        if fault := parameters[parent].check(parent, value):
            raise SpaceError(f"{name} could never be active: {fault}", key=key)
    return tuple(parameters[parent].canonical(plain(value)) for value in listed)
