"""The mean score of a trial's items with its interval."""

from __future__ import annotations

import math
from typing import NamedTuple

from tunesmith.errors import ItemsError
from tunesmith.items import Items
from tunesmith.trial import Trial

CONFIDENCE = 0.95


class ItemMean(NamedTuple):
    """Over the items that a trial was run on."""

    mean: float
    low: float | None
    high: float | None
    """Ends of the 95 % interval for other items of the same kind; None for one item of a partial score."""
    n: int


def item_mean(trial: Trial, metric: str) -> ItemMean | None:
    """Wilson's interval (1927) for scores that are 0 or 1, else Student's; None without readable items."""
    packed = trial.items.get(metric)
    if packed is None:
        return None
    from scipy import stats  # half a second of imports, for which the terminal should not wait

    try:
        items = Items.unpack(packed)
    except ItemsError:
        return None
    n, mean = len(items), items.mean
    if items.binary:
        ends = stats.binomtest(round(mean * n), n).proportion_ci(CONFIDENCE, method="wilson")
        return ItemMean(mean, float(ends.low), float(ends.high), n)
    if n < 2:
        return ItemMean(mean, None, None, n)
    spread = math.sqrt(math.fsum((score - mean) ** 2 for score in items.scores) / (n - 1) / n)
    half = spread * float(stats.t.ppf((1 + CONFIDENCE) / 2, n - 1))
    return ItemMean(mean, mean - half, mean + half, n)
