"""What a run believes, computed by a process beside the terminal, so that the screen never waits for it.

The process is `python -P -m tunesmith beliefs --follow --json -- RUN`: a line a change. It ends by itself
when no process holds the run, and when nobody reads it any more; it is started again when the log grows.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from pydantic import ValidationError

from tunesmith.beliefs import Beliefs
from tunesmith.text.literal import one_line
from tunesmith.tui.child_process import end_at_once, ended

LONGEST = 8 * 2**20
"""Bytes of one line; more is a fault."""
MOST_TOLD = 2_000
"""Bytes kept of what the process says on stderr."""
TRIES = 2
"""How often in a row it may fail before it is left alone."""
RETRY_S, POLL_S = 1.0, 0.25


class BeliefFeed:
    """Follows the beliefs of the run in `folder`.

    Args:
        position: The newest event's number that the terminal has read; 0 while the run has not begun.
    """

    def __init__(self, folder: Path, position: Callable[[], int]) -> None:
        self._folder, self._position = folder, position
        self.command: tuple[str, ...] = (sys.executable, "-P", "-m", "tunesmith", "beliefs")
        self.process: asyncio.subprocess.Process | None = None

    async def follow(self, take: Callable[[Beliefs], None]) -> str:
        """Hand each new value to `take` until the process fails for good; cancelling it ends the process.

        Returns:
            Why there will be no further beliefs.
        """
        failures, why = 0, ""
        while failures < TRIES:
            await self._wait(lambda: self._position() > 0)
            at = self._position()
            why, told = await self._run(take)
            if why:
                failures = 1 if told else failures + 1
                await asyncio.sleep(RETRY_S)
            else:
                failures = 0
                seen = max(at, self._position())
                await self._wait(lambda seen=seen: self._position() > seen)  # type: ignore[misc]
        return why

    async def end(self) -> None:
        """End the process and wait for that, before the event loop closes."""
        await ended(self.process)

    async def _wait(self, until: Callable[[], bool]) -> None:
        while not until():
            await asyncio.sleep(POLL_S)

    async def _run(self, take: Callable[[Beliefs], None]) -> tuple[str, bool]:
        """One process to its end: why it failed, empty where it did not; and whether it told anything."""
        try:
            process = await asyncio.create_subprocess_exec(
                *self.command,
                *("--follow", "--json", "--", str(self._folder.absolute())),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                limit=LONGEST,
            )
        except OSError as error:
            return f"its process cannot be started ({error.strerror or error})", False
        self.process, told = process, False
        assert process.stdout is not None and process.stderr is not None
        errors = asyncio.create_task(_tail(process.stderr.read))
        try:
            while line := await process.stdout.readline():
                take(Beliefs.model_validate_json(line))
                told = True
            code = await process.wait()
            said = (await errors).decode("utf-8", "replace").strip().splitlines()
        except (ValidationError, ValueError) as error:
            return f"its process wrote what cannot be read ({one_line(error, 100)})", told
        finally:
            end_at_once(process)
            errors.cancel()
            self.process = None
        if code == 0:
            return "", told
        return f"its process ended with exit code {code}" + (f": {one_line(said[-1])}" if said else ""), told


async def _tail(read: Callable[[int], Awaitable[bytes]]) -> bytes:
    """The last bytes of a stream that is read to its end."""
    kept = b""
    while part := await read(MOST_TOLD):
        kept = (kept + part)[-MOST_TOLD:]
    return kept
