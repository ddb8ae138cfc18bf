"""The worker's line to its engine: reports go out, verdicts come back."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

from tunesmith.tools.execution.messages import Lines, encode
from tunesmith.tools.execution.sessions import end_own_session


class EngineChannel:
    """One report at a time goes to the engine, and each is answered by one verdict.

    A thread of its own always drains the verdicts, so the engine never waits for a worker. When the
    line breaks the engine is gone: the thread then kills this process's whole session at once, without
    a result, so that a run continued elsewhere does not train beside a leftover of itself.

    Args:
        line: The connected socket.
        on_prune: Called once in the reading thread, when the first verdict to stop arrives.
    """

    def __init__(self, line: socket.socket, on_prune: Callable[[], None] | None = None) -> None:
        self._line = line
        self._on_prune = on_prune
        self._changed = threading.Condition()
        self._verdicts: dict[int, bool] = {}
        threading.Thread(target=self._read, name="tunesmith-verdicts", daemon=True).start()

    def report(self, step: int, value: float) -> None:
        """Tell the engine a value; each step only once."""
        try:
            self._line.sendall(encode({"step": step, "value": value}))
        except OSError:
            end_own_session()

    def verdict(self, step: int) -> bool:
        """Wait for the answer to the report of `step`: whether to stop."""
        with self._changed:
            self._changed.wait_for(lambda: step in self._verdicts)
            return self._verdicts[step]

    def _read(self) -> None:
        lines = Lines()
        told = False
        while True:
            try:
                data = self._line.recv(1 << 16)
            except OSError:
                data = b""
            if not data:
                end_own_session()
            for message in lines.feed(data):
                with self._changed:
                    self._verdicts[message["step"]] = message["prune"]
                    self._changed.notify_all()
                if message["prune"] and not told and self._on_prune is not None:
                    told = True
                    self._on_prune()
