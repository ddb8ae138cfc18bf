"""A small parent of the terminal UI: whatever becomes of the UI, the terminal is as it was before.

    shell
    └── guard          waits; forwards signals; puts the terminal back; passes the exit code on
        └── the rest   from `behind_guard` on: reads the task, starts the run, draws

A UI that crashes or is killed would leave the terminal without echo, with the mouse reporting and the
alternate screen on. The guard is forked before anything large is loaded, and loads nothing itself.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import termios
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

CLOSING_S = 5.0
"""How long the UI may take to close after a signal."""
RESET = "".join(
    [
        "\x1b[?2026l",  # drawing at once
        "\x1b[<u",  # the keyboard protocol of kitty; each screen has its own, so before the screen is left
        *(f"\x1b[?{mode}l" for mode in (1000, 1002, 1003, 1005, 1006, 1015, 1016)),  # the mouse
        "\x1b[?1004l",  # reports of focus
        "\x1b[?2004l",  # bracketed paste
        "\x1b[?2048l",  # reports of size
        "\x1b[?1049l",  # the alternate screen
        "\x1b[?7h\x1b[?25h\x1b[0m",  # wrapping, the cursor, colours
    ]
)


class Link:
    """The way from the guarded process to its guard."""

    def __init__(self, pipe: int, guard: int) -> None:
        self._pipe, self._guard = pipe, guard

    def tell(self, **facts: Any) -> None:
        """Let the guard know something in case this process ends without a word; the latest counts."""
        with suppress(OSError):  # the guard is gone
            os.write(self._pipe, json.dumps(facts).encode() + b"\n")

    @property
    def gone(self) -> bool:
        """Whether the guard has ended, and with it the shell's hold on this terminal."""
        return os.getppid() != self._guard


def behind_guard(on_sudden_end: Callable[[dict[str, Any], int], None]) -> Link:
    """Fork, and return in the child only. The parent is the guard, and ends with the child's exit code.

    Args:
        on_sudden_end: Called in the guard, with what it was told and the signal, where the child was killed.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    reading, writing = os.pipe()
    guard = os.getpid()
    child = os.fork()
    if child == 0:
        os.close(reading)
        return Link(writing, guard)
    os.close(writing)
    code = _Guard(child, reading).watch(on_sudden_end)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


class _Guard:
    def __init__(self, child: int, pipe: int) -> None:
        self._child, self._pipe = child, pipe
        self._told = b""
        self._before = _attributes()
        self._asked: int | None = None
        """The first signal that asked the program to end."""
        self._deadline = float("inf")

    def watch(self, on_sudden_end: Callable[[dict[str, Any], int], None]) -> int:
        """Wait for the child's end; its exit code, 128 + n where signal n ended it."""
        waking, wake = os.pipe()
        os.set_blocking(wake, False)
        os.set_blocking(waking, False)
        os.set_blocking(self._pipe, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # so that it wakes the loop
        for number in (signal.SIGINT, signal.SIGTTOU, signal.SIGTTIN):
            signal.signal(number, signal.SIG_IGN)  # the child takes Ctrl-C; this process only puts back
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._forward)
        poll = select.poll()
        poll.register(waking, select.POLLIN)
        poll.register(0, 0)  # a hang-up is told whatever one asks for; not every process gets the signal
        while True:
            status = self._child_status()
            if status is not None:
                return self._ended(status, on_sudden_end)
            left = self._deadline - time.monotonic()
            if left <= 0:
                os.kill(self._child, signal.SIGKILL)
                self._deadline, left = float("inf"), float("inf")
            for descriptor, _ in poll.poll(None if left == float("inf") else max(left, 0.01) * 1000):
                if descriptor == 0:
                    poll.unregister(0)
                    self._forward(signal.SIGHUP)
                else:
                    with suppress(BlockingIOError):
                        os.read(waking, 1 << 10)

    def _forward(self, number: int, frame: object = None) -> None:
        self._asked = self._asked or number
        self._deadline = min(self._deadline, time.monotonic() + CLOSING_S)
        with suppress(ProcessLookupError):
            os.kill(self._child, number)
            os.kill(self._child, signal.SIGCONT)  # a stopped one could not end

    def _child_status(self) -> int | None:
        """How the child ended; None while it has not. Where it is suspended this process is as well."""
        pid, status = os.waitpid(self._child, os.WNOHANG | os.WUNTRACED)
        if pid == 0:
            return None
        if not os.WIFSTOPPED(status):
            return status
        _put_back(self._before)
        os.kill(os.getpid(), signal.SIGSTOP)
        # Going on: a shell continues all of the job, `kill -CONT` only this process.
        for _ in range(20):
            pid, _status = os.waitpid(self._child, os.WNOHANG | os.WCONTINUED)
            if pid:
                return None
            time.sleep(0.01)
        os.kill(self._child, signal.SIGCONT)
        return None

    def _ended(self, status: int, on_sudden_end: Callable[[dict[str, Any], int], None]) -> int:
        signal.set_wakeup_fd(-1)
        with suppress(BlockingIOError):
            while data := os.read(self._pipe, 1 << 16):
                self._told += data
        told = _latest(self._told)
        _put_back(self._before)
        if told.get("drawing"):  # it ended before it could put the terminal back
            _write_reset()
        if not os.WIFSIGNALED(status):
            return 128 + self._asked if self._asked else os.WEXITSTATUS(status)
        ended_by = os.WTERMSIG(status)
        on_sudden_end(told, ended_by)
        return 128 + (self._asked or ended_by)


def _latest(told: bytes) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    for line in told.splitlines():
        with suppress(ValueError):
            facts.update(json.loads(line))
    return facts


def _attributes() -> list[Any] | None:
    try:
        return termios.tcgetattr(0)
    except (termios.error, OSError):
        return None


def _put_back(attributes: list[Any] | None) -> None:
    if attributes is not None:
        with suppress(termios.error, OSError):  # the terminal is gone
            termios.tcsetattr(0, termios.TCSANOW, attributes)


def _write_reset() -> None:
    """Put modes back that are not of the line discipline, and drop what the terminal reported meanwhile."""
    with suppress(termios.error, OSError):
        # A description of its own, so that a terminal that takes no output is not waited for.
        terminal = os.open(os.ttyname(1), os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
        try:
            os.write(terminal, RESET.encode())
        finally:
            os.close(terminal)
        termios.tcflush(0, termios.TCIFLUSH)
