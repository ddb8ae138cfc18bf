"""Stopping runs of this process from another thread, such as one that serves a button."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol


class Stoppable(Protocol):
    """What `stop` asks; an engine is one."""

    def request_stop(self, reason: str) -> None: ...


_lock = threading.Lock()
_running: dict[int, tuple[Path, Stoppable]] = {}


def stop(folder: str | Path | None = None, *, reason: str = "asked to end by stop()") -> int:
    """Ask runs that this process carries out to end cleanly; safe from every thread.

    `tune` then returns, with `status` "stopped", what is there: running trials are ended and count as lost,
    and the same call, with its `name`, continues the run.

    Args:
        folder: The run's folder, as `Result.folder` and the event `run_started` have it; None: every run.
    Returns:
        How many runs were asked.
    """
    wanted = None if folder is None else Path(folder).resolve()
    with _lock:
        found = [run for place, run in _running.values() if wanted in (None, place)]
    for run in found:
        run.request_stop(reason)
    return len(found)


@contextmanager
def stoppable(folder: Path, run: Stoppable) -> Iterator[None]:
    """Let `stop` reach `run` for the length of the block."""
    with _lock:
        _running[id(run)] = (folder.resolve(), run)
    try:
        yield
    finally:
        with _lock:
            del _running[id(run)]
