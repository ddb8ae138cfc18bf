"""The schemas of a compact answer: short reasons, no view, and no key that would be null for most."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field, WithJsonSchema, create_model

from tunesmith.agent.methods.hybrid.answer import Answer, Candidate
from tunesmith.agent.methods.hybrid.opening_answer import OpeningAnswer
from tunesmith.space import Bool, Categorical, Space
from tunesmith.space.schema import configuration_schema

Schema = dict[str, Any]
_NUMBER: Schema = {"type": "number"}
_MAYBE: Schema = {"anyOf": [_NUMBER, {"type": "null"}]}


def _without_view(schema: Schema) -> None:
    del schema["properties"]["view"]


class _Opening(OpeningAnswer):
    model_config = ConfigDict(title="Opening", json_schema_extra=_without_view)


def compact_opening(space: Space) -> type[OpeningAnswer]:
    """Candidates with a short reason, then beliefs without one, each in the form of its kind."""
    beliefs = Annotated[list[Any], WithJsonSchema(_list_of(_belief(space)))]
    fields: Schema = {
        "candidates": (_candidates(space), ...),
        "beliefs": (beliefs, Field(default_factory=list)),
    }
    return create_model("Opening", __base__=_Opening, **fields)


def compact_candidates(space: Space) -> type[Answer]:
    """Candidates with a short reason and a prediction, without the trials they rest on."""
    candidates = _candidates(space, expected=_MAYBE, spread=_MAYBE)
    return create_model("Answer", __base__=Answer, candidates=(candidates, ...))


def _candidates(space: Space, **more: Schema) -> Any:
    item = _object(configuration=configuration_schema(space), reason={"type": "string"}, **more)
    return Annotated[list[Candidate], WithJsonSchema(_list_of(item))]


def _belief(space: Space) -> Schema:
    """An object of numbers for a numeric parameter, one of weights for a choice."""
    chosen = [name for name, p in space.parameters.items() if isinstance(p, Categorical | Bool)]
    numeric = [name for name in space.names if name not in chosen]
    weight = _object(choice={"type": "string"}, weight=_NUMBER)
    forms = [
        (numeric, {"low": _NUMBER, "best": _NUMBER, "high": _NUMBER}),
        (chosen, {"weights": _list_of(weight)}),
    ]
    shapes = [_object(parameter={"type": "string", "enum": names}, **keys) for names, keys in forms if names]
    return shapes[0] if len(shapes) == 1 else {"anyOf": shapes}


def _list_of(item: Schema) -> Schema:
    return {"type": "array", "items": item}


def _object(**properties: Schema) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
