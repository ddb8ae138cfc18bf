"""Target-conditioned candidates: configurations that should reach a value a little beyond the best so far.

Notation: with scores s (larger is better) of the completed trials, best b and floor f, the target is
t = b + alpha (b - f), in the metric's own units and never clipped: nothing is assumed about its sign or
scale. f is the worst score, but no lower than median - 3 (b - median), so that one diverged loss does not
put the target out of sight.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tunesmith.agent.methods.hybrid.answer import Reader, schema_for
from tunesmith.history import History
from tunesmith.interfaces import Emit
from tunesmith.prompts import render
from tunesmith.tools.analysis.excerpt import census, select, table
from tunesmith.tools.analysis.numbers import format_metric, metric_digits
from tunesmith.trial import Proposal

if TYPE_CHECKING:
    from tunesmith.agent.models import LanguageModel

ALPHA = 0.1
"""How far beyond the best, as a share of the range of observed scores (the value of Liu et al.'s code)."""


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


def candidates(
    model: LanguageModel, words: str, history: History, n: int, emit: Emit, *, alpha: float = ALPHA
) -> list[Proposal]:
    """Up to `n` configurations with the model's reason, prediction and evidence.

    Raises:
        ModelError: the model is out of reach, refused, or gave no usable answer.
    """
    wanted, incumbent = target(history, alpha), history.incumbent
    prompt = render(
        "llambo/candidates",
        version=2,
        words=words,
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
    reader = Reader(history, emit, "llambo.candidates")
    completion = model.complete(
        prompt.as_chat(), schema_for(history.space, evidence=True), purpose=prompt.id, check=reader.check
    )
    return reader.read(completion.value, n=n, prompt_id=prompt.id, tokens=completion.tokens)
