"""One writer a run: a lock that ends with its process, and a note saying who holds it.

The lock itself is the operating system's (`flock`), so it ends with its process, even a killed one, and
processes that its holder started do not keep it.
The note beside it (`lock.json`) only serves the error message: it may be stale, the lock never is.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.errors import RunError
from tunesmith.tools.records.atomic_write import write_atomic
from tunesmith.tools.records.plain_files import FileMark, clear, kind, read_plain
from tunesmith.trial import Frozen

if TYPE_CHECKING:
    from filelock import BaseFileLock

LARGEST_NOTE = 1 << 16
"""Bytes."""


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
        return cls.of(os.getpid())

    @classmethod
    def of(cls, pid: int) -> Holder:
        """A process of this machine."""
        return cls(
            pid=pid,
            boot=_boot_id(),
            started=_process_start(pid) or 0.0,
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


@dataclass
class _Held:
    """The locks of this process on one path; more than one where the file was deleted under the first."""

    locks: list[BaseFileLock]
    mark: FileMark | None


_held: dict[Path, _Held] = {}


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
        _held[path] = _Held([lock], FileMark.of(path))
        yield holder
    finally:
        with suppress(OSError):  # training code may have put anything in the place of the run's folder
            _note(path).unlink(missing_ok=True)
        for held in _held.pop(path, _Held([lock], None)).locks:
            held.release()


def renew(path: Path) -> str | None:
    """Take a lock that this process holds once more, where its file was deleted or replaced meanwhile.

    Returns:
        What was in the file's place; None where nothing had happened.
    Raises:
        RunError: Another process has taken it since.
    """
    from filelock import FileLock, Timeout

    held = _held.get(path)
    if held is None or (held.mark is not None and held.mark.same(path)):
        return None
    what = kind(path)
    if what not in (None, "a file"):
        clear(path)
    again = FileLock(path, timeout=0, thread_local=False)
    try:
        again.acquire()
    except Timeout as error:
        raise RunError(_explain(path)) from error
    held.locks.append(again)
    held.mark = FileMark.of(path)
    write_atomic(_note(path), Holder.this_process().model_dump_json().encode())
    return "replaced" if what == "a file" else what or "gone"


def holder_of(path: Path) -> Holder | None:
    """Who last noted holding the lock at `path`; None without a readable note."""
    try:
        return Holder.model_validate_json(read_plain(_note(path), LARGEST_NOTE))
    except (OSError, ValueError):
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
    """Unix time a process began; None where there is none, or it has ended and nobody waited for it yet."""
    import psutil

    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else float(process.create_time())
    except psutil.NoSuchProcess:
        return None
