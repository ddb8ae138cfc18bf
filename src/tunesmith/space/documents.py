"""A space as plain data, as it stands in a task file.

    lr: {type: float, low: 1e-5, high: 1e-1, scale: log}
    optimizer: {type: categorical, choices: [adam, sgd]}
    momentum: {type: float, low: 0, high: 0.99, when: {optimizer: sgd}}
    schedule: {warmup: {type: int, low: 0, high: 10}}       the parameter schedule.warmup
    constraints: ["warmup < epochs"]

Under `constraints` stands a list, which no parameter is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunesmith.errors import SpaceError, short
from tunesmith.plain_data import restored
from tunesmith.space.choices import Bool, Categorical, Ordinal
from tunesmith.space.floats import Float
from tunesmith.space.ints import Int
from tunesmith.space.nesting import condition, ungrouped
from tunesmith.space.parameter import Parameter
from tunesmith.text.suggestions import did_you_mean

CONSTRAINTS = "constraints"
KINDS: dict[str, type[Parameter]] = {
    "float": Float,
    "int": Int,
    "categorical": Categorical,
    "bool": Bool,
    "ordinal": Ordinal,
}
KEYS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    # required keys, optional keys
    "float": (("low", "high"), ("scale", "step", "when")),
    "int": (("low", "high"), ("scale", "step", "when")),
    "categorical": (("choices",), ("types", "when")),
    "bool": ((), ("when",)),
    "ordinal": (("values",), ("types", "when")),
}


def read_parameter(name: str, data: object) -> Parameter:
    """One parameter; SpaceError has the key of the fault, from `name` down."""
    if not isinstance(data, Mapping):
        raise SpaceError(
            f"{name} should be a mapping such as {{type: float, low: 0, high: 1}}, got {short(data)}",
            key=(name,),
        )
    kind = data.get("type")
    if not isinstance(kind, str) or kind not in KINDS:
        problem = f"{name} has unknown type {short(kind)}" if "type" in data else f"{name} has no `type`"
        raise SpaceError(
            f"{problem}; it is one of {', '.join(KINDS)}", key=(name, "type") if "type" in data else (name,)
        )
    required, optional = KEYS[kind]
    for key in data:
        if key != "type" and key not in required + optional:
            hint = did_you_mean(key, required + optional)
            raise SpaceError(f"{name} ({kind}) has no key {short(key)}; {hint}", key=(name, str(key)))
    for key in required:
        if key not in data:
            raise SpaceError(f"{name} ({kind}) lacks `{key}`", key=(name,))
    keys = {key: value for key, value in data.items() if key != "type"}
    if "types" in keys:
        listed = required[0]
        keys[listed] = _with_types(name, keys[listed], keys.pop("types"))
    try:
        return KINDS[kind](**keys)
    except SpaceError as error:
        raise SpaceError(f"{name}: {error}", key=(name, *error.key)) from None


def _with_types(name: str, choices: object, types: object) -> object:
    """Choices with the tuples and the numbers that JSON cannot say, as `to_dict` wrote them."""
    if not isinstance(types, Mapping) or not all(
        isinstance(path, str) and kind in ("tuple", "float") for path, kind in types.items()
    ):
        raise SpaceError(
            f'{name}: `types` maps places among the choices to `tuple` or `float`, such as {{"0": tuple}}, '
            f"got {short(types)}",
            key=(name, "types"),
        )
    try:
        return restored(choices, dict(types))
    except ValueError as error:
        raise SpaceError(f"{name}: {error}", key=(name, "types")) from None


def entries(data: Mapping[str, Any]) -> dict[str, Any]:
    """What stands under each parameter's name, those of groups included; SpaceError for a name twice."""
    found = ungrouped({name: value for name, value in data.items() if name != CONSTRAINTS})
    for name, value in found.items():
        if name not in data and isinstance(value.get("when"), Mapping):
            found[name] = {**value, "when": condition(name, value["when"], found)}
    return found


def read_space(data: object) -> tuple[dict[str, Parameter], tuple[str, ...]]:
    """Parameters and constraint texts; SpaceError for the first fault."""
    if not isinstance(data, Mapping):
        raise SpaceError(f"a space is a mapping of parameter names, got {short(data)}")
    parameters = {name: read_parameter(name, value) for name, value in entries(data).items()}
    constraints = data.get(CONSTRAINTS, ())
    if isinstance(constraints, str) or not isinstance(constraints, list | tuple):
        raise SpaceError(
            f"`constraints` is a list of comparisons, got {short(constraints)}", key=(CONSTRAINTS,)
        )
    return parameters, tuple(constraints)


def write_space(
    parameters: Mapping[str, Parameter], conditions: Mapping[str, Any], constraints: tuple[str, ...]
) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for name, parameter in parameters.items():
        data[name] = parameter.to_dict()
        if name in conditions:
            data[name]["when"] = conditions[name]
    if constraints:
        data[CONSTRAINTS] = list(constraints)
    return data
