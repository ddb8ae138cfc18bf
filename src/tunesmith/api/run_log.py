"""The log of one session: what is stored of its events, in which order, and who is called with them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from tunesmith.events import Degraded, Event, ModelCalled, RunFinished, RunStarted
from tunesmith.tools.records.base import EventLog

Listener = Callable[[Event], None]


class RunLog:
    """Stores the events of one session in the run's event log. Safe from all threads.

    Events from before `RunStarted`, such as repairs, are kept and stored right after it, so that the time
    between two sessions never counts as time of the run. After `RunFinished` only model calls are stored,
    because they cost money, and failures of sinks: anything else comes from a thread that was abandoned.

    Args:
        log: Where events are stored.
        listen: Called with every event stored, in the thread that raised it.
    Attributes:
        fault: What `listen` raised; it is not called again after that.
        on_fault: Called once with it, so that the run can be stopped.
        hand_over: Called with stored events in order of `seq`, by one thread at a time.
    """

    def __init__(self, log: EventLog, listen: Listener | None = None) -> None:
        self._log, self._listen = log, listen
        self._began = time.monotonic()
        self.fault: Exception | None = None
        self.on_fault: Callable[[Exception], None] = lambda error: None
        self.hand_over: Callable[[Sequence[Event]], None] = lambda events: None
        self._early: list[Event] | None = []
        self._over = self._closed = False
        self._order = threading.RLock()  # guards the three above, and the order of handing over

    def append(self, event: Event) -> Event:
        """Store an event now, or later, or not, as the class says; returns it as stored."""
        with self._order:
            if self._early is not None and not isinstance(event, RunStarted):
                self._early.append(event)
                return event
            if self._closed or (self._over and not _is_stored_late(event)):
                return event
            self._over = isinstance(event, RunFinished) or self._over
            early, self._early = self._early or (), None
            stored = [self._log.append(self._timed(each)) for each in (event, *early)]
            self.hand_over(stored)
        for each in stored:
            self._call_listener(each)
        return stored[0]

    def close(self) -> None:
        """Store what was never followed by a beginning. Idempotent."""
        with self._order:
            if not self._closed:
                early, self._early = self._early, None
                self._log.append_many(early or ())
                self._closed = True

    def _timed(self, event: Event) -> Event:
        # Never 0, which means that nothing is known.
        return event.model_copy(update={"clock": max(time.monotonic() - self._began, 1e-6)})

    def _call_listener(self, event: Event) -> None:
        if self._listen is None:
            return
        try:
            self._listen(event)
        except Exception as error:  # noqa: BLE001  passed on to the caller, in the caller's own thread
            self._listen, self.fault = None, error
            self.on_fault(error)


def _is_stored_late(event: Event) -> bool:
    """Whether an event is stored even after the end of the session."""
    of_a_sink = isinstance(event, Degraded) and event.where.startswith("sink.")
    return of_a_sink or isinstance(event, RunFinished | ModelCalled)
