"""A metric's values with just enough digits to distinguish its trials: of the primary one, or of another."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tunesmith.history import History


def metric_digits(history: History, metric: str | None = None) -> int:
    """Significant digits, 4 to 12, that resolve a hundredth of the distance between best and median.

    The median and not the worst, because one diverging loss of 1e12 would hide all other differences.

    Args:
        metric: None: the primary one. Of one that only has a limit, values that keep it are better.
    """
    scores = history.scores if metric in (None, history.metric) else _scores(history, str(metric))
    if scores.size < 2:
        return 4
    best = float(scores.max())
    span = best - float(np.median(scores)) or best - float(scores.min())
    if span <= 0:
        return 4
    return int(np.clip(math.ceil(math.log10(max(abs(best) / span, 1.0))) + 2, 4, 12))


def format_metric(history: History, value: float | None, metric: str | None = None) -> str:
    """One value of the history's primary metric, or of another one, for a table; a dash for None."""
    return "-" if value is None else f"{value:.{metric_digits(history, metric)}g}"


def _scores(history: History, metric: str) -> NDArray[np.float64]:
    goal = next((goal for goal in history.goals.objectives if goal.metric == metric), None)
    limit = next((limit for limit in history.limits if limit.metric == metric), None)
    sign = goal.sign if goal is not None else -limit.sign if limit is not None else 1.0
    return sign * np.array([t.values[metric] for t in history.completed if metric in t.values])
