"""A configuration's own scores on items that the search never saw, with an interval.

The best of many noisy values is partly luck, so the search's value of what it chose is too good on average;
the mean over fresh items is not. The interval is that of Clopper and Pearson (1934) for scores that are all 0
or 1, else Student's. It says what other items of the same kind would change.
"""

from __future__ import annotations

import math

import numpy as np

from tunesmith.goals import Direction
from tunesmith.items import Items
from tunesmith.text.numbers import readable
from tunesmith.tools.analysis.compare import CONFIDENCE, Comparison, Verdict
from tunesmith.trial import Frozen


class FreshScore(Frozen):
    """The best configuration on fresh items."""

    metric: str
    n: int
    """Items."""
    mean: float
    low: float | None
    high: float | None
    """Ends of the 95 % interval; None for one item with a score in between."""
    searched: float | None
    """Its value in the search; None where that is not known."""

    @classmethod
    def of(cls, items: Items, metric: str, searched: float | None) -> FreshScore:
        low, high = mean_interval(items)
        return cls(metric=metric, n=len(items), mean=items.mean, low=low, high=high, searched=searched)

    @property
    def text(self) -> str:
        """Such as `quality 0.82 (95% interval 0.763 to 0.868 over 200 items; 0.88 in the search)`."""
        parts = []
        if self.low is not None and self.high is not None:
            ends = f"{readable(self.low, 3)} to {readable(self.high, 3)}"
            parts.append(f"{CONFIDENCE:.0%} interval {ends} over {self.n:,} items")
        if self.searched is not None:
            parts.append(f"{readable(self.searched, 4)} in the search")
        return f"{self.metric} {readable(self.mean, 4)}" + (f" ({'; '.join(parts)})" if parts else "")


def mean_interval(items: Items) -> tuple[float | None, float | None]:
    """Ends of the 95 % interval of the mean score; None for one item with a score in between."""
    from scipy import stats  # slow to import

    n = len(items)
    if items.binary:
        found = stats.binomtest(int(sum(items.scores)), n).proportion_ci(CONFIDENCE, "exact")
        return float(found.low), float(found.high)
    if n < 2:
        return None, None
    spread = float(np.std(items.scores, ddof=1))
    half = float(stats.t.ppf((1 + CONFIDENCE) / 2, n - 1)) * spread / math.sqrt(n)
    return items.mean - half, items.mean + half


def compare_items(best: Items, default: Items, *, direction: Direction, metric: str) -> Comparison | None:
    """The comparison of one training of each by the items that both were judged on, as `compare_paired`.

    Returns:
        None where they were judged on different items, or on one.
    """
    from tunesmith.errors import ItemsError
    from tunesmith.tools.analysis.paired import paired

    try:
        found = paired(best, default, sign=1.0 if direction == "maximize" else -1.0)
    except ItemsError:
        return None
    if found.low is None or found.high is None:
        return None
    verdict: Verdict = found.verdict
    means = f"mean {metric} {best.mean:.4g} against {default.mean:.4g}"
    gain, over = f"{abs(found.difference):.3g}", f"over the same {found.n:,} items"
    ends = (found.low, found.high) if found.difference >= 0 else (-found.high, -found.low)
    interval = f"{CONFIDENCE:.0%} interval {ends[0]:.3g} to {ends[1]:.3g}"
    if not found.better and not found.worse:
        text = f"scored alike on each of {found.n:,} items ({means}): not distinguishable."
        sentence = f"The best configuration and the default {text}"
    elif verdict == "not distinguishable":
        lead = "better" if found.difference >= 0 else "worse"
        text = f"not distinguishable {over}: {means}, {gain} {lead} with a {interval}."
        sentence = f"The best configuration and the default are {text}"
    else:
        same = f"{ends[0]:.3g}" == f"{ends[1]:.3g}"
        shown = ", the same on every item" if same else f" ({interval})"
        sentence = f"The best configuration is {verdict} than the default by {gain}{shown} {over}: {means}."
    return Comparison(
        metric=metric,
        direction=direction,
        unit="items",
        n=found.n,
        first_mean=best.mean,
        second_mean=default.mean,
        difference=found.difference,
        low=found.low,
        high=found.high,
        verdict=verdict,
        sentence=sentence,
    )
