"""A curve of a trial that has ended: few points, packed, since a long run has thousands of them."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from math import isfinite
from typing import overload

Point = tuple[int, float]

MOST_ENDED = 128
"""Points of such a curve, 2 KiB; a plot has about as many columns."""


def ended_curve(curve: Sequence[Point], most: int = MOST_ENDED) -> Sequence[Point]:
    """At most `most` points of a curve in its order: the ends, and the extremes of each stretch between."""
    points = list(curve) if len(curve) <= most else _extremes(curve, most)
    try:
        return PackedCurve(points)
    except OverflowError:  # a step of more than 64 bits
        return points


def _extremes(curve: Sequence[Point], most: int) -> list[Point]:
    stretches, inner = (most - 2) // 2, len(curve) - 2
    kept = {0, len(curve) - 1}
    for k in range(stretches):
        part = range(1 + k * inner // stretches, 1 + (k + 1) * inner // stretches)
        finite = [i for i in part if isfinite(curve[i][1])] or part[:1]
        kept |= {min(finite, key=lambda i: curve[i][1]), max(finite, key=lambda i: curve[i][1])}
    return [curve[i] for i in sorted(kept)]


class PackedCurve(Sequence[Point]):
    """Points that cannot be changed, 16 bytes each.

    Raises:
        OverflowError: A step has more than 64 bits.
    """

    __slots__ = ("_steps", "_values")

    def __init__(self, points: Sequence[Point]) -> None:
        self._steps = array("q", [step for step, _ in points])
        self._values = array("d", [value for _, value in points])

    def __len__(self) -> int:
        return len(self._steps)

    @overload
    def __getitem__(self, at: int) -> Point: ...
    @overload
    def __getitem__(self, at: slice) -> list[Point]: ...
    def __getitem__(self, at: int | slice) -> Point | list[Point]:
        if isinstance(at, slice):
            return list(zip(self._steps[at], self._values[at], strict=True))
        return self._steps[at], self._values[at]

    def __eq__(self, other: object) -> bool:
        return list(self) == list(other) if isinstance(other, Sequence) else NotImplemented

    __hash__ = None  # type: ignore[assignment]
