"""Two configurations compared item by item, on the same items.

Symbols: x_i, y_i the scores of item i under the first and the second, d_i = s (x_i - y_i) with s the sign of
the direction, n the number of items in common.

The interval is Student's on the d_i. For scores that are all 0 or 1 that one is too narrow where few items
differ, so there it is Bonett and Price's adjusted Wald interval for paired proportions (2012), recommended by
Fagerland, Lydersen and Laake (2014) for small and large n. The p-value is then that of McNemar's exact test
(1947), which looks at the items that differ only.

It says what other items of the same kind would change, with both trained as they were. What another seed
would change is another question, of `compare.py`.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tunesmith.errors import ItemsError
from tunesmith.items import Items

CONFIDENCE = 0.95
ROUNDING = 1e-12
"""Relative size below which a spread of differences is rounding."""


class PairedDifference(NamedTuple):
    """The first against the second, over the items that both were judged on."""

    n: int
    """Items compared, at least 1."""
    difference: float
    """Mean difference, positive where the first is better; metric units."""
    standard_error: float | None
    """Of `difference`; None for one item."""
    low: float | None
    high: float | None
    """Ends of the 95 % interval of `difference`; None for one item."""
    p_value: float | None
    """Two-sided, for no difference; None for one item."""
    better: int
    worse: int
    """Items on which the first is better, and worse; on the others they are equal."""
    method: Literal["Student's t", "Bonett-Price, McNemar"]

    @property
    def verdict(self) -> Literal["better", "worse", "not distinguishable"]:
        """Of the first: better or worse only where the whole interval is on one side of zero."""
        if self.low is not None and self.low > 0:
            return "better"
        return "worse" if self.high is not None and self.high < 0 else "not distinguishable"


def paired(first: Items, second: Items, *, sign: float = 1.0, begun: bool = False) -> PairedDifference:
    """The mean difference of two trials' scores over the items that both have.

    Args:
        sign: +1 where larger scores are better, -1 where smaller ones are (`Goal.sign`).
        begun: Whether one may have the first items alone, as a trial that was stopped early has.
    Raises:
        ItemsError: They have no item in common, or an item is known by its place and they differ in length
            where none is only begun.
    """
    from scipy import stats  # half a second of imports, for which the terminal should not wait

    x, y = _aligned(first, second, begun=begun)
    d = sign * (x - y)
    n, mean = len(d), float(d.mean())
    better, worse = int((d > 0).sum()), int((d < 0).sum())
    binary = bool(np.isin(np.concatenate([x, y]), (0.0, 1.0)).all())
    method: Literal["Student's t", "Bonett-Price, McNemar"]
    method = "Bonett-Price, McNemar" if binary else "Student's t"
    if n < 2:
        return PairedDifference(n, mean, None, None, None, None, better, worse, method)
    spread = float(d.std(ddof=1))
    if spread <= ROUNDING * float(np.abs(np.concatenate([x, y])).max()):
        spread = 0.0
    error = spread / math.sqrt(n)
    if binary:
        low, high = _bonett_price(better, worse, n)
        p = float(stats.binomtest(better, better + worse).pvalue) if better + worse else 1.0
    else:
        half = float(stats.t.ppf((1 + CONFIDENCE) / 2, n - 1)) * error
        low, high = mean - half, mean + half
        if error > 0:
            p = float(2 * stats.t.sf(abs(mean) / error, n - 1))
        else:  # all differences are one number: the sign test's p-value is what n items can show
            p = 1.0 if better + worse < n else min(1.0, 2.0 ** (1 - n))
    return PairedDifference(n, mean, error, low, high, p, better, worse, method)


def _aligned(first: Items, second: Items, *, begun: bool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The scores of the items that both have, shape (n,) each."""
    if first.ids is None or second.ids is None:
        common = min(len(first), len(second))
        if first.ids is not second.ids or (len(first) != len(second) and not begun):
            given = " and ".join(
                f"{len(x):,} {'without' if x.ids is None else 'with'} ids" for x in (first, second)
            )
            raise ItemsError(f"scores of {given} cannot be paired: without ids an item is known by its place")
        return np.array(first.scores[:common]), np.array(second.scores[:common])
    theirs = dict(zip(second.ids, second.scores, strict=True))
    pairs = [(x, theirs[name]) for name, x in zip(first.ids, first.scores, strict=True) if name in theirs]
    if not pairs:
        raise ItemsError("the two have scores of no item in common")
    x, y = np.array(pairs, dtype=np.float64).T
    return x, y


def _bonett_price(better: int, worse: int, n: int) -> tuple[float, float]:
    """One item is added to each side that differs, which keeps the interval honest near 0 and 1."""
    from scipy import stats  # half a second of imports, for which the terminal should not wait

    p, q = (better + 1) / (n + 2), (worse + 1) / (n + 2)
    half = float(stats.norm.ppf((1 + CONFIDENCE) / 2)) * math.sqrt((p + q - (p - q) ** 2) / (n + 2))
    return max(-1.0, p - q - half), min(1.0, p - q + half)
