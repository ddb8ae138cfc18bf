"""Ending everything that a trial started: its session, whatever process groups are in it.

A worker leads a session of its own. What it starts belongs to that session unless it asks for another
one (`setsid`, as daemons do); `left_processes.py` finds those.
"""

from __future__ import annotations

import os
import signal
import time
from typing import NoReturn

from tunesmith.tools.execution.processes import all_pids
from tunesmith.tools.execution.processes import has_ended as has_ended

GRACE_S = 2.0
"""Time between asking a process to end and killing it."""
_WAIT_S = 1.0


def members(session: int) -> list[int]:
    """Process ids in a session, its leader included, also those that have ended and were not waited for."""
    found = []
    for pid in all_pids():
        try:
            if os.getsid(pid) == session:
                found.append(pid)
        except (ProcessLookupError, PermissionError):
            continue  # ended meanwhile, or another user's
    return found


def signal_session(session: int, number: int) -> None:
    """Send a signal to every process of a session. The caller sees to it that the id is not reused."""
    # The leader by its own id too: it may not have reached its setsid() yet.
    for pid in {session, *members(session)}:
        _send(pid, number)


def end_session(session: int) -> None:
    """Kill every process of a session at once, those included that they start meanwhile.

    Returns when all but the leader are gone, so that memory and devices are free again; a
    process that hangs in the kernel is waited for no longer than a second.
    """
    until = time.monotonic() + _WAIT_S
    while True:
        signal_session(session, signal.SIGKILL)
        if all(pid == session or has_ended(pid) for pid in members(session)) or time.monotonic() > until:
            return
        time.sleep(0.002)


def end_own_session() -> NoReturn:
    """Kill everything in this process's session, and this process."""
    own = os.getpid()
    for pid in members(os.getsid(0)):
        if pid != own:
            _send(pid, signal.SIGKILL)
    os.kill(own, signal.SIGKILL)
    os._exit(1)  # not reached


def _send(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return  # ended meanwhile
