"""The log of one sitting: an event store that others listen to, with a clear beginning and end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from tunesmith.events import Event, ModelCalled, RunFinished, RunStarted
from tunesmith.tools.records.event_store import EventStore

Listener = Callable[[Event], None]


class RunLog(EventStore):
    """An event store for one sitting.

    What happens before `RunStarted`, such as repairs, is kept and stored right after it, so that a log that
    is read later never takes the time between two sittings for time that a run was running. After
    `RunFinished` only model calls are stored, since they cost money: what else comes then is from a thread
    that thought too long and was left behind.

    Args:
        listen: Told of every event, in the thread that raised it.
    Attributes:
        fault: What `listen` raised; it is not called again after that.
        on_fault: Called once with it, so that whoever runs the study can end it.
    """

    def __init__(self, path: Path, listen: Listener | None = None) -> None:
        super().__init__(path)
        self._listen = listen
        self.fault: Exception | None = None
        self.on_fault: Callable[[Exception], None] = lambda error: None
        self._early: list[Event] | None = []
        self._over = self._closed = False
        self._order = threading.RLock()  # guards the four above

    def append(self, event: Event) -> Event:
        with self._order:
            if self._early is not None and not isinstance(event, RunStarted):
                self._early.append(event)
                return event
            if self._closed or (self._over and not isinstance(event, RunFinished | ModelCalled)):
                return event
            self._over = isinstance(event, RunFinished) or self._over
            early, self._early = self._early or (), None
            stored = [super(RunLog, self).append(each) for each in (event, *early)]
        for each in stored:
            self._tell(each)
        return stored[0]

    def close(self) -> None:
        """Store what was never followed by a beginning, and let go of the file. Idempotent."""
        with self._order:
            if not self._closed:
                early, self._early = self._early, None
                self.append_many(early or ())
                self._closed = True
        super().close()

    def _tell(self, event: Event) -> None:
        if self._listen is None:
            return
        try:
            self._listen(event)
        except Exception as error:  # noqa: BLE001  passed on to the caller, in the caller's own thread
            self._listen, self.fault = None, error
            self.on_fault(error)
