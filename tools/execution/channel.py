"""The worker's socket to its engine: reports go out, verdicts come back."""

from __future__ import annotations

import errno
import socket
import threading
from collections.abc import Callable, Mapping

from tunesmith.errors import ObjectiveError
from tunesmith.tools.execution.messages import Lines, encode
from tunesmith.tools.execution.sessions import end_own_session

VERDICT_S = 10.0
"""How long training waits for a verdict at most."""
MOST_UNSENT = 1000
"""Reports kept for an engine that does not read; of more than these every second one is left out."""
_CLOSING_S = 2.0
_NOT_OURS = (errno.EBADF, errno.ENOTSOCK)
CLOSED = (
    "the training code has closed the connection to Tunesmith, as `os.closerange()` and daemonising do, so "
    "no report can be sent. Close only descriptors that the code has opened itself."
)


class EngineChannel:
    """Sends each report to the engine, which answers it with one verdict.

    A thread of its own always reads the verdicts, so the engine never waits for a worker, and another one
    sends what the socket has no room for, so that training does not wait for the engine. When the
    connection ends the engine is gone: the reading thread then kills this process's whole session at once,
    without a result, so that a run continued elsewhere does not train beside a leftover of itself.

    Args:
        connection: The connected socket.
        on_stop: Called once in the reading thread, when the first verdict to stop arrives.
        judged: Whether a verdict may be to stop; False: `verdict` does not wait.
        on_gone: Called, in any thread, when the engine is gone; does not return to training code.
    Attributes:
        left_out: How many reports were not sent, because the engine did not read.
    """

    def __init__(
        self,
        connection: socket.socket,
        on_stop: Callable[[], None] | None = None,
        *,
        judged: bool = True,
        on_gone: Callable[[], None] = end_own_session,
    ) -> None:
        self._connection = connection
        self._on_stop, self._on_gone = on_stop, on_gone
        self._judged = judged
        self._changed = threading.Condition()
        self._answered: int | None = None
        """The report that the latest verdict is about."""
        self._answer = self._stop = False
        """Whether that verdict, and whether any, was to stop."""
        self._sending = threading.Condition()
        self._unsent: list[bytes] = []
        self._busy = False
        self.left_out = 0
        threading.Thread(target=self._read, name="tunesmith-verdicts", daemon=True).start()

    def report(self, step: int, value: float, others: Mapping[str, float] | None = None) -> None:
        """Tell the engine a value; each step only once. Called from one thread at a time.

        Args:
            others: Finite values of further metrics at that step.
        """
        message = encode({"step": step, "value": value, **({"others": dict(others)} if others else {})})
        with self._sending:
            if not self._busy:
                message = self._send_now(message)
                if not message:
                    return
                # The rest of a message goes first and alone: nothing may come between.
                self._busy = True
                self._start_sender(message)
                return
            self._unsent.append(message)
            if len(self._unsent) > MOST_UNSENT:
                kept = self._unsent[::2]  # of an odd number, so the latest one is among them
                self.left_out += len(self._unsent) - len(kept)
                self._unsent = kept

    def verdict(self, step: int) -> bool:
        """Whether to stop, by the answer to the report of `step`, the latest one.

        Where none comes within `VERDICT_S`: whether any answer so far was to stop.
        """
        if not self._judged:
            return False
        with self._changed:
            if self._changed.wait_for(lambda: self._answered == step, VERDICT_S):
                return self._answer
            return self._stop

    def close(self) -> None:
        """Wait, for a moment at most, until the engine has taken what was reported."""
        with self._sending:
            self._sending.wait_for(lambda: not self._busy, _CLOSING_S)

    def _send_now(self, message: bytes) -> bytes:
        """Send as much as the socket has room for; returns the rest."""
        try:
            return message[self._connection.send(message, socket.MSG_DONTWAIT) :]
        except BlockingIOError:
            return message
        except OSError as error:
            if error.errno in _NOT_OURS:
                raise ObjectiveError(CLOSED) from error
            self._on_gone()
            return b""

    def _start_sender(self, first: bytes) -> None:
        threading.Thread(target=self._send, args=(first,), name="tunesmith-reports", daemon=True).start()

    def _send(self, message: bytes) -> None:
        """Send what is waiting, then end."""
        while True:
            try:
                self._connection.sendall(message)
            except OSError:
                self._on_gone()
                return
            with self._sending:
                if not self._unsent:
                    self._busy = False
                    self._sending.notify_all()
                    return
                message, self._unsent = b"".join(self._unsent), []

    def _read(self) -> None:
        lines = Lines()
        while True:
            try:
                data = self._connection.recv(1 << 16)
            except OSError as error:
                if error.errno in _NOT_OURS:
                    return  # closed in this process: the next report raises
                data = b""
            if not data:
                self._on_gone()
                return
            for message in lines.feed(data):
                first = message["stop"] and not self._stop
                with self._changed:
                    self._answered, self._answer = message["step"], message["stop"]
                    self._stop = self._stop or self._answer
                    self._changed.notify_all()
                if first and self._on_stop is not None:
                    self._on_stop()
