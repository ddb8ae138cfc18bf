"""Optuna's journal file, made safe to be killed beside and cheap to write in bulk.

Optuna appends one line an operation and syncs each. Two things are added here:

- `repair` before the first write: a line cut short by a crash would make the next one unreadable, and
  after that no program could open the file again.
- `BatchingBackend`: operations inside `with backend.batch():` become one append and one sync, so a
  trial with a hundred reported values ends in one write.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from optuna.storages.journal import BaseJournalBackend, JournalFileBackend, JournalFileSymlinkLock

from tunesmith.tools.records.plain_files import clear, kind, open_plain

STALE_LOCK_S = 0.5
"""A journal lock unchanged for so long is a dead writer's; a live one holds it for milliseconds."""
MOST_TORN = 1000
"""Lines at the end that a crash may have left torn: far more than one write has."""
LONGEST_LINE = 64 << 20
"""Bytes; a longer line is none of Optuna's."""
LARGEST_JOURNAL = 1 << 32
"""Bytes; a trial takes some thousand."""
_LOCK_SUFFIX = ".lock"


class Repair(NamedTuple):
    """What `repair` did to a journal."""

    removed_bytes: int
    """Bytes cut off the end; 0 when only a line's end was missing."""


class BatchingBackend(BaseJournalBackend):
    """Optuna's file backend with several operations in one append."""

    def __init__(self, path: Path) -> None:
        self._path, self._file = path, JournalFileBackend(str(path))
        self._held: list[dict[str, Any]] | None = None

    def read_logs(self, log_number_from: int) -> Iterable[dict[str, Any]]:
        # Inside a batch nothing is read: our own lines are not in the file yet, and those of
        # others (optuna-dashboard writes notes) would take the places that ours will have.
        return () if self._held is not None else self._file.read_logs(log_number_from)

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        if self._held is None:
            self._append(logs)
        else:
            self._held.extend(logs)

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Hold back what the block writes, then write it at once; nothing at all if it raises."""
        assert self._held is None, "batches do not nest"
        self._held = []
        try:
            yield
            held = self._held
        finally:
            self._held = None
        if held:
            self._append(held)

    def _append(self, logs: list[dict[str, Any]]) -> None:
        try:
            self._file.append_logs(logs)
        except OSError:
            repair(self._path)  # a full disk took part of a line, and the next write would continue that line
            raise


def repair(path: Path) -> Repair | None:
    """Mend the end of a journal that a crash cut short. The caller holds the run's lock.

    A last line that is whole but for its line end is kept; anything else that is no journal line is
    cut off the end. Damage before the end is left: Optuna refuses such a file by itself.

    Returns:
        What was done, or None where nothing was wrong (or there is no journal).
    """
    clear_stale_lock(path)
    if not path.exists():
        return None
    lock = JournalFileSymlinkLock(str(path))
    lock.acquire()
    try:
        return _repair(path)
    finally:
        lock.release()


def has_lines(path: Path) -> bool:
    """Whether a journal is of a size and of lines that Optuna, which reads it by the line, can hold."""
    if kind(path) is None:
        return True
    with open(open_plain(path, os.O_RDONLY), "rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size > LARGEST_JOURNAL:
            return False
        length = 0  # of the line that the next block goes on with
        while size > LONGEST_LINE and (block := file.read(1 << 20)):
            last = block.rfind(b"\n")
            length = length + len(block) if last < 0 else len(block) - last - 1
            if length > LONGEST_LINE:
                return False
    return True


def clear_stale_lock(path: Path) -> bool:
    """Remove the journal's own lock if its holder was killed; Optuna would wait 30 s for it.

    Returns:
        True when one was removed.
    """
    lock = path.with_name(path.name + _LOCK_SUFFIX)
    if kind(lock) not in (None, "a symbolic link"):  # as Optuna's lock is
        clear(lock)
        return True
    mark = _mark(lock)
    seen = time.monotonic()
    while mark is not None:
        if time.monotonic() - seen > STALE_LOCK_S:
            lock.unlink(missing_ok=True)
            return True
        time.sleep(0.01)
        current = _mark(lock)
        if current != mark:  # taken again meanwhile, so somebody is alive
            mark, seen = current, time.monotonic()
    return False


def _mark(lock: Path) -> tuple[int, int] | None:
    try:
        status = lock.lstat()
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_mtime_ns


def _repair(path: Path) -> Repair | None:
    with open(open_plain(path, os.O_RDWR), "r+b") as file:
        size = end = os.fstat(file.fileno()).st_size
        line = b""
        for _ in range(MOST_TORN):
            if not end:
                break
            start, line = _last_line(file.fileno(), end)
            if _is_record(line):
                break
            end = start
        else:
            return None  # no crash does that: Optuna refuses the file, and it is set aside
        complete = end == 0 or line.endswith(b"\n")
        if end == size and complete:
            return None
        file.truncate(end)
        if not complete:
            file.seek(end)
            file.write(b"\n")
        file.flush()
        os.fsync(file.fileno())
        return Repair(removed_bytes=size - end)


def _last_line(descriptor: int, end: int) -> tuple[int, bytes]:
    """Start and content of the line that ends at `end`, its line end included; nothing of too long a one."""
    start, newline = end, -1
    while start and newline < 0:
        step = min(start, 65536)
        start -= step
        block = os.pread(descriptor, min(step, end - 1 - start), start)  # its own line end is not looked for
        newline = block.rfind(b"\n")
        if newline >= 0:
            start += newline + 1
    return start, os.pread(descriptor, end - start, start) if end - start <= LONGEST_LINE else b""


def _is_record(line: bytes) -> bool:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(record, dict) and "op_code" in record
