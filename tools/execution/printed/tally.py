"""What one source printed of the metric: how often, the last, the best, and whether it is at one."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Value:
    """A value that was printed, or found in a file."""

    number: float
    step: int | None
    """None where nothing said how far training was."""
    others: dict[str, float] = field(default_factory=dict)
    """Further metrics beside it: finite ones, and of those that the task needs any."""
    where: str = ""
    """`line 12`, for messages."""
    items: dict[str, str] = field(default_factory=dict)
    """Packed scores per item behind it and behind `others`, by metric."""


MOST_STEPS = 100_000
"""Steps whose values are kept."""
MOST_KEPT_ITEMS = 32 << 20
"""Characters of packed scores that are kept with them."""


class Tally:
    """Values of one source, in the order they came.

    Args:
        maximize: Whether a larger value is the better one.
        by_step: Whether `at` knows the values of `MOST_STEPS` steps; without it the size does not grow.
    """

    def __init__(self, *, maximize: bool, by_step: bool = False) -> None:
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
        self._by_step: dict[int, Value] | None = {} if by_step else None
        self._kept_items = 0

    def at(self, step: int) -> Value | None:
        """The last value with a step."""
        return None if self._by_step is None else self._by_step.get(step)

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
            self._keep(value, value.step)
        if math.isfinite(value.number) and (
            self.best is None or self._sign * value.number > self._sign * self.best.number
        ):
            self.best = value

    def _keep(self, value: Value, step: int) -> None:
        kept = self._by_step
        if kept is None or (step not in kept and len(kept) >= MOST_STEPS):
            return
        self._kept_items += sum(map(len, value.items.values()))
        kept[step] = value if self._kept_items <= MOST_KEPT_ITEMS else replace(value, items={})


def _same(first: float, second: float) -> bool:
    return first == second or (math.isnan(first) and math.isnan(second))
