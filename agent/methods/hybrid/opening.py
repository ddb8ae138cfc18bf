"""A run's first question, one call in all: what to expect of each hyperparameter, and where to start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, WithJsonSchema, create_model

from tunesmith.agent.methods.hybrid.answer import Answer, Reader, schema_for
from tunesmith.agent.methods.hybrid.elicited_priors import read_beliefs
from tunesmith.events import Degraded, ElicitedPrior
from tunesmith.history import History
from tunesmith.interfaces import Emit
from tunesmith.prompts import render
from tunesmith.space import Space
from tunesmith.text.cleaning import clean
from tunesmith.tools.analysis.excerpt import select, table
from tunesmith.trial import WARM_START, Proposal

if TYPE_CHECKING:
    from tunesmith.agent.models import LanguageModel

WHERE = "llambo.opening"
VIEW_LIMIT = 1000


@dataclass(frozen=True)
class Opening:
    """What the model said before anything was measured.

    Attributes:
        proposals: Configurations to start from, best first, each marked as a warm start.
        beliefs: Checked against the space; at most one a parameter.
        view: For the person watching; may be empty.
        prompt_id: Where it came from.
    """

    proposals: list[Proposal]
    beliefs: tuple[ElicitedPrior, ...] = ()
    view: str = ""
    prompt_id: str = ""


class OpeningAnswer(Answer):
    """The whole answer. Beliefs are read leniently: one that cannot be used must not cost the others."""

    view: str = ""
    beliefs: list[Any] = Field(default_factory=list)


def opening_schema(space: Space) -> type[OpeningAnswer]:
    """`OpeningAnswer` with the JSON schema of `space`."""
    beliefs = Annotated[list[Any], WithJsonSchema({"type": "array", "items": _belief_schema(space)})]
    fields: dict[str, Any] = {
        "view": (str, Field("", description="Two or three plain sentences for a person.")),
        "beliefs": (beliefs, Field(default_factory=list)),
        "candidates": (schema_for(space, evidence=False).model_fields["candidates"].annotation, ...),
    }
    return create_model("Opening", __base__=OpeningAnswer, **fields)


def opening(model: LanguageModel, words: str, history: History, n: int, emit: Emit) -> Opening:
    """Beliefs, and up to `n` configurations to start from.

    Raises:
        ModelError: the model is out of reach, refused, or gave no usable answer.
    """
    shown = select(history, best=4, recent=4, failed=2, diverse=0)
    prompt = render(
        "llambo/opening",
        words=words,
        space=history.space.describe(),
        metric=history.metric,
        better="larger" if history.direction == "maximize" else "smaller",
        default="" if history.default is None else history.space.format(history.default),
        tried=table(history, (*shown, *history.pending[:8])),
        n=n,
    )
    reader = Reader(history, emit, WHERE)
    completion = model.complete(
        prompt.as_chat(), opening_schema(history.space), purpose=prompt.id, check=reader.check
    )
    answer = completion.value
    found = reader.read(answer, n=n, prompt_id=prompt.id, tokens=completion.tokens)
    beliefs, faults = read_beliefs(answer.beliefs[: 4 * len(history.space.names)], history.space)
    if faults:
        cause = clean("; ".join(faults), 500)
        how = f"{len(faults)} stated priors were left out"
        emit(Degraded(what="rejected", where=WHERE, cause=cause, continuation=how))
    marked = [p.with_provenance(stage=WARM_START) for p in found]
    return Opening(marked, tuple(beliefs), clean(answer.view, VIEW_LIMIT), prompt.id)


def _belief_schema(space: Space) -> dict[str, Any]:
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
        "why": {"type": "string"},
    }
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
