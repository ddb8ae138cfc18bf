"""Processes that a trial leaves on purpose: daemons, and what was started in a session of its own.

They are found in two ways. Every trial carries a mark in its environment, which a program that it starts
inherits. And on Linux a worker and its parent adopt what loses its own parent, so that also a process without
the mark, forked twice, is a child of ours when its worker has ended.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from collections.abc import Collection, Iterable
from pathlib import Path

from tunesmith.text.cleaning import log_line
from tunesmith.tools.execution.processes import all_processes, command_of, has_ended, started_with

MARK = "TUNESMITH_TRIAL_FOLDER"
"""Variable in the environment of a trial, with its folder."""
_SET_CHILD_SUBREAPER = 36
_WAIT_S = 1.0
_SHOWN = 5


def adopt_orphans() -> None:
    """Make this process the parent of whatever below it loses its own; does nothing but on Linux."""
    if sys.platform == "linux":
        # Where it is not allowed, only what carries the mark is found.
        ctypes.CDLL(None, use_errno=True).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def own_children() -> set[int]:
    """Children of this process now."""
    return {process.pid for process in all_processes() if process.parent == os.getpid()}


def left_by(folder: Path, workers: Collection[int]) -> list[int]:
    """What the trial in `folder` has left now that its worker has ended, and what that has started in turn.

    Args:
        workers: Our children that we started, this worker included; every other child of ours was adopted.
    """
    mark = f"{MARK}={folder}".encode()
    own = os.getpid()
    found = {
        process.pid
        for process in all_processes()
        if process.pid not in workers
        and process.pid != own
        and (process.parent == own or started_with(process.pid, mark))
    }
    return sorted(found | _below(found))


def end_left(pids: Iterable[int]) -> list[str]:
    """Kill processes and describe those that were still running, and whether they could be ended."""
    running = [pid for pid in pids if not has_ended(pid)]
    described = {pid: f"{pid} ({log_line(command_of(pid), 60) or 'no command line'})" for pid in running}
    until = time.monotonic() + _WAIT_S
    left = list(running)
    while left and time.monotonic() < until:
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                continue  # ended meanwhile, or another user's, which is told below
        _reap(pids)
        left = [pid for pid in left if not has_ended(pid)]
        if left:
            time.sleep(0.002)
    _reap(pids)
    return [text + (" could not be ended" if pid in left else "") for pid, text in described.items()]


def sentence(described: list[str]) -> str:
    """What a trial left, for its log and for a person."""
    shown = ", ".join(described[:_SHOWN]) + (" and more" if len(described) > _SHOWN else "")
    what = "a process" if len(described) == 1 else f"{len(described)} processes"
    return f"left {what} running, ended now: {shown}"


def _below(found: set[int]) -> set[int]:
    """Descendants of processes."""
    if not found:
        return set()
    children: dict[int, list[int]] = {}
    for process in all_processes():
        children.setdefault(process.parent, []).append(process.pid)
    below: set[int] = set()
    waiting = list(found)
    while waiting:
        for child in children.get(waiting.pop(), ()):
            if child not in below and child not in found:
                below.add(child)
                waiting.append(child)
    return below


def _reap(pids: Iterable[int]) -> None:
    for pid in pids:
        try:
            os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            continue  # no child of ours
