"""Lines for a run that no process holds: `tunesmith tell` takes its lease for a moment and carries them out.

What comes of a line is in the run's log, as with a running one; only what is not is told here.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tunesmith.text.literal import one_line
from tunesmith.tui.child_process import end_at_once, ended

MOST_TOLD = 100_000
"""Bytes of what the process prints that are looked at."""
WRONG_INPUT, NO_REPLY = 2, 4
"""Exit codes of `tunesmith tell` after which the log says nothing."""


class EndedRun:
    """Says lines to the run in `folder`, one after the other."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()
        self.command: tuple[str, ...] = (sys.executable, "-P", "-m", "tunesmith", "tell")
        self._lock = asyncio.Lock()
        self._process: asyncio.subprocess.Process | None = None

    async def end(self) -> None:
        """End the process and wait for that, before the event loop closes."""
        await ended(self._process)

    async def say(self, line: str) -> str:
        """Carry a line out; why it was not, where the log does not say so, else empty.

        Cancelling it ends the process.
        """
        async with self._lock:
            try:
                process = await asyncio.create_subprocess_exec(
                    *(*self.command, str(self._folder), "-"),
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.DEVNULL,
                    stderr=asyncio.subprocess.PIPE,
                )
            except OSError as error:
                return f"its process cannot be started ({error.strerror or error})"
            self._process = process
            try:
                _, errors = await process.communicate(line.encode("utf-8", "replace"))
            finally:
                self._process = None
                end_at_once(process)
        if process.returncode not in (WRONG_INPUT, NO_REPLY) and 0 <= (process.returncode or 0) <= NO_REPLY:
            return ""
        said = errors[-MOST_TOLD:].decode("utf-8", "replace").strip().splitlines()
        return one_line(said[-1].removeprefix("tunesmith: "), 400) if said else "it was not carried out"
