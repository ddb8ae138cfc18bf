"""Bytes of a stream as the lines that a terminal would show: redrawn lines told apart, escapes taken out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from tunesmith.text.literal import without_escapes

LONGEST_LINE = 1 << 20
"""Bytes; a longer line is passed on to the log and not read."""
_ENDING = re.compile(rb"(\r*\n|\r+)")
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufeff]")


class Drawn(NamedTuple):
    """A piece of a line: a whole one, or what a progress bar drew before it went back to the line's start."""

    raw: bytes
    """As printed, with its ending; for the log."""
    text: str
    """Without escapes and control characters; empty where the line was too long to be read."""
    line: int
    """1-based number of the line in the stream."""
    redrawn: bool
    """Whether a carriage return ended it: what follows is drawn over it."""
    too_long: bool = False


class TerminalLines:
    """Cuts one stream. Its memory is bounded by `LONGEST_LINE`, its time linear in what is printed."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._line = 1
        self._skipping = False

    def feed(self, data: bytes) -> Iterator[Drawn]:
        """The pieces that `data` completes, in order."""
        ends = self._rest.endswith(b"\r") or b"\n" in data or b"\r" in data
        self._rest += data
        if ends:  # else what is held is not looked at again: it may be long, and `data` a few bytes
            yield from self._split()
        if len(self._rest) > LONGEST_LINE:
            raw, self._rest = bytes(self._rest), bytearray()
            self._skipping = True
            yield Drawn(raw, "", self._line, redrawn=False, too_long=True)

    def _split(self) -> Iterator[Drawn]:
        *pieces, rest = _ENDING.split(bytes(self._rest))
        if pieces and not rest and pieces[-1].endswith(b"\r"):
            rest = b"".join(pieces[-2:])  # a newline may follow, which ends the same line
            pieces = pieces[:-2]
        self._rest = bytearray(rest)
        for place in range(0, len(pieces), 2):
            yield self._piece(pieces[place], pieces[place + 1])

    def end(self) -> Iterator[Drawn]:
        """What is left; a last line may lack its ending."""
        rest, self._rest = bytes(self._rest), bytearray()
        if rest:
            body = rest.rstrip(b"\r")
            yield self._piece(body, rest[len(body) :] + b"\n")

    def _piece(self, body: bytes, ending: bytes) -> Drawn:
        redrawn = not ending.endswith(b"\n")
        readable = not self._skipping and len(body) <= LONGEST_LINE
        drawn = Drawn(
            body + ending, visible(body) if readable else "", self._line, redrawn, too_long=not readable
        )
        self._skipping = False
        self._line += not redrawn
        return drawn


def visible(raw: bytes) -> str:
    """The text of a line without escapes, control characters and blanks around it."""
    text = raw.decode("utf-8", errors="replace")
    if "\x1b" in text or "\x9b" in text:
        text = without_escapes(text)
    return _CONTROLS.sub("", text).strip()
