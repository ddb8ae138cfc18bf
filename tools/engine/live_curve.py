"""The curve of a running trial in the engine: bounded, and as cheap for the last report as for the first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import overload

from tunesmith.tools.records.thinning import GrowingCurve, stride

Pair = tuple[int, float]


class LiveCurve(Sequence[Pair]):
    """The reports of a trial as far as judging it takes: their number, the latest ones, and a thinned whole.

    Its length is the number of reports. `curve[-1]` is the latest, `curve[n:]` are those from the n-th on;
    of very many, only the ones that are still held.
    """

    def __init__(self) -> None:
        self._growing = GrowingCurve()

    def add(self, step: int, value: float) -> bool:
        """Take in a report; whether it is one of those to be shown while the trial runs.

        All of the first thousand are, then ever fewer, so that the log of a trial stays short.
        """
        point = self._growing.add(step, value)
        return point.ordinal % stride(self._growing.reports) == 0

    @property
    def points(self) -> tuple[Pair, ...]:
        """As it is recorded: in order of step, thinned."""
        return self._growing.points

    def __len__(self) -> int:
        return self._growing.reports

    @overload
    def __getitem__(self, place: int) -> Pair: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Pair, ...]: ...
    def __getitem__(self, place: int | slice) -> Pair | tuple[Pair, ...]:
        if isinstance(place, slice):
            first, _, _ = place.indices(len(self))
            return tuple((point.step, point.value) for point in self._growing.since(first))
        point = self._growing.latest(place)
        return point.step, point.value

    def __iter__(self) -> Iterator[Pair]:
        return iter(self[0:])
