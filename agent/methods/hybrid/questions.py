"""What the model is asked: prompt and schema of each question, whole or compact.

Target: with scores s (larger is better) of the completed trials, best b and floor f, the target is
t = b + alpha (b - f), in the metric's own units and not clipped: nothing is assumed about its sign or
scale. f is the worst score, but no lower than median - 3 (b - median), so that one diverged loss does not
put the target out of reach. With limits only the trials that keep all of them count. With several metrics
the model is shown the Pareto front instead of a target.
"""

from __future__ import annotations

from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np

from tunesmith.agent.methods.hybrid.answer import Answer, schema_for
from tunesmith.agent.methods.hybrid.compact import compact_candidates, compact_opening
from tunesmith.agent.methods.hybrid.opening_answer import OpeningAnswer, opening_schema
from tunesmith.agent.methods.hybrid.profile import Profile, profile_of
from tunesmith.agent.models import Pace, typical_tokens
from tunesmith.history import History
from tunesmith.prompts import Prompt, render
from tunesmith.tools.analysis.excerpt import census, columns, select, table
from tunesmith.tools.analysis.goals_text import front_list, limits_text
from tunesmith.tools.analysis.limits import none_feasible
from tunesmith.tools.analysis.numbers import format_metric, metric_digits

ALPHA = 0.1
"""How far beyond the best the target lies, as a share of the range of observed scores (Liu et al., 2024)."""
A = TypeVar("A", bound=Answer)


class Question(NamedTuple, Generic[A]):
    """One structured call."""

    prompt: Prompt
    schema: type[A]
    profile: Profile


def opening_question(
    words: str, facts: str, goals: str, history: History, n: int, pace: Pace
) -> Question[OpeningAnswer]:
    """The first question of a run, as much of it as the model has time for.

    Args:
        words: The task in the person's words.
        facts: How a trial is made and measured (`task_facts.py`); may be empty.
        goals: Further metrics, limits and costs (`goals_text.py`); may be empty.
        n: Configurations wanted.
    """
    shown = select(history, best=4, recent=4, failed=2, diverse=0)
    about = {
        **_about(words, goals, history),
        "default": "" if history.default is None else history.space.format(history.default),
        "tried": table(history, (*shown, *history.pending[:8])),
    }
    whole = render("hybrid/opening", version=2, **about, facts=facts, n=n)
    profile = _profile(pace, history, n, whole, beliefs=True)
    if not profile.compact:
        return Question(whole, opening_schema(history.space), profile)
    asked = {"n": profile.candidates, "beliefs": profile.beliefs}
    return Question(
        render("hybrid/opening_compact", **about, **asked), compact_opening(history.space), profile
    )


def candidates_question(words: str, goals: str, history: History, n: int, pace: Pace) -> Question[Answer]:
    """The question for further configurations, as much of it as the model has time for.

    Args:
        words, goals: As for the opening.
    """
    wanted, incumbent = target(history), history.incumbent
    about = {
        **_about(words, goals, history),
        "census": census(history),
        "columns": columns(history),
        "best": "" if incumbent is None else format_metric(history, incumbent.value),
        "front": front_list(history),
        "keeping": limits_text(history),
        "closest": none_feasible(history),
    }
    whole = render(
        "hybrid/candidates",
        version=2,
        **about,
        table=table(history, select(history)),
        pending=table(history, history.pending[:8]),
        # One digit more than the table's: the step beyond the best must not vanish in rounding.
        target="" if wanted is None else f"{wanted:.{metric_digits(history) + 1}g}",
        n=n,
    )
    profile = _profile(pace, history, n, whole, beliefs=False)
    if not profile.compact:
        return Question(whole, schema_for(history.space, evidence=True), profile)
    few = (*select(history, best=3, recent=2, failed=1, diverse=0), *history.pending[:2])
    short = render("hybrid/candidates_compact", **about, table=table(history, few), n=profile.candidates)
    return Question(short, compact_candidates(history.space), profile)


def target(history: History, alpha: float = ALPHA) -> float | None:
    """The value to ask for, metric units; None while fewer than two different feasible values are known."""
    scores = history.scores[[not history.goals.broken(trial.values) for trial in history.completed]]
    if scores.size == 0:
        return None
    best, median = float(scores.max()), float(np.median(scores))
    worst = float(scores.min())
    floor = max(worst, median - 3 * (best - median)) if median < best else worst
    if not floor < best:
        return None
    wanted = history.sign * (best + alpha * (best - floor))
    return wanted if np.isfinite(wanted) else None


def _about(words: str, goals: str, history: History) -> dict[str, Any]:
    return {
        "words": words,
        "goals": goals,
        "space": history.space.describe(),
        "metric": history.metric,
        "better": "larger" if history.direction == "maximize" else "smaller",
    }


def _profile(pace: Pace, history: History, n: int, whole: Prompt, *, beliefs: bool) -> Profile:
    dimensions = len(history.space.names)
    tokens = typical_tokens(whole.text)
    return profile_of(pace, n=n, dimensions=dimensions, prompt_tokens=tokens, beliefs=beliefs)
