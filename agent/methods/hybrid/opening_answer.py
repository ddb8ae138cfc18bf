"""The answer to the first question: candidates, a view of the task, a belief for each hyperparameter."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, WithJsonSchema, create_model

from tunesmith.agent.methods.hybrid.answer import Answer, schema_for
from tunesmith.space import Space


class OpeningAnswer(Answer):
    """The whole answer. Priors are read leniently: one that cannot be used must not cost the others."""

    view: str = ""
    beliefs: list[Any] = Field(default_factory=list)


def opening_schema(space: Space) -> type[OpeningAnswer]:
    """`OpeningAnswer` with the JSON schema of `space`."""
    priors = Annotated[list[Any], WithJsonSchema({"type": "array", "items": _prior_schema(space)})]
    fields: dict[str, Any] = {
        "view": (str, Field("", description="Two or three plain sentences for a person.")),
        "beliefs": (priors, Field(default_factory=list)),
        "candidates": (schema_for(space, evidence=False).model_fields["candidates"].annotation, ...),
    }
    return create_model("Opening", __base__=OpeningAnswer, **fields)


def _prior_schema(space: Space) -> dict[str, Any]:
    number = {"anyOf": [{"type": "number"}, {"type": "null"}]}
    weight = {
        "type": "object",
        "properties": {"choice": {"type": "string"}, "weight": {"type": "number"}},
        "required": ["choice", "weight"],
        "additionalProperties": False,
    }
    properties = {
        "parameter": {"type": "string", "enum": list(space.names)},
        "low": number,
        "best": number,
        "high": number,
        "weights": {"anyOf": [{"type": "array", "items": weight}, {"type": "null"}]},
        "flat": {"anyOf": [{"type": "boolean"}, {"type": "null"}]},
        "joint_with": {"anyOf": [{"type": "string", "enum": list(space.names)}, {"type": "null"}]},
        "why": {"type": "string"},
    }
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
