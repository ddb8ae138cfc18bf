"""The worker's socket to its engine: reports go out, verdicts come back."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

from tunesmith.tools.execution.messages import Lines, encode
from tunesmith.tools.execution.sessions import end_own_session


class EngineChannel:
    """Sends each report to the engine, which answers it with one verdict.

    A thread of its own always reads the verdicts, so the engine never waits for a worker. When the
    connection ends the engine is gone: the thread then kills this process's whole session at once, without
    a result, so that a run continued elsewhere does not train beside a leftover of itself.

    Args:
        connection: The connected socket.
        on_stop: Called once in the reading thread, when the first verdict to stop arrives.
    """

    def __init__(self, connection: socket.socket, on_stop: Callable[[], None] | None = None) -> None:
        self._connection = connection
        self._on_stop = on_stop
        self._changed = threading.Condition()
        self._verdicts: dict[int, bool] = {}
        threading.Thread(target=self._read, name="tunesmith-verdicts", daemon=True).start()

    def report(self, step: int, value: float) -> None:
        """Tell the engine a value; each step only once."""
        try:
            self._connection.sendall(encode({"step": step, "value": value}))
        except OSError:
            end_own_session()

    def verdict(self, step: int) -> bool:
        """Wait for the answer to the report of `step`: whether to stop."""
        with self._changed:
            self._changed.wait_for(lambda: step in self._verdicts)
            return self._verdicts[step]

    def _read(self) -> None:
        lines = Lines()
        stopped = False
        while True:
            try:
                data = self._connection.recv(1 << 16)
            except OSError:
                data = b""
            if not data:
                end_own_session()
            for message in lines.feed(data):
                with self._changed:
                    self._verdicts[message["step"]] = message["stop"]
                    self._changed.notify_all()
                if message["stop"] and not stopped and self._on_stop is not None:
                    stopped = True
                    self._on_stop()
