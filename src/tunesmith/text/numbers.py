"""Numbers as people read them: in a narrow column, in a table, in a sentence. A dash where there is none."""

from __future__ import annotations

import math
from collections.abc import Sequence

DASH = "–"
Limits = tuple[float, float]
"""Least and largest possible value; infinite where unknown."""


def metric(value: float) -> str:
    """A metric's value: four decimals where that shows enough of it, four digits elsewhere."""
    if value == 0 or 0.01 <= abs(value) < 1000:
        return f"{value:.4f}"
    return f"{value:.4g}"


def prediction(expected: float, spread: float | None, limits: Limits = (-math.inf, math.inf)) -> str:
    """`0.9210 ± 0.0120`: the spread as precise as what it belongs to; see `plus_minus` for `limits`."""
    shown = metric(expected)
    if spread is None:
        return shown
    decimal = "e" not in shown and shown == f"{expected:.4f}" and spread >= 0.00005
    return shown + plus_minus(expected, spread, limits, ".4f" if decimal else ".2g")


def plus_minus(expected: float, spread: float, limits: Limits, spec: str = ".2g") -> str:
    """` ± 0.012`, or ` (0.92 to 1)` where what is possible ends sooner.

    Args:
        limits: Least and largest possible value, as of `MetricRange`.
    """
    low, high = max(expected - spread, limits[0]), min(expected + spread, limits[1])
    if low > expected - spread or high < expected + spread:
        return f" ({low:.3g} to {high:.3g})"
    return f" ± {spread:{spec}}"


def plain_value(value: bool | int | float | str) -> str:
    """A hyperparameter's value when its space is not at hand to say how precise to be."""
    if isinstance(value, float):
        return f"{value:.3g}"
    return str(value)


def count(number: int) -> str:
    """`950`, `21.3k`, `1.2M`."""
    for size, letter in ((1_000_000, "M"), (1_000, "k")):
        if number >= size:
            return f"{number / size:.1f}".removesuffix(".0") + letter
    return str(number)


def counted(number: int, noun: str, plural: str = "") -> str:
    """`1 trial`, `2,000 trials`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def numbered(noun: str, numbers: Sequence[int], most: int = 5) -> str:
    """`trial 3`, `trials 0, 1 and 4`, `trials 0, 1, 2, 3, 4 and 7 more`."""
    shown = [str(number) for number in numbers[:most]]
    if len(numbers) > most:
        shown.append(f"{len(numbers) - most:,} more")
    if len(shown) == 1:
        return f"{noun} {shown[0]}"
    return f"{noun}s {', '.join(shown[:-1])} and {shown[-1]}"


def significant(value: float | None, digits: int = 5) -> str:
    """`value` to so many significant digits."""
    return DASH if value is None or math.isnan(value) else f"{value:.{digits}g}"


def fixed(value: float | None, decimals: int = 4) -> str:
    """`value` to so many decimals."""
    return DASH if value is None or math.isnan(value) else f"{value:.{decimals}f}"


def signed(value: float | None) -> str:
    """`+0.012`."""
    return DASH if value is None else f"{value:+.3g}"


def interval(low: float | None, high: float | None, decimals: int, infinity: str = "inf") -> str:
    """`[0.91, 1.20]`; `high` None means no upper limit, `low` None no interval: an empty text."""
    if low is None:
        return ""
    return f"[{fixed(low, decimals)}, {infinity if high is None else fixed(high, decimals)}]"
