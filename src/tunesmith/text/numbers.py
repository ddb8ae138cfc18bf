"""Numbers as people read them: in a narrow column, in a table, in a sentence. A dash where there is none."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

DASH = "–"
WHOLE_BELOW = 1e9
"""Whole numbers from here on are written with an exponent."""
Limits = tuple[float, float]
"""Least and largest possible value; infinite where unknown."""


def metric(value: float, *, as_whole: bool = False) -> str:
    """A metric's value: four decimals where that shows enough of it, four digits elsewhere.

    Args:
        as_whole: Its column holds whole numbers only.
    """
    value += 0.0  # no -0.0000
    if as_whole:
        return f"{value:.0f}"
    if value == 0 or 0.01 <= abs(value) < 1000:
        return f"{value:.4f}"
    return f"{value:.4g}"


def whole(values: Iterable[float | None]) -> bool:
    """Whether all of these are whole numbers that a column shows as such: counts, sizes."""
    return all(value is None or (abs(value) < WHOLE_BELOW and value == int(value)) for value in values)


def prediction(expected: float, spread: float | None, limits: Limits = (-math.inf, math.inf)) -> str:
    """`0.9210 ± 0.0120`: the spread as precise as what it belongs to; see `plus_minus` for `limits`."""
    shown = metric(expected)
    if spread is None:
        return shown
    decimal = "e" not in shown and shown == f"{expected:.4f}" and spread >= 0.00005
    return shown + plus_minus(expected, spread, limits, ".4f" if decimal else ".2g")


def plus_minus(
    expected: float, spread: float, limits: Limits, spec: str = ".2g", *, plainly: bool = False
) -> str:
    """` ± 0.012`, or ` (0.92 to 1)` where what is possible ends sooner.

    Args:
        limits: Least and largest possible value, as of `MetricRange`.
        plainly: As `readable` writes it, in place of `spec`.
    """
    low, high = max(expected - spread, limits[0]), min(expected + spread, limits[1])
    if low > expected - spread or high < expected + spread:
        ends = (readable(low, 3), readable(high, 3)) if plainly else (f"{low:.3g}", f"{high:.3g}")
        return f" ({ends[0]} to {ends[1]})"
    if plainly:
        return f" ± {readable(spread, 2)}"
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


def readable(value: float | None, digits: int = 5, *, sign: str = "") -> str:
    """As `significant`, but whole numbers stay whole, and nothing below a million has an exponent.

    `21066`, `1234567`, `0.93612`, `2180` of 2181.4 to 3 digits; `sign` is "+" or empty.
    """
    if value is None or math.isnan(value) or math.isinf(value):
        return significant(value, digits)
    if whole([value]):
        return f"{value:{sign}.0f}"
    rounded = float(f"{value:.{digits}g}")
    return f"{rounded:{sign}.{max(digits, 6) if abs(rounded) < 1e6 else digits}g}"


def beyond(value: float | None, bound: float) -> str:
    """`value` to as many digits as tell it from `bound`: 20.000001 beside 20 is no 20."""
    if value is None:
        return DASH
    for digits in (5, 7, 10, 13):
        shown = readable(value, digits)
        if value == bound or not math.isfinite(value) or float(shown) != bound:
            return shown
    return repr(value)


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
