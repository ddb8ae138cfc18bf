"""What may be chosen for a field of a stage: a list or a range, narrowed by pins and forbidden values.

The short forms of a task file are read here: one value, a list, `{low: 1, high: 50}`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic import Field

from tunesmith.errors import short
from tunesmith.space.values import is_number, same
from tunesmith.trial import Frozen

MOST_SAMPLES = 10_000
MOST_ROUNDS = 100
MOST_LISTED = 200
"""Values of one field that may be listed."""


class Range(Frozen):
    """Whole numbers between two bounds, on a logarithmic scale where `low` is at least 1."""

    low: int = Field(ge=0)
    high: int

    def __contains__(self, value: object) -> bool:
        return is_number(value) and self.low <= value <= self.high and float(value).is_integer()


class FloatRange(Frozen):
    """Numbers between two bounds."""

    low: float = Field(ge=0)
    high: float

    def __contains__(self, value: object) -> bool:
        return is_number(value) and self.low <= value <= self.high


Offered = tuple[Any, ...] | Range | FloatRange


def listed(given: Any, name: str) -> tuple[Any, ...]:
    """One value or several, as a tuple.

    Raises:
        ValueError: None, too many, or one of them twice.
    """
    values = tuple(given) if isinstance(given, list | tuple) else (given,)
    if not 1 <= len(values) <= MOST_LISTED:
        raise ValueError(f"should list 1 to {MOST_LISTED} values for `{name}`, got {len(values):,}")
    for place, value in enumerate(values):
        if any(same(value, other) for other in values[:place]):
            raise ValueError(f"should list every value once, got {short(value)} twice. Remove one")
    return values


def whole_numbers(given: Any, name: str, low: int, high: int) -> tuple[int, ...] | Range:
    """Counts as a task file has them: `4`, `[1, 2, 4]` or `{low: 1, high: 50}`.

    Raises:
        ValueError: Anything else, and what is outside [low, high].
    """
    if isinstance(given, Range):
        given = {"low": given.low, "high": given.high}
    example = f"Write such as `{name}: [{max(low, 1)}, 2, 4]` or `{name}: {{low: {max(low, 1)}, high: 16}}`"
    bounds = _bounds(given, example)
    for value in listed(given, name) if bounds is None else bounds:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError(f"should be whole numbers, got {short(value)}. {example}")
        if not low <= value <= high:
            raise ValueError(f"should be {low} to {high:,}, got {short(value)}. {example}")
    if bounds is None:
        return listed(given, name)
    return Range(low=int(bounds[0]), high=int(bounds[1]))


def numbers(given: Any, name: str, high: float) -> tuple[float, ...] | FloatRange:
    """The same for numbers from 0 to `high`."""
    if isinstance(given, FloatRange):
        given = {"low": given.low, "high": given.high}
    example = f"Write such as `{name}: [0.2, 0.7]` or `{name}: {{low: 0, high: 1}}`"
    bounds = _bounds(given, example)
    for value in listed(given, name) if bounds is None else bounds:
        if not is_number(value) or not math.isfinite(value) or not 0 <= value <= high:
            raise ValueError(f"should be numbers from 0 to {high:g}, got {short(value)}. {example}")
    if bounds is None:
        return tuple(float(value) for value in listed(given, name))
    return FloatRange(low=float(bounds[0]), high=float(bounds[1]))


def _bounds(given: Any, example: str) -> tuple[Any, Any] | None:
    if not isinstance(given, Mapping):
        return None
    if set(given) != {"low", "high"}:
        raise ValueError(f"should have `low` and `high` alone, got {short(dict(given))}. {example}")
    low, high = given["low"], given["high"]
    if is_number(low) and is_number(high) and high < low:
        raise ValueError(
            f"should have low <= high, got {short(low)} and {short(high)}. "
            f"Swap them: `{{low: {short(high)}, high: {short(low)}}}`"
        )
    return low, high


class Narrowing(NamedTuple):
    """What pin and forbid leave of the offered values, or why they cannot be had."""

    offered: Offered
    problem: str = ""
    fix: str = ""


def pinned(offered: Offered, values: tuple[Any, ...]) -> Narrowing:
    """Only `values`."""
    for value in values:
        if not _among(value, offered):
            return Narrowing(offered, f"pins {short(value)}, which is not offered.", f"Pin {words(offered)}.")
    kept = offered if isinstance(offered, tuple) else values
    return Narrowing(tuple(one for one in kept if any(same(one, value) for value in values)))


def forbidden(offered: Offered, values: tuple[Any, ...]) -> Narrowing:
    """All but `values`."""
    for value in values:
        if not _among(value, offered):
            fix = f"Forbid {words(offered)}, or remove it."
            return Narrowing(offered, f"forbids {short(value)}, which is not offered.", fix)
    if isinstance(offered, FloatRange):
        return Narrowing(offered, "forbids single values of a range.", "Write another range, or a list.")
    if isinstance(offered, Range):
        low, high = offered.low, offered.high
        while low <= high and low in values:
            low += 1
        while high >= low and high in values:
            high -= 1
        if low <= high and not any(low <= value <= high for value in values):
            return Narrowing(Range(low=low, high=high))
        if high - low + 1 - len(values) > MOST_LISTED:
            fix = "List the values that you mean, or forbid from the ends of the range."
            return Narrowing(offered, "forbids values within a wide range.", fix)
        offered = tuple(range(low, high + 1))
    kept = tuple(one for one in offered if not any(same(one, value) for value in values))
    return Narrowing(kept) if kept else Narrowing(offered, "forbids every value.", "Leave one of them.")


def _among(value: object, offered: Offered) -> bool:
    if isinstance(offered, tuple):
        return any(same(one, value) for one in offered)
    return value in offered


def words(offered: Offered) -> str:
    """What is offered, for a message: `one of small, large` or `1 to 50`."""
    if isinstance(offered, tuple):
        shown = ", ".join(map(short, offered[:8])) + (", ..." if len(offered) > 8 else "")
        return "nothing: the stage has none" if not offered else f"one of {shown}"
    return f"{offered.low:g} to {offered.high:g}"
