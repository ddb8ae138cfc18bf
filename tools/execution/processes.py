"""Other processes of this machine, by /proc or `ps`: for workers, which have the standard library only."""

from __future__ import annotations

import os
import subprocess
import threading
from pathlib import Path
from typing import NamedTuple

_PROC = Path("/proc")
_HAS_PROC = (_PROC / "self" / "stat").exists()


class Process(NamedTuple):
    """What is known of a process."""

    pid: int
    parent: int
    state: str
    """`Z` for one that has ended and was not waited for."""


def all_processes() -> list[Process]:
    """Every process that can be seen."""
    if not _HAS_PROC:
        return [process for line in _ps("-A") if (process := _from_ps(line)) is not None]
    found = (process_of(int(entry)) for entry in os.listdir(_PROC) if entry.isdigit())
    return [process for process in found if process is not None]


def all_pids() -> list[int]:
    """The ids alone, which costs less."""
    if not _HAS_PROC:
        return [process.pid for process in all_processes()]
    return [int(entry) for entry in os.listdir(_PROC) if entry.isdigit()]


def process_of(pid: int) -> Process | None:
    """None where there is no such process any more."""
    if not _HAS_PROC:
        lines = _ps("-p", str(pid))
        return _from_ps(lines[0]) if lines else None
    try:
        text = (_PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return None
    state, parent = text[text.rindex(")") + 2 :].split()[:2]  # the name before it may hold anything
    return Process(pid, int(parent), state)


def has_ended(pid: int) -> bool:
    """Whether a process is gone, or waits only to be waited for."""
    process = process_of(pid)
    return process is None or process.state.startswith("Z")


def thread_count() -> int:
    """Threads of this process, those of native libraries included where the system tells."""
    try:
        return len(os.listdir(_PROC / "self" / "task"))
    except OSError:
        return threading.active_count()


def command_of(pid: int) -> str:
    """Its command line, for a message; hostile text."""
    if not _HAS_PROC:
        done = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True)
        return done.stdout.strip()
    try:
        return (
            (_PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        )
    except OSError:
        return ""


def started_with(pid: int, variable: bytes) -> bool:
    """Whether a process was started with `NAME=value` in its environment; False where that cannot be seen."""
    try:
        return variable in (_PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:
        return False


def memory_of(pids: list[int]) -> int:
    """Bytes of main memory that processes hold of their own; files that they map are not counted."""
    return sum(map(_memory, pids))


def _memory(pid: int) -> int:
    if not _HAS_PROC:
        done = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True)
        return 1024 * int(done.stdout.strip() or 0)
    try:
        lines = (_PROC / str(pid) / "status").read_text(errors="replace").splitlines()
    except OSError:
        return 0
    own = [line.split()[1] for line in lines if line.startswith(("RssAnon:", "RssShmem:"))]
    return 1024 * sum(map(int, own))


def _ps(*which: str) -> list[str]:
    return subprocess.run(
        ["ps", *which, "-o", "pid=,ppid=,stat="], capture_output=True, text=True
    ).stdout.splitlines()


def _from_ps(line: str) -> Process | None:
    words = line.split()
    return Process(int(words[0]), int(words[1]), words[2]) if len(words) == 3 else None
