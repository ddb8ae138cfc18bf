"""What Float and Int share: bounds, and the faults that numbers have."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Any, ClassVar

from tunesmith.errors import Problem, SpaceError, short
from tunesmith.space.parameter import Parameter
from tunesmith.space.scales import Scale
from tunesmith.space.values import is_finite, is_number, number_in, show
from tunesmith.trial import Value

MOST_VALUES = 2**40
"""Steps of a range, and the bounds of Int, lie within this: unit coordinates tell all values apart."""


class Numeric(Parameter):
    """A number between two bounds, both legal."""

    low: float
    high: float
    scale: Scale
    step: float | None
    whole: ClassVar[bool]
    """Whether only ints are legal."""

    @property
    def numeric(self) -> bool:
        return True

    @abstractmethod
    def on_step(self, value: float) -> bool:
        """Whether a number within the bounds is legal."""

    @abstractmethod
    def nearest(self, number: float) -> Value:
        """The legal value nearest to any number but NaN."""

    def check(self, name: str, value: object) -> Problem | None:
        allowed = self.describe()

        def problem(kind: str) -> Problem:
            number = number_in(value)
            return Problem(kind, name, value, allowed, None if number is None else self.nearest(number))

        if not is_number(value):
            return problem("wrong_type")
        if isinstance(value, float) and not math.isfinite(value):
            return problem("not_finite")
        if self.whole and not isinstance(value, int):
            return problem("wrong_type")
        if not self.low <= value <= self.high:
            return problem("out_of_range")
        return None if self.on_step(value) else problem("off_step")

    def describe(self) -> str:
        if self.low == self.high:
            return f"always {show(self.low)}"
        step = "" if self.step is None or self.step == type(self).step else f" in steps of {show(self.step)}"
        scale = f", {self.scale} scale" if self.scale != "linear" else ""
        noun = "a whole number" if self.whole else "a number"
        return f"{noun} from {show(self.low)} to {show(self.high)}{step}{scale}"

    def to_dict(self) -> dict[str, Any]:
        data: dict[str, Any] = {"type": self.type_name, "low": self.low, "high": self.high}
        for key in ("scale", "step"):
            if getattr(self, key) != getattr(type(self), key):  # the class has the default
                data[key] = getattr(self, key)
        return data

    def check_bounds(self) -> None:
        """SpaceError unless the bounds are finite numbers in order."""
        kind = type(self).__name__
        for key, bound in (("low", self.low), ("high", self.high)):
            if not is_number(bound) or not is_finite(bound):
                raise SpaceError(f"{kind} needs a finite number as `{key}`, got {short(bound)}", key=(key,))
        if self.low > self.high:
            raise SpaceError(
                f"{kind} needs low <= high, got low={short(self.low)}, high={short(self.high)}", key=("low",)
            )
