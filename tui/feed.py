"""The terminal's access to a run folder: reads events, posts commands, tells whether an engine holds the run.

Blocking; the app calls it from one thread of its own, so that a slow disk never freezes the screen.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tunesmith.commands import Command
from tunesmith.events import Event
from tunesmith.tools.records.background import engine_of
from tunesmith.tools.records.event_store import EventStore

MOST_EVENTS = 500
"""Of one batch; a long log is drawn in several, so that keys are answered between them."""


@dataclass(frozen=True)
class Batch:
    """Events read at once, and whether the run goes on."""

    events: tuple[Event, ...]
    more: bool
    """Whether further events wait already."""
    held: bool
    """Whether a process holds the run; one on another machine counts."""
    newest: int = 0
    """Number of the newest event that the log has; 0 where no more wait."""


class Feed:
    """Reads `<folder>/run.db`, which need not exist yet."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # Only the engine creates the database.
        self._store = EventStore(folder / "run.db", create=False)

    def read(self, after_seq: int) -> Batch:
        """Events after `after_seq`, at most MOST_EVENTS of them.

        Raises:
            RunError, OSError, sqlite3.Error: The log cannot be read; it may well be next time.
        """
        # Holder first: a run that ends between the two has its last events read, not missed.
        held = engine_of(self._folder) is not None
        events = tuple(self._store.events(after_seq, limit=MOST_EVENTS))
        more = len(events) == MOST_EVENTS
        return Batch(events, more=more, held=held, newest=self._store.last_seq() if more else 0)

    def post(self, command: Command) -> int:
        """Send a command to the run; returns its number.

        Raises:
            RunError: There is no run yet.
        """
        return self._store.post(command)

    def close(self) -> None:
        """Close the database."""
        self._store.close()
