"""What a choice has to do with limits and further metrics, as parts of its reason."""

from __future__ import annotations

import numpy as np

from tunesmith.agent.methods.gp.posterior import Posterior
from tunesmith.goal_words import NAME_WIDTH, limit_text
from tunesmith.history import Array, History
from tunesmith.metric_range import metric_range
from tunesmith.text.literal import one_line
from tunesmith.text.numbers import plus_minus, readable

NONE_YET = "No trial keeps every limit yet, so what is likely to keep them counts most"
MOST_LIMITS = 3
"""Limits that a reason mentions, the most doubtful first."""


def headline(history: History, posterior: Posterior) -> str | None:
    """What the choice is best in; None where it is the improvement of one metric over the best trial."""
    if posterior.objectives is not None and posterior.reached:
        count = len(history.front)
        return f"Largest expected gain for the Pareto front ({count} trial{'s' * (count != 1)})"
    return None if posterior.reached else NONE_YET


def further_predicted(history: History, posterior: Posterior, row: Array) -> str:
    """Predictions of the further objectives: `, latency_ms 18 ± 2`; empty with one."""
    if posterior.objectives is None:
        return ""
    at = posterior.surrogate.points(row[None])
    texts = []
    for goal, fitted in zip(posterior.objectives.goals[1:], posterior.objectives.fitted[1:], strict=True):
        mean, std = (float(v[0]) for v in fitted.metric(*fitted.process.predict(at)))
        values = [t.values[goal.metric] for t in history.completed]
        shown = plus_minus(mean, std, metric_range(goal.metric, values), plainly=True)
        texts.append(f", {one_line(goal.metric, NAME_WIDTH)} {readable(mean, 4)}{shown}")
    return "".join(texts)


def beside(history: History, expected: float) -> str:
    """Where on the front the primary metric is expected: `, between trials 4 and 9 of it`."""
    if len(history.front) < 2:
        return ""
    sign = history.sign
    better = [t for t in history.front if t.value is not None and sign * t.value >= sign * expected]
    worse = [t for t in history.front if t.value is not None and sign * t.value < sign * expected]
    if better and worse:
        return f", between trials {better[-1].number} and {worse[0].number} of it"
    end = better[-1] if better else worse[0]
    name = one_line(history.metric, NAME_WIDTH)
    return f", {'worse' if better else 'better'} in {name} than all of it (trial {end.number} is nearest)"


def limits_kept(posterior: Posterior, row: Array) -> str:
    """`Keeps latency_ms <= 20 with probability 83% (predicted 18 ± 2)`; empty without a limit to doubt."""
    at = posterior.surrogate.points(row[None])
    chances = [(float(np.exp(model.log_kept(at)[0])), model) for model in posterior.limits]
    chances.sort(key=lambda pair: pair[0])
    texts = []
    # A metric that is optimised as well has its prediction already, by a model of its own.
    predicted = set() if posterior.objectives is None else {g.metric for g in posterior.objectives.goals}
    for chance, model in chances[:MOST_LIMITS]:
        mean, spread = (float(v[0]) for v in model.metric(at))
        told = f"{limit_text(model.limit)} with probability {chance:.0%}"
        if model.limit.metric not in predicted:
            told += f" ({readable(mean, 4)} ± {readable(spread, 2)})"
        texts.append(told)
    return f"Keeps {', '.join(texts)}" if texts else ""
