"""The events that an answer to a person can need, read from the log as it grows.

Reports and ends of trials are in the history, and are most of a long log: they are passed over.
"""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith.events import (
    ActionsProposed,
    Answered,
    Asked,
    CommandDone,
    Confirmed,
    Event,
    GuidelinesStated,
    ModelCalled,
    Noted,
    PriorsElicited,
    Recommended,
    RunFinished,
    RunStarted,
    Steered,
    TaskChanged,
)
from tunesmith.tools.records.base import EventLog

KEPT = (
    Asked,
    Answered,
    ActionsProposed,
    CommandDone,
    Steered,
    Noted,
    TaskChanged,
    RunStarted,
    RunFinished,
    PriorsElicited,
    GuidelinesStated,
    Recommended,
    Confirmed,
)
AT_ONCE = 2000
"""Events read in one go, which bounds the memory that a long log takes."""


def for_talk(events: Sequence[Event]) -> list[Event]:
    """Those of a log that an answer can need, in their order, and the latest call of each model budget."""
    last = {event.budget: event for event in events if isinstance(event, ModelCalled)}
    ids = {id(event) for event in last.values()}
    return [event for event in events if isinstance(event, KEPT) or id(event) in ids]


class TalkLog:
    """Keeps `for_talk` of one log, reading only what is new. Used from one thread.

    Args:
        log: The run's.
    """

    def __init__(self, log: EventLog) -> None:
        self._log, self._seq = log, 0
        self._kept: list[Event] = []

    def read(self) -> tuple[Event, ...]:
        """What is in the log by now."""
        while events := self._log.events(after_seq=self._seq, limit=AT_ONCE):
            self._seq = events[-1].seq
            self._kept = for_talk([*self._kept, *events])
        return tuple(self._kept)
