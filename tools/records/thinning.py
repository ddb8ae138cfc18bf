"""Learning curves of bounded size: the first report, the last, the lowest, the highest, every n-th between.

n is a power of two, and doubles when a curve has twice as many reports, so that a curve can be thinned while
it grows, at a cost for each report that does not depend on their number. Curves of up to `MOST_POINTS`
reports are kept whole.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from tunesmith.tools.records.bounds import MOST_POINTS


class Point(NamedTuple):
    """One report."""

    ordinal: int
    """How many reports of the trial came before it."""
    step: int
    value: float
    seconds: float = 0.0
    """From the start of the trial."""


def stride(reports: int, limit: int = MOST_POINTS) -> int:
    """Every how many reports one is kept of a curve of so many; 1 for up to `limit`."""
    if reports <= limit:
        return 1
    wanted = -(-reports // (limit - 3))  # the last, the lowest and the highest are kept besides
    return 1 << (wanted - 1).bit_length()


class GrowingCurve:
    """A trial's reports as they come, finite values only.

    Never holds more than twice `limit` points: each time it has so many, it is thinned.
    """

    def __init__(self, limit: int = MOST_POINTS) -> None:
        self._limit = limit
        self._points: list[Point] = []
        self.reports = 0
        """How many there were."""
        self.thinnings = 0
        """How often points were thrown away."""

    def add(self, step: int, value: float, seconds: float = 0.0) -> Point:
        """Take in the next report."""
        point = Point(self.reports, step, value, seconds)
        self._points.append(point)
        self.reports += 1
        if len(self._points) >= 2 * self._limit:
            self._points = self._kept()
            self.thinnings += 1
        return point

    def restore(self, point: Point) -> None:
        """Take in a report that was kept before, in order of `ordinal`."""
        self._points.append(point)
        self.reports = max(self.reports, point.ordinal + 1)

    def since(self, ordinal: int) -> list[Point]:
        """The reports from the n-th on that are still held; its cost is their number."""
        place = len(self._points)
        while place and self._points[place - 1].ordinal >= ordinal:
            place -= 1
        return self._points[place:]

    def latest(self, place: int) -> Point:
        """The last report (-1), or one of the few before it, or the first (0).

        Raises:
            IndexError: There is none.
        """
        return self._points[place]

    @property
    def held(self) -> list[Point]:
        """What is held just now, the latest reports whole, in the order they came."""
        return list(self._points)

    @property
    def points(self) -> tuple[tuple[int, float], ...]:
        """(step, value), at most `limit`, in order of step; the first report of a step stands."""
        found: dict[int, float] = {}
        for point in self._kept():
            found.setdefault(point.step, point.value)
        return tuple(sorted(found.items()))

    def _kept(self) -> list[Point]:
        points = self._points
        every = stride(self.reports, self._limit)
        if every == 1:
            return points
        lowest = min(points, key=lambda point: point.value).ordinal
        highest = max(points, key=lambda point: point.value).ordinal
        besides = {lowest, highest, points[-1].ordinal}
        return [point for point in points if point.ordinal % every == 0 or point.ordinal in besides]


def thinned(curve: Iterable[tuple[int, float]], limit: int = MOST_POINTS) -> tuple[tuple[int, float], ...]:
    """At most `limit` points of a curve, in order of step."""
    growing = GrowingCurve(limit)
    for step, value in curve:
        growing.add(step, value)
    return growing.points
