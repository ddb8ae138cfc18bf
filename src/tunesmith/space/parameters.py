"""What every kind of parameter can do, and the numeric kinds: Float and Int.

A parameter knows its legal values and its place in the unit cube; it knows nothing of the other
parameters. `Space` puts them together. Finite kinds number their values 0 .. size-1, and each owns an
equal cell of [0, 1], so uniform draws from the cube are uniform over the values.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from tunesmith.errors import Problem, SpaceError, short
from tunesmith.space import scales
from tunesmith.space.scales import Array, Scale
from tunesmith.space.values import is_finite, is_number, number_in, show
from tunesmith.trial import Value

Indices = NDArray[np.int64]
When = Mapping[str, Value | Sequence[Value]]
LARGEST_INT = 2**40
"""Bounds of Int lie within this, so that unit coordinates tell every value from its neighbour."""
CELLS = 10**9
"""Cells per unit of the cube's side: floats that share a cell are one value to the digest."""
_CELL_OFFSET = 0.381966011
# Puts the cells' edges away from every short decimal, so float noise almost never crosses one.


class Parameter(ABC):
    """One hyperparameter. Immutable; `when` holds parent -> the values that make it active."""

    type_name: ClassVar[str]
    one_hot: ClassVar[bool] = False
    when: Mapping[str, Any] | None

    @property
    @abstractmethod
    def size(self) -> int | None:
        """Number of distinct values; None for a continuous range."""

    @abstractmethod
    def check(self, name: str, value: object) -> Problem | None:
        """The fault of a value, or None. `value` has no NumPy scalars any more."""

    @abstractmethod
    def canonical(self, value: Any) -> Value:
        """A legal value in the one form that is stored: 1 as 1.0 for a Float, on its step exactly."""

    @abstractmethod
    def to_unit(self, value: Any) -> float:
        """Unit coordinate of a legal value, in [0, 1]."""

    @abstractmethod
    def from_unit(self, u: float) -> Value:
        """The legal value at, or nearest to, a unit coordinate."""

    @abstractmethod
    def round_units(self, u: Array) -> Array:
        """Unit coordinates of the nearest legal values; any shape."""

    @abstractmethod
    def indices(self, u: Array) -> Indices:
        """Index of the value at each coordinate; finite kinds only."""

    @abstractmethod
    def index_of(self, value: Any) -> int:
        """Index of a legal value; finite kinds only."""

    @abstractmethod
    def value_at(self, index: int) -> Value:
        """The value with an index; finite kinds only."""

    @abstractmethod
    def numbers(self, u: Array) -> Array:
        """The values at coordinates as floats, for constraints; numeric values only."""

    @property
    @abstractmethod
    def numeric(self) -> bool:
        """Whether constraints may use it: its values are numbers."""

    @abstractmethod
    def format(self, value: Any) -> str:
        """A legal value for people and models, with sane precision."""

    @abstractmethod
    def describe(self) -> str:
        """The legal values in words."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """As in a task file, without `when`; defaults are left out."""

    def token(self, value: Any) -> str:
        """Text that is equal exactly for values that count as one to the digest."""
        return str(self.index_of(value))


def cell_indices(u: Array, size: int) -> Indices:
    return np.clip(np.floor(np.asarray(u) * size), 0, size - 1).astype(np.int64)


def cell_centre(index: Any, size: int) -> Any:
    return (index + 0.5) / size


def _bounds(kind: str, low: object, high: object) -> None:
    for key, bound in (("low", low), ("high", high)):
        if not is_number(bound) or not is_finite(bound):  # type: ignore[arg-type]
            raise SpaceError(f"{kind} needs a finite number as `{key}`, got {short(bound)}", key=(key,))
    if low > high:  # type: ignore[operator]
        raise SpaceError(f"{kind} needs low <= high, got low={low!r}, high={high!r}", key=("low",))


def _check_number(parameter: Float | Int, name: str, value: object) -> Problem | None:
    """Faults that Float and Int share: not a number, not finite, out of range."""
    allowed = parameter.describe()

    def problem(kind: str) -> Problem:
        number = number_in(value)
        nearest = None if number is None else parameter.nearest(number)
        return Problem(kind, name, value, allowed, nearest)

    if not is_number(value):
        return problem("wrong_type")
    assert isinstance(value, int | float)
    if isinstance(value, float) and not math.isfinite(value):
        return problem("not_finite")
    if isinstance(parameter, Int) and not isinstance(value, int):
        return problem("wrong_type")
    if not parameter.low <= value <= parameter.high:
        return problem("out_of_range")
    if not parameter.on_step(value):
        return problem("off_step")
    return None


@dataclass(frozen=True)
class Float(Parameter):
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

    def __post_init__(self) -> None:
        _bounds("Float", self.low, self.high)
        object.__setattr__(self, "low", float(self.low))
        object.__setattr__(self, "high", float(self.high))
        if self.scale not in scales.SCALES:
            raise SpaceError(
                f"Float scale {self.scale!r} is none of {', '.join(scales.SCALES)}", key=("scale",)
            )
        if self.scale == "log" and not (self.low >= 1e-300 and math.isfinite(self.high / self.low)):
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
        if not is_number(step) or not is_finite(step) or step <= 0:  # type: ignore[arg-type, operator]
            raise SpaceError(f"Float needs a step above 0, got {short(step)}", key=("step",))
        object.__setattr__(self, "step", float(step))  # type: ignore[arg-type]
        if self.scale != "linear":
            raise SpaceError(
                f"Float with a step must be on the linear scale, not {self.scale}", key=("step",)
            )
        numerator, per_step, denominator, _ = self._grid
        # The small allowance keeps 0.8 in 0 .. 0.7999999999999999 by 0.1, a bound that came from arithmetic.
        last = int((Fraction(repr(self.high)) * denominator - numerator) / per_step + Fraction(1, 10**9))
        # Neighbours must stay apart as floats and as unit coordinates.
        if last > LARGEST_INT or float(step) < 8 * math.ulp(max(abs(self.low), abs(self.high))):  # type: ignore[arg-type]
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

    @property
    def numeric(self) -> bool:
        return True

    def on_step(self, value: float) -> bool:
        if self.step is None:
            return True
        slack = max(1e-6 * self.step, 4 * math.ulp(max(abs(self.low), abs(self.high))))
        return abs(float(self._on_grid(np.float64(self.index_of(value)))) - value) <= slack

    def nearest(self, number: float) -> float:
        return float(self.canonical(min(max(number, self.low), self.high)))

    def check(self, name: str, value: object) -> Problem | None:
        return _check_number(self, name, value)

    def canonical(self, value: Any) -> Value:
        return float(value) if self.step is None else self.value_at(self.index_of(value))

    def to_unit(self, value: Any) -> float:
        if self.step is None:
            return float(scales.to_unit(self.scale, self.low, self.high, value))
        return float(cell_centre(self.index_of(value), self.size))  # type: ignore[arg-type]

    def from_unit(self, u: float) -> Value:
        return float(self.numbers(np.asarray([u], dtype=np.float64))[0])

    def round_units(self, u: Array) -> Array:
        if self.size is None:
            return np.clip(u, 0.0, 1.0)
        return np.asarray(cell_centre(self.indices(u), self.size))

    def indices(self, u: Array) -> Indices:
        assert self.size is not None
        return cell_indices(u, self.size)

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
        side = scales.slope(self.scale, self.low, self.high, value)
        # The slack gives [1e-8, 1] and [1, 1000] the digits of [0, 1] and [0, 1000].
        digits = 3 + math.ceil(-math.log10(side) - 0.05) if side else 0
        rounded = round(value, digits)
        if self.low <= rounded <= self.high and (rounded or not value):
            return show(rounded)
        return show(float(f"{value:.3g}")) if self.low <= float(f"{value:.3g}") <= self.high else show(value)

    def describe(self) -> str:
        if self.low == self.high:
            return f"always {show(self.low)}"
        step = f" in steps of {show(self.step)}" if self.step is not None else ""
        scale = f", {self.scale} scale" if self.scale != "linear" else ""
        return f"a number from {show(self.low)} to {show(self.high)}{step}{scale}"

    def to_dict(self) -> dict[str, Any]:
        data: dict[str, Any] = {"type": self.type_name, "low": self.low, "high": self.high}
        if self.scale != "linear":
            data["scale"] = self.scale
        if self.step is not None:
            data["step"] = self.step
        return data


@dataclass(frozen=True)
class Int(Parameter):
    """A whole number in [low, high].

    Args:
        low, high: Bounds, both legal, within +-2**40; equal bounds make a constant.
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

    def __post_init__(self) -> None:
        _bounds("Int", self.low, self.high)
        for key in ("low", "high", "step"):
            if not isinstance(getattr(self, key), int) or isinstance(getattr(self, key), bool):
                raise SpaceError(
                    f"Int needs a whole number as `{key}`, got {short(getattr(self, key))}", key=(key,)
                )
        if max(abs(self.low), abs(self.high)) > LARGEST_INT:
            raise SpaceError(
                f"Int bounds must lie within +-2**40, got {self.low} to {self.high}", key=("high",)
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

    @property
    def size(self) -> int:
        return (self.high - self.low) // self.step + 1

    @property
    def numeric(self) -> bool:
        return True

    @property
    def _edges(self) -> tuple[float, float]:
        """Ends of the log range with half a cell more on both sides, as for the linear one."""
        return self.low - 0.5, self.high + 0.5

    def on_step(self, value: int | float) -> bool:
        return (value - self.low) % self.step == 0

    def nearest(self, number: float) -> int:
        return self.low + self.index_of(min(max(number, self.low), self.high)) * self.step

    def check(self, name: str, value: object) -> Problem | None:
        return _check_number(self, name, value)

    def canonical(self, value: Any) -> Value:
        return int(value)

    def to_unit(self, value: Any) -> float:
        if self.scale == "log":
            return float(scales.to_unit("log", *self._edges, value))
        return float(cell_centre(self.index_of(value), self.size))

    def from_unit(self, u: float) -> Value:
        return self.value_at(int(self.indices(np.asarray([u]))[0]))

    def round_units(self, u: Array) -> Array:
        if self.scale == "log":
            return scales.to_unit("log", *self._edges, self.numbers(u))
        return np.asarray(cell_centre(self.indices(u), self.size))

    def indices(self, u: Array) -> Indices:
        if self.scale == "log":
            nearest = np.rint(scales.from_unit("log", *self._edges, u))
            return (np.clip(nearest, self.low, self.high) - self.low).astype(np.int64)
        return cell_indices(u, self.size)

    def index_of(self, value: Any) -> int:
        return int(min(max(round((value - self.low) / self.step), 0), self.size - 1))

    def value_at(self, index: int) -> Value:
        return self.low + int(index) * self.step

    def numbers(self, u: Array) -> Array:
        return (self.low + self.indices(u) * self.step).astype(np.float64)

    def format(self, value: Any) -> str:
        return str(value)

    def describe(self) -> str:
        if self.low == self.high:
            return f"always {self.low}"
        step = f" in steps of {self.step}" if self.step != 1 else ""
        scale = ", log scale" if self.scale == "log" else ""
        return f"a whole number from {self.low} to {self.high}{step}{scale}"

    def to_dict(self) -> dict[str, Any]:
        data: dict[str, Any] = {"type": self.type_name, "low": self.low, "high": self.high}
        if self.scale != "linear":
            data["scale"] = self.scale
        if self.step != 1:
            data["step"] = self.step
        return data
