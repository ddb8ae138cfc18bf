"""JSON schema of a configuration, as a language model or another program is asked to write one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tunesmith.space.choices import Bool, Categorical, Ordinal
from tunesmith.space.floats import Float
from tunesmith.space.ints import Int
from tunesmith.space.space import Space
from tunesmith.trial import Value


def configuration_schema(space: Space) -> dict[str, Any]:
    """JSON schema of one configuration; a conditional parameter may be null."""
    return {
        "type": "object",
        "properties": {name: _parameter_schema(p) for name, p in space.parameters.items()},
        "required": list(space.names),
        "additionalProperties": False,
    }


def _parameter_schema(parameter: Any) -> dict[str, Any]:
    schema: dict[str, Any]
    match parameter:
        case Float():
            schema = {"type": "number", "minimum": parameter.low, "maximum": parameter.high}
        case Int():
            schema = {"type": "integer", "minimum": parameter.low, "maximum": parameter.high}
        case Bool():
            schema = {"type": "boolean"}
        case Categorical():
            schema = _enum(parameter.listed)
        case Ordinal():
            schema = _enum(parameter.listed)
        case _:
            raise TypeError(f"no schema for a {type(parameter).__name__}")
    return {"anyOf": [schema, {"type": "null"}]} if parameter.when else schema


def _enum(values: Sequence[Value]) -> dict[str, Any]:
    names = {bool: "boolean", int: "integer", float: "number", str: "string"}
    types = list(dict.fromkeys(names[type(value)] for value in values))
    return {"type": types[0] if len(types) == 1 else types, "enum": list(values)}
