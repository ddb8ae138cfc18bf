"""Textual's driver of a terminal, which stays alive when the terminal is gone.

Its thread that writes ends with the first write that fails. After that nobody empties its queue, and the
app waits for ever for room in it, with the run that it should stop.
"""

from __future__ import annotations

from typing import IO, Any, cast

from textual.drivers.linux_driver import LinuxDriver


class TerminalDriver(LinuxDriver):
    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self._file = cast("Any", TolerantFile(cast("IO[str]", self._file)))


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
