"""Float: a real number, on a linear, log or logit scale, or on steps."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from tunesmith.errors import SpaceError, short
from tunesmith.space import scales
from tunesmith.space.numeric import MOST_VALUES, Numeric
from tunesmith.space.parameter import When
from tunesmith.space.scales import Array, Scale
from tunesmith.space.values import is_finite, is_number, show
from tunesmith.trial import Value

CELLS = 10**9
"""Cells per unit of the cube's side: floats that share a cell are one value to the digest."""
LARGEST = sys.float_info.max
_CELL_OFFSET = 0.381966011
# Puts the cells' edges away from every short decimal, so float noise almost never crosses one.


@dataclass(frozen=True)
class Float(Numeric):
    """A real number in [low, high].

    Args:
        low, high: Bounds, both legal; equal bounds make a constant.
        scale: `log` for values that matter by their ratio (low > 0), `logit` for fractions that
            matter near both 0 and 1 (0 < low, high < 1).
        step: Only low, low + step, low + 2 step, ... are legal; linear scale only. `high` is lowered
            to the last of them.
    Raises:
        SpaceError: A range that cannot be.
    """

    low: float
    high: float
    scale: Scale = "linear"
    step: float | None = None
    when: When | None = None
    type_name: ClassVar[str] = "float"
    whole: ClassVar[bool] = False

    def __post_init__(self) -> None:
        self.check_bounds()
        object.__setattr__(self, "low", float(self.low))
        object.__setattr__(self, "high", float(self.high))
        if self.scale not in scales.SCALES:
            raise SpaceError(
                f"Float scale {self.scale!r} is none of {', '.join(scales.SCALES)}", key=("scale",)
            )
        if self.scale == "log" and not self.low > 0:
            raise SpaceError(f"Float on a log scale needs low > 0, got low={self.low!r}", key=("low",))
        if self.scale == "logit" and not (1e-300 <= self.low and self.high < 1):
            raise SpaceError(
                f"Float on a logit scale needs 0 < low and high < 1, got {self.low!r} to {self.high!r}",
                key=("low",),
            )
        if not math.isfinite(self.high - self.low):
            raise SpaceError(
                f"Float range {self.low!r} to {self.high!r} is too wide for a float", key=("high",)
            )
        if self.step is not None:
            self._settle_step(self.step)

    def _settle_step(self, step: object) -> None:
        if not is_number(step) or not is_finite(step) or step <= 0:
            raise SpaceError(f"Float needs a step above 0, got {short(step)}", key=("step",))
        object.__setattr__(self, "step", float(step))
        if self.scale != "linear":
            raise SpaceError(
                f"Float with a step must be on the linear scale, not {self.scale}", key=("step",)
            )
        numerator, per_step, denominator, _ = self._grid
        # The small allowance keeps 0.8 in 0 .. 0.7999999999999999 by 0.1, a bound that came from arithmetic.
        last = int((Fraction(repr(self.high)) * denominator - numerator) / per_step + Fraction(1, 10**9))
        # Neighbours must stay apart as floats and as unit coordinates.
        if last > MOST_VALUES or float(step) < 8 * math.ulp(max(abs(self.low), abs(self.high))):
            raise SpaceError(
                f"Float step {step!r} is too small for {self.low!r} to {self.high!r}", key=("step",)
            )
        object.__setattr__(self, "high", float(Fraction(numerator + last * per_step, denominator)))

    @cached_property
    def _grid(self) -> tuple[int, int, int, bool]:
        """(a, b, q, exact): low = a/q, step = b/q as the decimals typed; exact if floats hold them all."""
        low, step = Fraction(repr(self.low)), Fraction(repr(self.step))
        q = math.lcm(low.denominator, step.denominator)
        largest = max(abs(low * q), abs(Fraction(repr(self.high)) * q), step * q, Fraction(q))
        return int(low * q), int(step * q), q, largest < 2**52

    @property
    def exact_step(self) -> bool:
        """Whether every step is a decimal that floats hold: true of 0.1, not of 1/3."""
        return self.step is not None and self._grid[3]

    def _on_grid(self, index: Any) -> Any:
        """low + index * step, correctly rounded: 3 steps of 0.1 are 0.3; one formula for all callers."""
        assert self.step is not None
        a, b, q, exact = self._grid
        return (a + index * b) / q if exact else np.minimum(self.low + index * self.step, self.high)

    @cached_property
    def size(self) -> int | None:
        if self.low == self.high:
            return 1
        return None if self.step is None else round((self.high - self.low) / self.step) + 1

    def on_step(self, value: float) -> bool:
        if self.step is None:
            return True
        slack = max(1e-6 * self.step, 4 * math.ulp(max(abs(self.low), abs(self.high))))
        return abs(float(self._on_grid(np.float64(self.index_of(value)))) - value) <= slack

    def nearest(self, number: float) -> float:
        return float(self.canonical(min(max(number, self.low), self.high)))

    def canonical(self, value: Any) -> Value:
        return float(value) if self.step is None else self.value_at(self.index_of(value))

    def to_unit(self, value: Any) -> float:
        if self.step is None:
            return float(scales.to_unit(self.scale, self.low, self.high, value))
        return super().to_unit(value)

    def from_unit(self, u: float) -> Value:
        return float(self.numbers(np.asarray([u], dtype=np.float64))[0])

    def round_units(self, u: Array) -> Array:
        if self.size is None:
            return np.clip(u, 0.0, 1.0)
        return super().round_units(u)

    def index_of(self, value: Any) -> int:
        assert self.size is not None
        return 0 if self.step is None else min(max(round((value - self.low) / self.step), 0), self.size - 1)

    def value_at(self, index: int) -> Value:
        return self.low if self.step is None else float(self._on_grid(np.float64(index)))

    def numbers(self, u: Array) -> Array:
        if self.step is None:
            return scales.from_unit(self.scale, self.low, self.high, u)
        return np.asarray(self._on_grid(self.indices(u).astype(np.float64)), dtype=np.float64)

    def token(self, value: Any) -> str:
        if self.size is not None:
            return str(self.index_of(value))
        return str(math.floor(self.to_unit(value) * CELLS + _CELL_OFFSET))

    def format(self, value: Any) -> str:
        """Rounded so that the last digit moves the value by about a thousandth of its range."""
        value = float(value)
        if self.size is not None or value in (self.low, self.high):
            return show(value)
        side = min(scales.slope(self.scale, self.low, self.high, value), LARGEST)
        # The slack gives [1e-8, 1] and [1, 1000] the digits of [0, 1] and [0, 1000].
        digits = 3 + math.ceil(-math.log10(side) - 0.05) if side else 0
        rounded = round(value, digits)
        if self.low <= rounded <= self.high and (rounded or not value):
            return show(rounded)
        return show(float(f"{value:.3g}")) if self.low <= float(f"{value:.3g}") <= self.high else show(value)
