"""One metric in what a command prints: its values in lines and mappings, and where nothing counted, why."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from tunesmith.metric import Reading
from tunesmith.tools.execution.printed.item_scores import under
from tunesmith.tools.execution.printed.nearest import Nearest
from tunesmith.tools.execution.printed.numbers_in import (
    number_from,
    other_numbers,
    step_of,
    value_of,
)
from tunesmith.tools.execution.printed.pattern import Pattern
from tunesmith.tools.execution.printed.tally import Tally, Value
from tunesmith.tools.execution.printed.terminal_lines import Drawn

Stream = Literal["stdout", "stderr"]
STREAMS: tuple[Stream, ...] = ("stdout", "stderr")
_RANK = re.compile(r"\[(?:rank|default|worker|trainer)?[ _:]?(\d{1,5})\]", re.IGNORECASE)


@dataclass
class _Source:
    """The metric's values in one stream."""

    nearest: Nearest
    own: Tally
    others: Tally
    """What ranks above 0 printed."""
    held: tuple[Value, bool] | None = None
    """A value on a line that may be drawn anew, and whether it is rank 0's."""


class MetricReader:
    """Takes the values of one metric. Used from one thread.

    Args:
        metric: Its name.
        reading: How its value is read.
        report: Called with (value, step) for each value with a step.
        record: Called with (value, step) where there are several values without steps; they are numbered.
        beside: Further metrics whose numbers are kept with its own.
        first: The metric whose value is chosen first; None where it is this one.
        several: Whether the task has several metrics.
    """

    def __init__(
        self,
        metric: str,
        reading: Reading,
        *,
        report: Callable[[float, int], None] = lambda value, step: None,
        record: Callable[[float, int], None] = lambda value, step: None,
        beside: Sequence[tuple[str, Reading]] = (),
        first: Reading | None = None,
        several: bool = False,
    ) -> None:
        self.metric, self.reading = metric, reading
        self._key = f"metrics.{metric}" if several else "metric"
        self._takes = reading.take is not None or (first is not None and first.take is not None)
        self._beside = tuple(beside)
        self._report, self._record = report, record
        self.pattern = None if reading.regex is None else Pattern(reading.regex)
        self._sources: dict[Stream, _Source] = {
            name: _Source(
                Nearest(metric, "" if name == "stdout" else name, reading.regex, several=several),
                Tally(maximize=reading.maximize, by_step=first is not None),
                Tally(maximize=reading.maximize, by_step=first is not None),
            )
            for name in STREAMS
        }
        self._steps = _Steps()
        self._numbered = 0
        self._notes: dict[str, str] = {}

    @property
    def tallies(self) -> list[Tally]:
        """What each source had, the preferred one first."""
        return [s.own for s in self._sources.values()] + [s.others for s in self._sources.values()]

    @property
    def notes(self) -> list[str]:
        return list(self._notes.values())

    @property
    def why_nothing(self) -> str:
        """A clause on the closest line."""
        out, err = self._sources["stdout"].nearest, self._sources["stderr"].nearest
        closest = out if out.rank >= err.rank else err
        return closest.why or "it printed nothing"

    def nearest(self, stream: Stream) -> Nearest:
        return self._sources[stream].nearest

    def has(self, values: Mapping[str, Any]) -> bool:
        """Whether a mapping has the metric."""
        return value_of(values, self.metric)[0]

    def match(self, stream: Stream, piece: Drawn) -> None:
        """Look at a line by the pattern."""
        pattern, source = self.pattern, self._sources[stream]
        assert pattern is not None
        groups = pattern.groups(piece.text) if piece.text else None
        if pattern.slow:
            self._notes["slow"] = (
                f"The pattern of `{self._key}` took too long for line {piece.line}, which was not read"
                + ("; it was not used any more." if pattern.given_up else ".")
            )
        if groups is None:
            if piece.text:
                source.nearest.plain(piece.line, piece.text)
            return
        text = groups.pop("value")
        numbers = {name: number_from(value) for name, value in groups.items()}
        values: dict[str, Any] = {k: v for k, v in numbers.items() if v is not None}
        self.offer(stream, piece, {**values, self.metric: text}, piece.text, numbered=True)

    def offer(
        self, stream: Stream, piece: Drawn, values: Mapping[str, Any], prefix: str, *, numbered: bool = False
    ) -> bool:
        """Take the metric out of a mapping; whether it is there, and a number.

        Args:
            prefix: What stands before it in its line; may name a rank.
            numbered: Whether a value without a step is one of a curve.
        """
        source = self._sources[stream]
        there, raw = value_of(values, self.metric)
        if not there:
            source.nearest.mapping(piece.line, piece.text, values)
            return False
        number, history, items, note = under(raw, self.metric, self.reading, histories=self._takes)
        if note:
            self._notes["items"] = note
        if history is not None:
            self._offer_history(stream, history, f"line {piece.line}")
            return True
        if number is None:
            source.nearest.unusable(piece.line, raw)
            return False
        key, given = step_of(values, self.metric)
        step: int | None = None
        if key is not None or numbered:
            step = self._steps.place(given)
            if self._steps.why and key is not None:
                self._notes.setdefault(
                    "steps", f"`{key}` was {self._steps.why}; the reports were numbered instead."
                )
        rank = _rank(prefix)
        where = f"line {piece.line}" if rank is None else f"rank {rank}"
        others = other_numbers(values, self.metric)
        for name, reading in self._beside:
            add_beside(name, reading, values, others, items)
        value = Value(number, step, others, where, items)
        if source.held is not None and source.held[0].step != value.step:
            self.release(stream)
        source.held = value, not rank
        if not piece.redrawn:
            self.release(stream)
        return True

    def _offer_history(self, stream: Stream, history: list[float], where: str) -> None:
        """All values of a curve at once, as Keras has them at the end: too late for verdicts."""
        self.release(stream)
        for step, number in enumerate(history):
            self._sources[stream].own.add(Value(number, step, {}, where))
            self._record(number, step)

    def release(self, stream: Stream) -> None:
        """What was held is not drawn over any more: it counts."""
        source = self._sources[stream]
        if source.held is None:
            return
        (value, first_rank), source.held = source.held, None
        tally = source.own if first_rank else source.others
        tally.add(value)
        preferred = self._sources["stdout"].own
        if not first_rank or (preferred and source.own is not preferred):
            return
        if value.step is not None:
            self._steps.used(value.step)
            self._report(value.number, value.step)
        elif not tally.stepped and tally.stepless > 1:
            if self._numbered == 0 and tally.first is not None:
                self._numbered = 1
                self._record(tally.first.number, 0)
            self._record(value.number, self._numbered)
            self._numbered += 1


