"""Zero-shot warm start: one question, several diverse configurations, from the task's description alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunesmith.agent.strategies.llambo.answer import Reader, schema_for
from tunesmith.history import History
from tunesmith.interfaces import Emit
from tunesmith.prompts import render
from tunesmith.tools.analysis.excerpt import select, table
from tunesmith.tools.toolbox import WARM_START
from tunesmith.trial import Proposal

if TYPE_CHECKING:
    from tunesmith.agent.llm import ModelDoor


def warm_start(door: ModelDoor, words: str, history: History, n: int, emit: Emit) -> list[Proposal]:
    """Up to `n` configurations to start from, each marked as a warm start.

    Raises:
        ModelError: the model is out of reach, refused, or gave no usable answer.
    """
    shown = select(history, best=4, recent=4, failed=2, diverse=0)
    prompt = render(
        "llambo/warm_start",
        words=words,
        space=history.space.describe(),
        metric=history.metric,
        better="larger" if history.direction == "maximize" else "smaller",
        default="" if history.default is None else history.space.format(history.default),
        tried=table(history, (*shown, *history.pending[:8])),
        n=n,
    )
    reader = Reader(history, emit, "llambo.warm_start")
    completion = door.complete(
        prompt.as_chat(), schema_for(history.space, evidence=False), purpose=prompt.id, check=reader.check
    )
    found = reader.read(completion.value, n=n, prompt_id=prompt.id, tokens=completion.tokens)
    return [p.model_copy(update={"details": {**p.details, WARM_START: 1.0}}) for p in found]
