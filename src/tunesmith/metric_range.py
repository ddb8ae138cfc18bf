"""What values a metric can take: by its name where that says it, else what was seen, with a margin.

An accuracy predicted as 0.46 +- 3 says nothing. Between `low` and `high` no distribution with mean m has a
standard deviation above sqrt((m - low) (high - m)) (Bhatia and Davis, 2000), so no spread above it is shown.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

SHARES = frozenset({"acc", "accuracy", "auc", "auroc", "f1", "precision", "recall", "dice", "iou", "jaccard"})
"""Words in the name of a metric between 0 and 1, or 0 and 100."""
NOT_NEGATIVE = frozenset(
    {"mse", "rmse", "mae", "mape", "perplexity", "ppl", "error", "err", "loss", "wer", "cer", "brier"}
)
"""Words in the name of a metric that is not below 0 as long as no value was."""
MARGIN = 1.0
"""How far beyond the observed values others are thought possible, as a share of their range."""
LEAST = 0.01
"""Least bound on a spread, as a share of the range: the mean may lie at its very end."""


class MetricRange(NamedTuple):
    """The values that a metric can take, its own units."""

    low: float
    high: float

    def spread(self, expected: float, spread: float) -> float:
        """`spread` as far as a standard deviation around `expected` can be that large."""
        width = self.high - self.low
        if not math.isfinite(width):
            return spread
        mean = min(max(expected, self.low), self.high)
        largest = math.sqrt((mean - self.low) * (self.high - mean))
        return min(spread, max(largest, LEAST * width))


def words_of(name: str) -> set[str]:
    """The words in the name of a metric: `val` and `acc` of `val/acc`."""
    return set(re.split(r"[^a-z0-9]+", name.casefold()))


def metric_range(name: str, values: Sequence[float]) -> MetricRange:
    """The range of the metric `name`, of which `values` were seen.

    Returns:
        (-inf, inf) where neither name nor values say anything.
    """
    words = words_of(name)
    low, high = min(values, default=math.nan), max(values, default=math.nan)
    if words & SHARES and not low < 0 and not high > 100:
        return MetricRange(0.0, 100.0 if high > 1 else 1.0)
    if not high > low:  # nothing seen, or one value: no width to go by
        return MetricRange(0.0 if words & NOT_NEGATIVE and not low < 0 else -math.inf, math.inf)
    margin = MARGIN * (high - low)
    least = low - margin
    if words & NOT_NEGATIVE and low >= 0:
        least = max(least, 0.0)
    return MetricRange(least, high + margin)