def add_beside(
    name: str, reading: Reading, values: Mapping[str, Any], others: dict[str, float], items: dict[str, str]
) -> None:
    """Put a further metric of the task that a mapping has into `others` and `items`, whatever form it has."""
    there, raw = value_of(values, name)
    found = under(raw, name, reading)
    if there and found.number is not None:
        others[name] = found.number
        items |= found.items


class _Steps:
    """Steps as they are stored: whole numbers. Once one is a fraction, reports are numbered."""

    def __init__(self) -> None:
        self.why = ""
        """Why reports are numbered; empty while they are not."""
        self._next = 0
        self._raw: float | None = None

    def place(self, step: float | None) -> int:
        if not self.why and step is not None and step.is_integer() and step >= 0:
            return int(step)
        if not self.why and step is not None:
            self.why = f"{step:g}" if step >= 0 else "no usable number"
        again = step is not None and step == self._raw
        self._raw = step
        return max(self._next - 1, 0) if again else self._next

    def used(self, step: int) -> None:
        self._next = max(self._next, step + 1)


def _rank(prefix: str) -> int | None:
    """The number of the process in a launcher's prefix such as `[rank1]:`."""
    if "[" not in prefix:
        return None
    found = _RANK.search(prefix[:200])
    return None if found is None else int(found[1])
