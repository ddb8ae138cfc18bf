"""The metrics in all that a command prints: reports as they come, and at the end the result.

Lines count on stdout, and on stderr, where Python's logging writes, for as long as stdout had none. What
processes of other ranks print (`[rank1]: ...`) counts where rank 0 prints nothing. A value without a step
is a result, of which the last counts.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from tunesmith.errors import MissingMetric
from tunesmith.tools.execution.printed.mappings import Found, mappings_in
from tunesmith.tools.execution.printed.nearest import Nearest
from tunesmith.tools.execution.printed.numbers_in import (
    number_from,
    numbers_of,
    other_numbers,
    step_of,
    value_of,
)
from tunesmith.tools.execution.printed.pattern import Pattern
from tunesmith.tools.execution.printed.tally import Tally, Value
from tunesmith.tools.execution.printed.terminal_lines import Drawn, TerminalLines

Stream = Literal["stdout", "stderr"]
MOST_OPEN_LINES, MOST_OPEN_TEXT = 1000, 1 << 16
"""Lines and characters that a mapping over several lines may have."""
MOST_INNER = 30
"""Braces inside a mapping that was never closed that are tried as the beginning of one."""
_CONTINUES = re.compile(r"""["'{}\[\](),\d.+\-aftnFTN]|$""")
"""How a further line of a mapping begins; another line ends the wait for it."""
_STRINGS = re.compile(r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'""")
_RANK = re.compile(r"\[(?:rank|default|worker|trainer)?[ _:]?(\d{1,5})\]", re.IGNORECASE)


class Result(NamedTuple):
    """What a trial came to."""

    values: dict[str, float]
    """The metric, which may be infinite or NaN, and further finite ones."""
    notes: tuple[str, ...]
    """Sentences on how the value was read; the first says which was taken, if that is a question."""


@dataclass
class _Source:
    """One stream while it is read."""

    lines: TerminalLines
    nearest: Nearest
    own: Tally
    others: Tally
    """What ranks above 0 printed."""
    held: tuple[Value, bool] | None = None
    """A value on a line that may be drawn anew, and whether it is rank 0's."""
    open: list[Drawn] = field(default_factory=list)
    """Lines of a mapping that has not been closed yet."""
    depth: int = 0
    size: int = 0


class Output:
    """Reads a command's two streams. Used from one thread.

    Args:
        metric: The task's metric.
        take: `best` or `last`; None as in `metric.Reading`.
        regex: For lines that are no JSON; None for JSON objects and printed dicts.
        maximize: Whether larger values are better.
        report: Called with (value, step) for each value with a step.
        record: Called with (value, step) where there are several values without steps; they are numbered.
        log: Called with all that is printed but lines that hold nothing but metrics.
    """

    def __init__(
        self,
        metric: str,
        *,
        take: str | None,
        regex: str | None,
        maximize: bool,
        report: Callable[[float, int], None],
        record: Callable[[float, int], None],
        log: Callable[[bytes], None],
    ) -> None:
        self._metric, self._take = metric, take
        self._pattern = None if regex is None else Pattern(regex)
        self._report, self._record, self._log = report, record, log
        self._sources = {
            name: _Source(
                TerminalLines(),
                Nearest(metric, "" if name == "stdout" else name, regex),
                Tally(maximize=maximize),
                Tally(maximize=maximize),
            )
            for name in ("stdout", "stderr")
        }
        self._steps = _Steps()
        self._numbered = 0
        self._notes: dict[str, str] = {}

    def feed(self, stream: Stream, data: bytes) -> None:
        """Take in what was printed. Raises what `report` does."""
        source = self._sources[stream]
        for piece in source.lines.feed(data):
            self._take_in(source, piece)

    def end(self) -> None:
        """Take in what is left: last lines may lack their end. Raises what `report` does."""
        for source in self._sources.values():
            for piece in source.lines.end():
                self._take_in(source, piece)
            self._give_up_open(source)
            self._release(source)

    def result(self) -> Result:
        """The value that counts.

        Raises:
            MissingMetric: None does; the closest line is named.
        """
        return choose(
            [s.own for s in self._sources.values()] + [s.others for s in self._sources.values()],
            self._metric,
            self._take,
            self._all_notes(),
            self._why_nothing(),
        )

    # -- lines ----------------------------------------------------------------------------------

    def _take_in(self, source: _Source, piece: Drawn) -> None:
        if piece.too_long:
            source.nearest.too_long(piece.line)
        elif self._pattern is not None:
            self._match(source, piece, self._pattern)
        elif piece.text and self._read(source, piece):
            return  # nothing but metrics: no line for the log
        if not piece.redrawn:
            self._release(source)
        self._log(piece.raw)

    def _match(self, source: _Source, piece: Drawn, pattern: Pattern) -> None:
        groups = pattern.groups(piece.text) if piece.text else None
        if pattern.slow:
            self._notes["slow"] = (
                f"The pattern of `metric` took too long for line {piece.line}, which was not read"
                + ("; it was not used any more." if pattern.given_up else ".")
            )
        if groups is None:
            if piece.text:
                source.nearest.plain(piece.line, piece.text)
            return
        text = groups.pop("value")
        numbers = {name: number_from(value) for name, value in groups.items()}
        values: dict[str, Any] = {k: v for k, v in numbers.items() if v is not None}
        self._offer(source, piece, {**values, self._metric: text}, _rank(piece.text), numbered=True)

    def _read(self, source: _Source, piece: Drawn) -> bool:
        """Look for mappings in a line; whether there is nothing else in it, and the metric is."""
        text = piece.text
        found = mappings_in(text) if "{" in text else []
        if source.open:
            whole = len(found) == 1 and text.startswith("{") and self._has_metric(found[0])
            if not whole and _CONTINUES.match(text):
                self._go_on(source, piece)
                return False
            self._give_up_open(source)
        hit = False
        for one in found:
            hit |= self._offer(source, piece, one.values, _rank(text[: one.start]), numbered=False)
        rest = text[found[-1].end :] if found else text
        if "{" in rest and rest[-1] in "{[,":
            source.open = [piece._replace(text=rest)]  # what stands before has been read
            source.depth, source.size = _depth(rest), len(text)
        elif not found:
            if "{" in text and self._metric in text:
                source.nearest.broken(piece.line, text)
            source.nearest.plain(piece.line, text)
        return hit and not _without(text, found)

    def _go_on(self, source: _Source, piece: Drawn) -> None:
        """A further line of a mapping that was not closed."""
        source.open.append(piece)
        source.depth += _depth(piece.text)
        source.size += len(piece.text)
        if source.depth > 0:
            if len(source.open) > MOST_OPEN_LINES or source.size > MOST_OPEN_TEXT:
                self._give_up_open(source)
            return
        lines, source.open = source.open, []
        text = "\n".join(line.text for line in lines)
        found = mappings_in(text)
        if not found:
            self._no_mapping(source, lines)
        for one in found:
            self._offer(source, lines[0], one.values, _rank(text[: one.start]), numbered=False)

    def _give_up_open(self, source: _Source) -> None:
        """What looked like the beginning of a mapping was none: its lines are looked at one by one."""
        lines, source.open = source.open, []
        self._no_mapping(source, lines)

    def _no_mapping(self, source: _Source, lines: list[Drawn]) -> None:
        text = "\n".join(line.text for line in lines)
        for one in mappings_in(text, MOST_INNER):
            line = lines[text.count("\n", 0, one.start)]
            self._offer(source, line, one.values, None, numbered=False)
        for line in lines:
            if "{" not in line.text:
                source.nearest.plain(line.line, line.text)

    def _has_metric(self, found: Found) -> bool:
        return value_of(found.values, self._metric)[0]

    # -- values ---------------------------------------------------------------------------------

    def _offer(
        self, source: _Source, piece: Drawn, values: Mapping[str, Any], rank: int | None, *, numbered: bool
    ) -> bool:
        """Take the metric out of a mapping; whether it is there, and a number."""
        there, raw = value_of(values, self._metric)
        if not there:
            source.nearest.mapping(piece.line, piece.text, values)
            return False
        number = number_from(raw)
        history = None if number is not None or self._take is None else numbers_of(raw)
        if history is not None:
            self._offer_history(source, history, f"line {piece.line}")
            return True
        if number is None:
            source.nearest.unusable(piece.line, raw)
            return False
        key, given = step_of(values, self._metric)
        step: int | None = None
        if key is not None or numbered:
            step = self._steps.place(given)
            if self._steps.why and key is not None:
                self._notes.setdefault(
                    "steps", f"`{key}` was {self._steps.why}; the reports were numbered instead."
                )
        where = f"line {piece.line}" if rank is None else f"rank {rank}"
        value = Value(number, step, other_numbers(values, self._metric), where)
        if source.held is not None and source.held[0].step != value.step:
            self._release(source)
        source.held = value, not rank
        if not piece.redrawn:
            self._release(source)
        return True

    def _offer_history(self, source: _Source, history: list[float], where: str) -> None:
        """All values of a curve at once, as Keras has them at the end: too late for verdicts."""
        self._release(source)
        for step, number in enumerate(history):
            source.own.add(Value(number, step, {}, where))
            self._record(number, step)

    def _release(self, source: _Source) -> None:
        """What was held is not drawn over any more: it counts."""
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

    def _all_notes(self) -> list[str]:
        return list(self._notes.values())

    def _why_nothing(self) -> str:
        out, err = self._sources["stdout"].nearest, self._sources["stderr"].nearest
        closest = out if out.rank >= err.rank else err
        return closest.why or "it printed nothing"


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


def choose(tallies: list[Tally], metric: str, take: str | None, notes: list[str], why_nothing: str) -> Result:
    """The value that counts among those of several sources, the first source that has any.

    Raises:
        MissingMetric: None has; `why_nothing` is its text.
    """
    used = [tally for tally in tallies if tally]
    if not used:
        raise MissingMetric(why_nothing)
    tally = used[0]
    assert tally.last is not None
    told: list[str] = []
    if take == "best":
        value = tally.best or tally.last
    elif take == "last" or tally.final is None:
        value = tally.last
    else:
        value = tally.final
    if tally.count > 1 and (value.step is not None or take is not None):
        what = "best" if take == "best" else "last"
        at = "" if value.step is None else f", at step {value.step}"
        compared = ""
        if take == "best" and value.number != tally.last.number:
            compared = f"; the last one is {tally.last.number:g}"
        elif what == "last" and tally.best is not None and tally.best.number != value.number:
            compared = f"; the best one is {tally.best.number:g}"
        told.append(f"The {what} of {tally.count:,} values of {metric} is taken{at}{compared}.")
    told += _disagreements(tally, used[1:], value, metric, take)
    return Result({metric: value.number, **value.others}, (*told, *notes))


def _disagreements(
    tally: Tally, others: list[Tally], value: Value, metric: str, take: str | None
) -> list[str]:
    found: list[str] = []
    if take is None and tally.final is not None and tally.final_before is not None:
        one, other = tally.final_before, tally.final
        found.append(
            f"{metric} was printed {tally.stepless:,} times without a step, with different values: "
            f"{one.number:g} ({one.where}) and {other.number:g} ({other.where}); the last one counts. "
            "`metric: {take: best}` would take the best."
        )
    elif take is None and tally.final is not None and tally.after_final and tally.last is not None:
        one, other = tally.final, tally.last
        found.append(
            f"{metric} was printed without a step, {one.number:g} ({one.where}), before the last report, "
            f"{other.number:g} ({other.where}); the one without a step counts."
        )
    if tally.repeated is not None and value.step is not None:
        one, other = tally.repeated
        found.append(
            f"Step {other.step} was printed more than once, with {one.number:g} ({one.where}) and with "
            f"{other.number:g} ({other.where}); a curve keeps the first value of a step."
        )
    for rival in others:
        theirs = rival.final if value is tally.final else rival.last
        if theirs is not None and theirs.number != value.number and not math.isnan(value.number):
            found.append(
                f"{metric} ended with different values: {value.number:g} ({value.where}) and "
                f"{theirs.number:g} ({theirs.where}); the first of these counts."
            )
    return found


def _rank(prefix: str) -> int | None:
    """The number of the process in a launcher's prefix such as `[rank1]:`."""
    if "[" not in prefix:
        return None
    found = _RANK.search(prefix[:200])
    return None if found is None else int(found[1])


def _depth(text: str) -> int:
    bare = _STRINGS.sub("", text)
    return bare.count("{") - bare.count("}")


def _without(text: str, found: list[Found]) -> str:
    """What stands in a line beside its mappings."""
    place, kept = 0, ""
    for one in found:
        kept += text[place : one.start]
        place = one.end
    return (kept + text[place:]).strip()
