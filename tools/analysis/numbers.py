"""A metric's values with just enough digits to distinguish its trials."""

from __future__ import annotations

import math

import numpy as np

from tunesmith.history import History


def metric_digits(history: History) -> int:
    """Significant digits, 4 to 12, that resolve a hundredth of the distance between best and median.

    The median and not the worst, because one diverging loss of 1e12 would hide all other differences.
    """
    scores = history.scores
    if scores.size < 2:
        return 4
    best = float(scores.max())
    span = best - float(np.median(scores)) or best - float(scores.min())
    if span <= 0:
        return 4
    return int(np.clip(math.ceil(math.log10(max(abs(best) / span, 1.0))) + 2, 4, 12))


def format_metric(history: History, value: float | None) -> str:
    """One value of the history's metric for a table; a dash for None."""
    return "-" if value is None else f"{value:.{metric_digits(history)}g}"
