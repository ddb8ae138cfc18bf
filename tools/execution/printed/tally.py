"""What one source printed of the metric: how often, the last, the best, and whether it is at one."""

from __future__ import annotations

import math
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Value:
    """A value that was printed, or found in a file."""

    number: float
    step: int | None
    """None where nothing said how far training was."""
    others: dict[str, float] = field(default_factory=dict)
    """Further metrics beside it."""
    where: str = ""
    """`line 12`, for messages."""


class Tally:
    """Values of one source, in the order they came. Its size does not grow with their number.

    Args:
        maximize: Whether a larger value is the better one.
    """

    def __init__(self, *, maximize: bool) -> None:
        self._sign = 1.0 if maximize else -1.0
        self.stepped = self.stepless = 0
        """How many values came with a step, and without."""
        self.first: Value | None = None
        self.last: Value | None = None
        self.last_stepped: Value | None = None
        self.final: Value | None = None
        """The last one without a step."""
        self.final_before: Value | None = None
        """The latest one without a step that differs from `final`."""
        self.repeated: tuple[Value, Value] | None = None
        """The latest two that followed each other with one step and different values."""
        self.best: Value | None = None
        self.after_final = False
        """Whether a value with a step came after the last one without."""

    def __bool__(self) -> bool:
        return self.last is not None

    @property
    def count(self) -> int:
        return self.stepped + self.stepless

    def add(self, value: Value) -> None:
        self.first = self.first or value
        self.last = value
        if value.step is None:
            self.stepless += 1
            if self.final is not None and not _same(self.final.number, value.number):
                self.final_before = self.final
            self.final, self.after_final = value, False
        else:
            self.stepped += 1
            before = self.last_stepped
            if before is not None and before.step == value.step and not _same(before.number, value.number):
                self.repeated = before, value
            self.last_stepped = value
            self.after_final = self.final is not None
        if math.isfinite(value.number) and (
            self.best is None or self._sign * value.number > self._sign * self.best.number
        ):
            self.best = value


def _same(first: float, second: float) -> bool:
    return first == second or (math.isnan(first) and math.isnan(second))
