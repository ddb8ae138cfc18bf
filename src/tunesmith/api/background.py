"""Runs in processes of their own, which outlive the terminal that started them."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tunesmith.tools.records.background import (
    Background,
    engine_of,
    read_background,
    write_background,
)
from tunesmith.tools.records.lock import Holder

LOG = "engine.log"
"""In the run's folder: what its engine printed."""
LOG_LINES = 20


class BackgroundEngine:
    """An engine that this process started.

    Attributes:
        pid: Of the engine, which leads a session and a process group of its own.
        began: Unix time it was started.
    """

    def __init__(self, folder: Path, process: subprocess.Popen[bytes], began: float) -> None:
        self.folder, self.pid, self.began = folder, process.pid, began
        self._process = process
        self._ended = threading.Event()
        threading.Thread(target=self._reap, name="tunesmith-engine", daemon=True).start()

    @property
    def code(self) -> int | None:
        """Its exit code; None while it runs."""
        return self._process.returncode if self._ended.is_set() else None

    def wait(self, timeout_s: float) -> int | None:
        """Wait for its end; the exit code, None where it still runs after `timeout_s`."""
        self._ended.wait(timeout_s)
        return self.code

    def log_tail(self) -> str:
        """The last lines of what it printed."""
        try:
            with (self.folder / LOG).open("rb") as log:
                log.seek(max(log.seek(0, os.SEEK_END) - (1 << 16), 0))
                text = log.read().decode(errors="replace")
        except OSError:
            return ""
        return "\n".join(text.splitlines()[-LOG_LINES:])

    def _reap(self) -> None:
        self._process.wait()  # an ended process that nobody waits for would seem to hold its run
        self._ended.set()


def start_engine(folder: Path, args: Sequence[str]) -> BackgroundEngine | None:
    """Start `tunesmith ARGS` for the run in `folder`, in a session of its own.

    No signal of this terminal reaches it, and nothing of it is written there: see `LOG`.

    Returns:
        None where a process runs that run already, or is about to.
    Raises:
        OSError: The run's folder cannot be written.
    """
    with _one_starter(folder):
        if engine_of(folder) is not None:
            return None
        began = time.time()
        with (folder / LOG).open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "tunesmith", *args],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        write_background(folder, Background(holder=Holder.of(process.pid), cwd=os.getcwd(), args=tuple(args)))
    return BackgroundEngine(folder, process, began)


def go_on(folder: Path) -> BackgroundEngine | None:
    """Start the engine of a run again, by its own task and with what its last engine was told of models.

    Returns:
        None where a process runs it already.
    """
    note = read_background(folder)
    kept = ["--no-model"] if note is not None and "--no-model" in note.args else []
    return start_engine(folder, ["run", str(folder), "--quiet", *kept])


def ask_to_end(folder: Path, number: int = signal.SIGHUP) -> bool:
    """Ask the engine of a run on this machine, by a signal, to end cleanly; whether there was one."""
    engine = engine_of(folder)
    if engine is None or not engine.alive:
        return False
    with suppress(ProcessLookupError, PermissionError):
        os.kill(engine.pid, number)
        return True
    return False


@contextmanager
def _one_starter(folder: Path) -> Iterator[None]:
    """Be the only one who looks for an engine and starts one; ends with this process."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
