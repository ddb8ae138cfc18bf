"""Int: a whole number, on a linear or log scale, or on steps."""

from __future__ import annotations

import hashlib
import math
import struct
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, ClassVar, Literal

import numpy as np

from tunesmith.errors import SpaceError, short
from tunesmith.space import scales
from tunesmith.space.numeric import MOST_VALUES, Numeric
from tunesmith.space.parameter import Indices, When
from tunesmith.space.scales import Array
from tunesmith.space.values import INT64
from tunesmith.trial import Value

LARGEST_EXACT = 2**53
"""Floats hold every integer up to this."""


@dataclass(frozen=True)
class Int(Numeric):
    """A whole number in [low, high].

    Args:
        low, high: Bounds, both legal, of at most 64 bits; equal bounds make a constant.
        scale: `log` (low >= 1) for values that matter by their ratio.
        step: Only low, low + step, ... are legal; linear scale only. `high` is lowered to the last.
    Raises:
        SpaceError: A range that cannot be.
    """

    low: int
    high: int
    scale: Literal["linear", "log"] = "linear"
    step: int = 1
    when: When | None = None
    type_name: ClassVar[str] = "int"
    whole: ClassVar[bool] = True

    def __post_init__(self) -> None:
        self.check_bounds()
        for key in ("low", "high", "step"):
            if not isinstance(getattr(self, key), int) or isinstance(getattr(self, key), bool):
                raise SpaceError(
                    f"Int needs a whole number as `{key}`, got {short(getattr(self, key))}", key=(key,)
                )
        if not (-INT64 <= self.low and self.high < INT64):
            raise SpaceError(
                f"Int bounds must lie within 64 bits, got {short(self.low)} to {short(self.high)}",
                key=("low" if self.low < -INT64 else "high",),
            )
        if self.scale not in ("linear", "log"):
            raise SpaceError(f"Int scale {self.scale!r} is none of linear, log", key=("scale",))
        if self.step < 1:
            raise SpaceError(f"Int needs a step of at least 1, got {self.step}", key=("step",))
        if self.scale == "log" and (self.low < 1 or self.step != 1):
            raise SpaceError(
                f"Int on a log scale needs low >= 1 and step 1, got low={self.low}, step={self.step}",
                key=("scale",),
            )
        object.__setattr__(self, "high", self.high - (self.high - self.low) % self.step)

    @cached_property
    def size(self) -> int:
        return (self.high - self.low) // self.step + 1

    @cached_property
    def wide(self) -> bool:
        """Whether floats do not tell all values apart: then the sums are done in Python's own integers.

        A unit coordinate stands for a few neighbouring values there, and comes back as one of them.
        """
        return self.size > MOST_VALUES or max(-self.low, self.high) > MOST_VALUES

    @property
    def _edges(self) -> tuple[float, float]:
        """Ends of the log range with half a cell more on both sides, as for the linear one."""
        return self.low - 0.5, self.high + 0.5

    def on_step(self, value: int | float) -> bool:
        return (value - self.low) % self.step == 0

    def nearest(self, number: float) -> int:
        return self.low + self.index_of(min(max(number, self.low), self.high)) * self.step

    def canonical(self, value: Any) -> Value:
        return int(value)

    @property
    def exact(self) -> bool:
        """Whether Optuna, which keeps numbers as floats, holds all values."""
        return max(-self.low, self.high) <= LARGEST_EXACT

    def stored(self, value: Any) -> Value | None:
        return int(value) if self.exact else float(value)

    def to_unit(self, value: Any) -> float:
        if self.scale == "log":
            return float(scales.to_unit("log", *self._edges, value))
        return super().to_unit(value) if not self.wide else self._centre(self.index_of(value))

    def round_units(self, u: Array) -> Array:
        if self.scale == "log":
            return scales.to_unit("log", *self._edges, self.numbers(u))
        if self.wide:
            units = [self._centre(int(index)) for index in self.indices(u).ravel()]
            return np.array(units).reshape(np.shape(u))
        return super().round_units(u)

    def indices(self, u: Array) -> Indices:
        if self.wide:
            found = np.empty(np.shape(u), dtype=object)
            found.ravel()[:] = [self._wide_index(float(x)) for x in np.ravel(u)]
            return found  # of Python's integers, which NumPy's would cut to 64 bits
        if self.scale == "log":
            nearest = np.rint(scales.from_unit("log", *self._edges, u))
            return (np.clip(nearest, self.low, self.high) - self.low).astype(np.int64)
        return super().indices(u)

    def _centre(self, index: int) -> float:
        """Unit coordinate of a value of a wide range, correctly rounded."""
        return float(Fraction(2 * index + 1, 2 * self.size))

    def _wide_index(self, u: float) -> int:
        if self.scale == "log":
            nearest = float(np.rint(scales.from_unit("log", *self._edges, u)))
            value = int(nearest) + _mixed(u) % max(int(math.ulp(nearest)), 1)
            return min(max(value, self.low), self.high) - self.low
        if not 0.0 < u < 1.0:
            return 0 if u <= 0.0 else self.size - 1
        below, above = (Fraction(u) + Fraction(math.nextafter(u, to)) for to in (-1.0, 2.0))
        # The indices whose unit coordinate rounds to u; where floats are as dense as the values, one or none.
        first = math.floor(below / 2 * self.size - Fraction(1, 2)) + 1
        last = math.ceil(above / 2 * self.size - Fraction(1, 2)) - 1
        index = (
            first + _mixed(u) % (last - first + 1) if last > first else math.floor(Fraction(u) * self.size)
        )
        return min(max(index, 0), self.size - 1)

    def index_of(self, value: Any) -> int:
        steps: Any = (Fraction(value) - self.low if self.wide else value - self.low) / self.step
        return int(min(max(round(steps), 0), self.size - 1))

    def value_at(self, index: int) -> Value:
        return self.low + int(index) * self.step

    def numbers(self, u: Array) -> Array:
        return np.asarray(self.low + self.indices(u) * self.step).astype(np.float64)

    def format(self, value: Any) -> str:
        return str(value)


def _mixed(u: float) -> int:
    """64 bits that look random and depend on u alone: last digits of a number that u is too coarse for."""
    return int.from_bytes(hashlib.blake2b(struct.pack("<d", u), digest_size=8).digest(), "big")
