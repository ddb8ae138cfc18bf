"""The log of one session: what is stored of its events, in which order, and who is called with them."""

from __future__ import annotations

import threading
from collections.abc import Callable

from tunesmith.events import Event, ModelCalled, RunFinished, RunStarted
from tunesmith.tools.records.base import EventLog

Listener = Callable[[Event], None]


class RunLog:
    """Stores the events of one session in the run's event log. Safe from all threads.

    What happens before `RunStarted`, such as repairs, is kept and stored right after it, so that a log that
    is read later never takes the time between two sessions for time that a run was running. After
    `RunFinished` only model calls are stored, since they cost money: what else comes then is from a thread
    that thought too long and was left behind.

    Args:
        log: Where events are stored.
        listen: Called with every event stored, in the thread that raised it.
    Attributes:
        fault: What `listen` raised; it is not called again after that.
        on_fault: Called once with it, so that whoever runs the study can end it.
    """

    def __init__(self, log: EventLog, listen: Listener | None = None) -> None:
        self._log, self._listen = log, listen
        self.fault: Exception | None = None
        self.on_fault: Callable[[Exception], None] = lambda error: None
        self._early: list[Event] | None = []
        self._over = self._closed = False
        self._order = threading.RLock()  # guards the four above

    def append(self, event: Event) -> Event:
        """Store an event now, or later, or not, as the class says; returns it as stored."""
        with self._order:
            if self._early is not None and not isinstance(event, RunStarted):
                self._early.append(event)
                return event
            if self._closed or (self._over and not isinstance(event, RunFinished | ModelCalled)):
                return event
            self._over = isinstance(event, RunFinished) or self._over
            early, self._early = self._early or (), None
            stored = [self._log.append(each) for each in (event, *early)]
        for each in stored:
            self._tell(each)
        return stored[0]

    def close(self) -> None:
        """Store what was never followed by a beginning. Idempotent."""
        with self._order:
            if not self._closed:
                early, self._early = self._early, None
                self._log.append_many(early or ())
                self._closed = True

    def _tell(self, event: Event) -> None:
        if self._listen is None:
            return
        try:
            self._listen(event)
        except Exception as error:  # noqa: BLE001  passed on to the caller, in the caller's own thread
            self._listen, self.fault = None, error
            self.on_fault(error)
