"""The metrics in all that a command prints: reports as they come, and at the end the results.

Lines count on stdout, and on stderr, where Python's logging writes, for as long as stdout had none. What
processes of other ranks print (`[rank1]: ...`) counts where rank 0 prints nothing. A value without a step
is a result, of which the last counts. Several metrics may stand in one line or in different ones.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tunesmith.metric import Reading
from tunesmith.tools.execution.printed.choice import Heard, Result, result_of
from tunesmith.tools.execution.printed.mappings import Found, mappings_in
from tunesmith.tools.execution.printed.metric_reader import STREAMS, MetricReader, Stream
from tunesmith.tools.execution.printed.terminal_lines import Drawn, TerminalLines

MOST_OPEN_LINES, MOST_OPEN_TEXT = 1000, 1 << 16
"""Lines and characters that a mapping over several lines may have."""
MOST_INNER = 30
"""Braces inside a mapping that was never closed that are tried as the beginning of one."""
_CONTINUES = re.compile(r"""["'{}\[\](),\d.+\-aftnFTN]|$""")
"""How a further line of a mapping begins; another line ends the wait for it."""
_STRINGS = re.compile(r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'""")


@dataclass
class _Stream:
    """One stream while it is read."""

    name: Stream
    lines: TerminalLines = field(default_factory=TerminalLines)
    open: list[Drawn] = field(default_factory=list)
    """Lines of a mapping that has not been closed yet."""
    depth: int = 0
    size: int = 0


class Output:
    """Reads a command's two streams. Used from one thread.

    Args:
        metric: The task's primary metric.
        reading: How its value is read.
        further: Further metrics that a result must have, and how each is read. Only the primary one is
            reported and recorded.
        report: Called with (value, step) for each value with a step.
        record: Called with (value, step) where there are several values without steps; they are numbered.
        log: Called with all that is printed but lines that hold nothing but metrics.
    """

    def __init__(
        self,
        metric: str,
        reading: Reading,
        *,
        further: Sequence[tuple[str, Reading]] = (),
        report: Callable[[float, int], None],
        record: Callable[[float, int], None],
        log: Callable[[bytes], None],
    ) -> None:
        self._log = log
        several = bool(further)
        first = MetricReader(metric, reading, report=report, record=record, beside=further, several=several)
        others = [MetricReader(name, how, first=reading, several=several) for name, how in further]
        self._readers = [first, *others]
        self._with_pattern = [one for one in self._readers if one.pattern is not None]
        self._plain = [one for one in self._readers if one.pattern is None]
        self._streams = {name: _Stream(name) for name in STREAMS}

    def feed(self, stream: Stream, data: bytes) -> None:
        """Take in what was printed. Raises what `report` does."""
        source = self._streams[stream]
        for piece in source.lines.feed(data):
            self._take_in(source, piece)

    def end(self) -> None:
        """Take in what is left: last lines may lack their end. Raises what `report` does."""
        for source in self._streams.values():
            for piece in source.lines.end():
                self._take_in(source, piece)
            self._give_up_open(source)
            self._release(source)

    def result(self) -> Result:
        """The values that count.

        Raises:
            MissingMetric: Some metric has none; the closest line is named.
        """
        first, *further = self.heard()
        return result_of(first, further)

    def heard(self) -> list[Heard]:
        """What was read of each metric, the primary one first."""
        example = json.dumps({reader.metric: 0.5 for reader in self._readers})
        found = []
        for reader in self._readers:
            metric, pattern = reader.metric, reader.reading.regex is not None
            where = f"`metrics.{metric}.regex`" if len(self._readers) > 1 else "`metric.regex`"
            keys = "`metrics`" if len(self._readers) > 1 else "`metric`"
            if pattern:
                fix = f"Change {where} in the task so that it matches such a line."
            else:
                also = "" if len(self._readers) > 1 else " (its `name`, `regex` or `file`)"
                fix = f"Print a line such as {example}, or change {keys} in the task{also}."
            why = reader.why_nothing
            message = f"it ended without printing {metric!r}: {why}. {fix}"
            found.append(Heard(metric, reader.reading, reader.tallies, why, fix, message, reader.notes))
        return found

    def _take_in(self, source: _Stream, piece: Drawn) -> None:
        if piece.too_long:
            for reader in self._readers:
                reader.nearest(source.name).too_long(piece.line)
        else:
            for reader in self._with_pattern:
                reader.match(source.name, piece)
        metrics_only = not piece.too_long and bool(piece.text) and self._read(source, piece)
        if not piece.redrawn:
            self._release(source)
        if not metrics_only:
            self._log(piece.raw)

    def _release(self, source: _Stream) -> None:
        for reader in self._readers:
            reader.release(source.name)

    def _read(self, source: _Stream, piece: Drawn) -> bool:
        """Look for mappings in a line; whether there is nothing else in it, and a metric is."""
        text = piece.text
        found = mappings_in(text) if self._plain and "{" in text else []
        if source.open:
            whole = len(found) == 1 and text.startswith("{") and self._has_metric(found[0])
            if not whole and _CONTINUES.match(text):
                self._go_on(source, piece)
                return False
            self._give_up_open(source)
        hit = False
        for one in found:
            hit |= self._offer(source, piece, one, text[: one.start])
        rest = text[found[-1].end :] if found else text
        if self._plain and "{" in rest and rest[-1] in "{[,":
            source.open = [piece._replace(text=rest)]  # what stands before has been read
            source.depth, source.size = _depth(rest), len(text)
        elif not found:
            for reader in self._plain:
                if "{" in text and reader.metric in text:
                    reader.nearest(source.name).broken(piece.line, text)
                reader.nearest(source.name).plain(piece.line, text)
        return hit and not _without(text, found)

    def _offer(self, source: _Stream, piece: Drawn, found: Found, prefix: str) -> bool:
        """Offer a mapping to every metric; whether it has one, and a number."""
        hits = [reader.offer(source.name, piece, found.values, prefix) for reader in self._plain]
        return any(hits)

    def _go_on(self, source: _Stream, piece: Drawn) -> None:
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
            self._offer(source, lines[0], one, text[: one.start])

    def _give_up_open(self, source: _Stream) -> None:
        """What looked like the beginning of a mapping was none: its lines are looked at one by one."""
        lines, source.open = source.open, []
        self._no_mapping(source, lines)

    def _no_mapping(self, source: _Stream, lines: list[Drawn]) -> None:
        text = "\n".join(line.text for line in lines)
        for one in mappings_in(text, MOST_INNER):
            line = lines[text.count("\n", 0, one.start)]
            self._offer(source, line, one, "")
        for line in lines:
            if "{" not in line.text:
                for reader in self._plain:
                    reader.nearest(source.name).plain(line.line, line.text)

    def _has_metric(self, found: Found) -> bool:
        return any(reader.has(found.values) for reader in self._plain)


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
