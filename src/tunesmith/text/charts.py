"""Parts of charts that every output shares: points to draw, bars of text, ticks of an axis."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, log10
from typing import TypeVar

_BARS = "▁▂▃▄▅▆▇█"
_T = TypeVar("_T")


def thin(items: Sequence[_T], most: int = 12) -> list[_T]:
    """At most `most` items (at least 2): evenly spaced, first and last kept."""
    if len(items) <= most:
        return list(items)
    last = len(items) - 1
    return [items[round(i * last / (most - 1))] for i in range(most)]


def sparkline(values: Sequence[float]) -> str:
    """One character a value, lowest to highest; a flat line where all are equal."""
    if not values:
        return ""
    low, high = min(values), max(values)
    if high <= low:
        return _BARS[3] * len(values)
    # Halved before subtracting: the span of two huge values may overflow.
    return "".join(_BARS[round((v / 2 - low / 2) / (high / 2 - low / 2) * (len(_BARS) - 1))] for v in values)


def round_ticks(low: float, high: float) -> list[tuple[float, str]]:
    """Two to six multiples of 1, 2 or 5 times a power of ten in [low, high], each with a text of its own.

    `low` < `high`; both finite, and their distance may be larger than a float can hold.
    """
    rough = (high / 2 - low / 2) / 2.5
    power = 10.0 ** floor(log10(rough))
    step = next((m * power for m in (1.0, 2.0, 5.0) if m * power >= rough), 10.0 * power)
    digits = max(0, -floor(log10(step)))
    largest = max(abs(low), abs(high))
    fixed = digits <= 6 and largest < 1e7
    style = f".{digits}f" if fixed else f".{max(floor(log10(largest)) - floor(log10(step)) + 1, 2)}g"
    values = [k * step + 0.0 for k in range(ceil(low / step), floor(high / step) + 1)]
    return [(value, format(value, style)) for value in values]
