"""The engine's end of the warm parent: starts it, exchanges messages with it, and ends it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

import psutil

from tunesmith.errors import ExecutorError
from tunesmith.objective import Objective
from tunesmith.text.cleaning import log_tail
from tunesmith.tools.execution.child import worker_environment
from tunesmith.tools.execution.messages import Lines, encode
from tunesmith.tools.execution.own_module import module_command

_SEND_LIMIT_S = 60.0
"""How long a message may wait; the parent does not read while it imports libraries."""


class WarmLink:
    """One warm parent, running. Made again when it dies.

    Args:
        objective: The training code of the run: its Python, where it is a function, and its environment.

    Attributes:
        socket: Readable when there is a message from the parent, or it has ended.
        ready: Whether it has imported its libraries.
    """

    def __init__(self, preload: Sequence[str], method: str, objective: Objective) -> None:
        python = objective.python if objective.function is not None else None
        ours, theirs = socket.socketpair()
        self._stderr = tempfile.TemporaryFile()
        self._lines = Lines()
        self.socket = ours
        self.ready = False
        try:
            self._process = subprocess.Popen(
                [
                    *module_command("tunesmith.tools.execution.warm_parent", python),
                    *(str(theirs.fileno()), str(os.getpid()), method, sys.executable, *preload),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._stderr,
                pass_fds=(theirs.fileno(),),
                env=worker_environment(objective),
                start_new_session=True,  # a terminal's Ctrl-C does not reach it
            )
        except OSError as error:
            ours.close()
            self._stderr.close()
            raise ExecutorError(f"the process that starts trials cannot be started: {error}") from error
        finally:
            theirs.close()
        ours.settimeout(_SEND_LIMIT_S)

    def send(self, message: Mapping[str, Any], line: socket.socket | None = None) -> None:
        """Raises OSError when the parent is gone."""
        data = encode(message)
        if line is not None:
            socket.send_fds(self.socket, [data[:1]], [line.fileno()])
            data = data[1:]
        self.socket.sendall(data)

    def receive(self) -> list[dict[str, Any]] | None:
        """Its messages; None when it is gone. Call it when `socket` is readable."""
        try:
            data = self.socket.recv(1 << 16)
        except OSError:
            data = b""
        messages = self._lines.feed(data) if data else None
        if messages and any("ready" in message for message in messages):
            self.ready = True
        return messages

    def wake(self) -> bool:
        """Let the parent go on where a signal has stopped it; whether one had."""
        try:
            stopped = psutil.Process(self._process.pid).status() == psutil.STATUS_STOPPED
        except psutil.NoSuchProcess:
            return False
        if stopped:
            self._process.send_signal(signal.SIGCONT)
        return bool(stopped)

    def wait(self, timeout_s: float) -> None:
        """Wait for its end, and kill it when that takes too long."""
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def how_it_ended(self) -> str:
        """How it ended and the end of what it printed on stderr; call after `wait`."""
        size = self._stderr.seek(0, os.SEEK_END)
        self._stderr.seek(max(0, size - 4000))
        output = log_tail(self._stderr.read().decode(errors="replace"), 600)
        return f"status {self._process.returncode}" + (f": {output}" if output else "")

    def close(self) -> None:
        """Free its end of the line; whatever still runs there ends itself."""
        self.socket.close()
        self.wait(5.0)
        self._stderr.close()
