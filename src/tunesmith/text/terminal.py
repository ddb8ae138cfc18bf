"""The edge where text leaves for a terminal: whatever a command prints passes here, and nothing acts on it.

Names, values and messages come from task files, scripts, logs and servers. `report_errors` puts a
`CleanStream` in the place of stdout and stderr, so that no single `print` has to remember to clean.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast
from unicodedata import category

from tunesmith.text.literal import UNSEEN, literal

REWRITE = "\r\x1b[K"
"""Our own progress lines begin with it: the line is written anew."""


class CleanStream:
    """A text stream that makes everything written to it literal, each write for itself.

    A line is cut after `LINE_LIMIT` characters, and a write after `LINES_LIMIT` lines. What is in colour on
    purpose goes to `uncleaned`, already literal.
    """

    def __init__(self, uncleaned: TextIO) -> None:
        self.uncleaned = uncleaned

    def write(self, text: str) -> int:
        """Write the literal form of `text`; returns the length of what was given, as streams do."""
        own = REWRITE if text.startswith(REWRITE) else ""
        self.uncleaned.write(own + literal(text.removeprefix(own)))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.uncleaned, name)


def uncleaned(stream: TextIO) -> TextIO:
    """The stream below a `CleanStream`; any other as it is."""
    return stream.uncleaned if isinstance(stream, CleanStream) else stream


def clean_streams() -> None:
    """Clean what this process prints from now on."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is not None and not isinstance(stream, CleanStream):
            setattr(sys, name, cast(TextIO, CleanStream(stream)))


@contextmanager
def cleaned_streams() -> Iterator[None]:
    """Clean what is printed inside."""
    before = sys.stdout, sys.stderr
    clean_streams()
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def print_json(document: str | bytes) -> None:
    """Print a JSON document on stdout, whole and as UTF-8; what a terminal could act on is escaped in it."""
    text = document if isinstance(document, str) else document.decode()
    if not text.isascii() or "\x7f" in text:
        text = "".join(c if c == "\n" or category(c) not in UNSEEN else _escaped(c) for c in text)
    print_whole(text)


def print_whole(text: str) -> None:
    """Print text on stdout as it is, as UTF-8 and however long: for text in which nothing can act."""
    out = uncleaned(sys.stdout)
    out.flush()
    buffer = getattr(out, "buffer", None)
    if buffer is None:
        out.write(text + "\n" * (not text.endswith("\n")))
    else:  # UTF-8 whatever the locale
        buffer.write(text.encode() + b"\n" * (not text.endswith("\n")))
    out.flush()


def _escaped(character: str) -> str:
    """As JSON escapes it: such characters stand only inside strings there."""
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))
