"""The language model's part: two questions, each one structured call.

    opening       before anything is known: an expectation of each hyperparameter, and a zero-shot warm start
    candidates    later: configurations that should reach a target a little beyond the best value so far

Target: with scores s (larger is better) of the completed trials, best b and floor f, the target is
t = b + alpha (b - f), in the metric's own units and not clipped: nothing is assumed about its sign or
scale. f is the worst score, but no lower than median - 3 (b - median), so that one diverged loss does not
put the target out of reach.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, cast

import numpy as np
from pydantic import Field, WithJsonSchema, create_model

from tunesmith.agent.methods.hybrid.answer import Answer, Reader, schema_for
from tunesmith.agent.methods.hybrid.elicited_priors import read_priors
from tunesmith.agent.methods.hybrid.partial import OnPart, Parts
from tunesmith.errors import ModelError, ReplayMiss
from tunesmith.events import Degraded, ElicitedPrior
from tunesmith.history import History
from tunesmith.interfaces import Emit
from tunesmith.prompts import Prompt, render
from tunesmith.space import Space
from tunesmith.text.cleaning import clean, error_line
from tunesmith.tools.analysis.excerpt import census, select, table
from tunesmith.tools.analysis.numbers import format_metric, metric_digits
from tunesmith.trial import WARM_START, Proposal

if TYPE_CHECKING:
    from tunesmith.agent.models import LanguageModel
    from tunesmith.task import Task

OPENING, CANDIDATES = "hybrid.opening", "hybrid.candidates"
"""The two questions as events name them."""
ALPHA = 0.1
"""How far beyond the best the target lies, as a share of the range of observed scores (Liu et al., 2024)."""
VIEW_LIMIT = 1000
A = TypeVar("A", bound=Answer)


@dataclass(frozen=True)
class Opening:
    """A model's answer to the first question.

    Attributes:
        proposals: Configurations to start from, best first, each marked as a warm start.
        priors: Checked against the space; at most one a parameter.
        view: The task as the model sees it, for a person; may be empty.
        prompt_id: The template that was asked with.
    """

    proposals: list[Proposal]
    priors: tuple[ElicitedPrior, ...] = ()
    view: str = ""
    prompt_id: str = ""


class OpeningAnswer(Answer):
    """The whole answer. Priors are read leniently: one that cannot be used must not cost the others."""

    view: str = ""
    beliefs: list[Any] = Field(default_factory=list)


class ModelProposer:
    """Asks a language model for priors and configurations.

    Args:
        model: Every fault of it is a ModelError, which is not caught here.
        task: Its description goes into every prompt.
        emit: Receives repairs and rejections.
    """

    def __init__(self, model: LanguageModel, task: Task, emit: Emit) -> None:
        self._model, self._words, self._emit = model, task.words(), emit

    def opening(self, history: History, n: int, on_part: OnPart | None = None) -> Opening:
        """Priors, and up to `n` diverse configurations, from the task's description alone.

        Args:
            on_part: Given each part of the answer as soon as it is complete; all of them are in the opening
                that is returned as well, in the same order within their kind.
        Raises:
            ModelError: the model is out of reach, refused, or gave nothing of use.
        """
        shown = select(history, best=4, recent=4, failed=2, diverse=0)
        prompt = render(
            "hybrid/opening",
            words=self._words,
            space=history.space.describe(),
            metric=history.metric,
            better="larger" if history.direction == "maximize" else "smaller",
            default="" if history.default is None else history.space.format(history.default),
            tried=table(history, (*shown, *history.pending[:8])),
            n=n,
        )
        reader = Reader(history, self._emit, OPENING)
        parts = Parts(reader, prompt.id, n, on_part, WARM_START)
        schema = opening_schema(history.space)
        answer, tokens = self._asked(prompt, schema, reader, parts)
        proposals = reader.read(answer, n=n, prompt_id=prompt.id, tokens=tokens)
        priors, faults = read_priors(answer.beliefs[: 4 * len(history.space.names)], history.space)
        if faults:
            cause = clean("; ".join(faults), 500)
            left_out = f"{len(faults)} elicited priors were left out"
            self._emit(Degraded(what="rejected", where=OPENING, cause=cause, continuation=left_out))
        marked = [p.with_provenance(stage=WARM_START) for p in proposals]
        return Opening(marked, tuple(priors), clean(answer.view, VIEW_LIMIT), prompt.id)

    def candidates(self, history: History, n: int, on_part: OnPart | None = None) -> list[Proposal]:
        """Up to `n` configurations with the model's reason, prediction and evidence.

        Args:
            on_part: As for `opening`.
        Raises:
            ModelError: the model is out of reach, refused, or gave nothing of use.
        """
        wanted, incumbent = target(history), history.incumbent
        prompt = render(
            "hybrid/candidates",
            version=2,
            words=self._words,
            space=history.space.describe(),
            metric=history.metric,
            better="larger" if history.direction == "maximize" else "smaller",
            census=census(history),
            table=table(history, select(history)),
            pending=table(history, history.pending[:8]),
            best="" if incumbent is None else format_metric(history, incumbent.value),
            # One digit more than the table's: the step beyond the best must not vanish in rounding.
            target="" if wanted is None else f"{wanted:.{metric_digits(history) + 1}g}",
            n=n,
        )
        reader = Reader(history, self._emit, CANDIDATES)
        parts = Parts(reader, prompt.id, n, on_part)
        schema = schema_for(history.space, evidence=True)
        answer, tokens = self._asked(prompt, schema, reader, parts)
        return reader.read(answer, n=n, prompt_id=prompt.id, tokens=tokens)

    def _asked(self, prompt: Prompt, schema: type[A], reader: Reader, parts: Parts) -> tuple[A, int]:
        """The answer and the tokens it took; of one that broke off, what was complete of it."""
        try:
            completion = self._model.complete(
                prompt.as_chat(), schema, purpose=prompt.id, check=reader.check, on_item=parts.add
            )
        except ReplayMiss:
            raise
        except ModelError as error:
            if not parts:
                raise
            used = f"what was complete of the answer is used: {parts.words}"
            self._emit(
                Degraded(what="repair", where=reader.where, cause=error_line(error), continuation=used)
            )
            # Each part was read by itself: there is no whole left to validate.
            cut = schema.model_construct(None, candidates=parts.candidates, beliefs=parts.beliefs)
            return cast(A, cut), 0
        return completion.value, completion.tokens


def target(history: History, alpha: float = ALPHA) -> float | None:
    """The value to ask for, metric units; None while fewer than two different values are known."""
    scores = history.scores
    if scores.size == 0:
        return None
    best, median = float(scores.max()), float(np.median(scores))
    worst = float(scores.min())
    floor = max(worst, median - 3 * (best - median)) if median < best else worst
    if not floor < best:
        return None
    wanted = history.sign * (best + alpha * (best - floor))
    return wanted if np.isfinite(wanted) else None


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
        "why": {"type": "string"},
    }
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
