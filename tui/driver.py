"""Textual's driver of a terminal, which stays alive when the terminal is gone, and loses nothing typed early.

Its thread that writes ends with the first write that fails. After that nobody empties its queue, and the
app waits for ever for room in it, with the run that it should stop.

What was typed before the UI had the terminal went through the terminal's line discipline, which makes a
new line of the enter key.
"""

from __future__ import annotations

import os
import select
from typing import IO, Any, cast

from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver


class TerminalDriver(LinuxDriver):
    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self._file = cast("Any", TolerantFile(cast("IO[str]", self._file)))

    def run_input_thread(self) -> None:
        if typed := typed_before(self.fileno):
            parser = XTermParser()
            for message in parser.feed(typed):
                self.process_message(message)
        super().run_input_thread()


def typed_before(terminal: int) -> str:
    """What waits to be read from a terminal that was just made raw; an end of line is the enter key."""
    waiting = b""
    while select.select([terminal], [], [], 0)[0]:
        read = os.read(terminal, 1 << 12)
        if not read:
            break
        waiting += read
    return waiting.decode(errors="replace").replace("\n", "\r")


class TolerantFile:
    """What cannot be written is left out: nobody is there to see it."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, text: str) -> None:
        try:
            self._file.write(text)
        except (OSError, ValueError):  # ValueError: closed
            return

    def flush(self) -> None:
        try:
            self._file.flush()
        except (OSError, ValueError):
            return

    def fileno(self) -> int:
        return self._file.fileno()

    def isatty(self) -> bool:
        return True
