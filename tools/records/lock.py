"""One writer a run: a lock that ends with its process, and a note saying who holds it.

The lock itself is the operating system's (`flock`), so it ends with its process, even a killed one, and
processes that its holder started do not keep it.
The note beside it (`lock.json`) only serves the error message: it may be stale, the lock never is.
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from tunesmith.errors import RunError
from tunesmith.tools.records.atomic_write import write_atomic
from tunesmith.trial import Frozen


class Holder(Frozen):
    """Who holds a lock. Process numbers are reused, so pid, boot and start together name a process."""

    pid: int
    boot: str
    """Changes with every start of the machine."""
    started: float
    """Unix time the process began."""
    host: str
    since: float
    """Unix time the lock was taken."""

    @classmethod
    def this_process(cls) -> Holder:
        return cls(
            pid=os.getpid(),
            boot=_boot_id(),
            started=_process_start(os.getpid()) or 0.0,
            host=socket.gethostname(),
            since=time.time(),
        )

    @property
    def alive(self) -> bool | None:
        """Whether that very process still runs; None when it is on another machine."""
        if self.host != socket.gethostname():
            return None
        started = _process_start(self.pid)
        return self.boot == _boot_id() and started is not None and abs(started - self.started) < 1.0


@contextmanager
def hold(path: Path) -> Iterator[Holder]:
    """Hold the lock at `path` for the length of the block; guards everything in its folder.

    Raises:
        RunError: Another process (or another part of this one) holds it; names pid and since when.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(path, timeout=0, thread_local=False)
    try:
        lock.acquire()
    except Timeout as error:
        raise RunError(_explain(path)) from error
    try:
        holder = Holder.this_process()
        write_atomic(_note(path), holder.model_dump_json().encode())
        yield holder
    finally:
        _note(path).unlink(missing_ok=True)
        lock.release()


def holder_of(path: Path) -> Holder | None:
    """Who last noted holding the lock at `path`; None without a readable note."""
    try:
        return Holder.model_validate(json.loads(_note(path).read_bytes()))
    except (OSError, ValueError, ValidationError):
        return None  # no note, or one cut short by a power loss: the lock works without it


def _note(path: Path) -> Path:
    return path.with_name(path.name + ".json")


def _explain(path: Path) -> str:
    holder = holder_of(path)
    if holder is None:
        return f"{path.parent} is in use by another process. Wait for it to end, or stop it."
    since = datetime.fromtimestamp(holder.since).strftime("%Y-%m-%d %H:%M:%S")
    who = f"process {holder.pid} on {holder.host}, since {since}"
    return (
        f"{path.parent} is in use by {who}. Wait for it to end, or stop it, then run the same command again."
    )


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:  # not Linux
        import psutil

        return str(int(psutil.boot_time()))


def _process_start(pid: int) -> float | None:
    import psutil

    try:
        return float(psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:
        return None
