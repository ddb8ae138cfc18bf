"""From values to places along an axis, and the ticks that name them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, floor, isfinite, log10

import numpy as np
from numpy.typing import NDArray

from tunesmith.text.charts import round_ticks

MARGIN = 0.03
"""Room at both ends, of the range of the values."""
DECADES = 2.0
"""Positive values that span more powers of ten are better seen on a logarithmic scale."""
Tick = tuple[float, str]
"""A value, and how it is written."""


@dataclass(frozen=True)
class Scale:
    """An axis from `low` to `high`, both finite and `low` < `high`; positive where logarithmic."""

    low: float
    high: float
    log: bool = False
    ticks: tuple[Tick, ...] = ()

    @classmethod
    def of(cls, values: Iterable[float], *, log: bool = False, margin: float = MARGIN) -> Scale:
        """An axis with room for all finite values; a logarithmic one for the positive ones of them.

        Without values it is [0, 1]; around a single one it has some room.
        """
        shown = [value for value in values if isfinite(value) and (value > 0 or not log)]
        if not shown:
            return cls.between(0.0, 1.0)
        low, high = min(shown), max(shown)
        if log:
            room = margin * (log10(high) - log10(low)) or 0.1
            ends = log10(low) - room, log10(high) + room
            return cls.between(10.0 ** max(ends[0], -300.0), 10.0 ** min(ends[1], 300.0), log=True)
        room = margin * (high / 2 - low / 2) * 2 or abs(high) * 0.01 or 1.0
        return cls.between(max(low - room, -1e308), min(high + room, 1e308))

    @classmethod
    def between(cls, low: float, high: float, *, log: bool = False) -> Scale:
        """An axis with exactly these ends, and round ticks."""
        if not low < high or (log and low <= 0):
            low, high, log = (low - 1.0, low + 1.0, False) if low - 1.0 < low else (0.0, 1.0, False)
        return cls(low, high, log, tuple(_log_ticks(low, high) if log else _linear_ticks(low, high)))

    def at(self, value: float) -> float | None:
        """Where a value is, from 0 at `low` to 1 at `high`; None outside, and for what is not finite."""
        if not isfinite(value) or not self.low <= value <= self.high:
            return None
        if self.log:
            low = log10(self.low)
            return min(1.0, max(0.0, (log10(value) - low) / (log10(self.high) - low)))
        # Halved: the span of two huge values may overflow.
        return min(1.0, max(0.0, (value / 2 - self.low / 2) / (self.high / 2 - self.low / 2)))

    def place(self, value: float, cells: int) -> int | None:
        """Which of `cells` cells, from 0 at `low`, a value is in; None outside."""
        at = self.at(value)
        return None if at is None else round(at * (cells - 1))

    def places(self, values: NDArray[np.float64], cells: int) -> NDArray[np.int_]:
        """As `place` of each, -1 for what is outside."""
        inside = (values >= self.low) & (values <= self.high)
        kept = np.where(inside, values, self.low)
        if self.log:
            low = log10(self.low)
            at = (np.log10(kept) - low) / (log10(self.high) - low)
        else:
            at = (kept / 2 - self.low / 2) / (self.high / 2 - self.low / 2)
        return np.where(inside, np.rint(np.clip(at, 0.0, 1.0) * (cells - 1)), -1.0).astype(int)

    def clipped(self, value: float, cells: int) -> int | None:
        """As `place`, with what is outside at the nearer end; None only for NaN."""
        if value != value:
            return None
        return self.place(min(max(value, self.low), self.high), cells)


def wants_log(values: Iterable[float]) -> bool:
    """Whether values are better seen on a logarithmic scale: all positive, over many powers of ten."""
    shown = [value for value in values if isfinite(value)]
    return bool(shown) and min(shown) > 0 and log10(max(shown)) - log10(min(shown)) > DECADES


def _linear_ticks(low: float, high: float) -> list[Tick]:
    if high / 2 - low / 2 < 1e-300 or high - low <= 1e-12 * max(abs(low), abs(high)):
        return [(low, f"{low:.4g}")]
    return round_ticks(low, high)


def _log_ticks(low: float, high: float) -> list[Tick]:
    first, last = floor(log10(low)), ceil(log10(high))
    factors = (1.0, 2.0, 5.0) if last - first <= 3 else (1.0,)
    step = max(1, (last - first) // 6)
    values = [f * 10.0**power for power in range(first, last + 1, step) for f in factors]
    inside = [value for value in values if low <= value <= high]
    return [(value, f"{value:g}") for value in inside] or [(low, f"{low:.3g}")]
