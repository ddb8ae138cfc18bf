"""The terminal's side of a run folder: reads events, posts commands, knows whether anybody runs it.

Blocking; the app calls it from one thread of its own, so that a slow disk never freezes the screen.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tunesmith.events import Command, Event
from tunesmith.tools.records.event_store import EventStore
from tunesmith.tools.records.lock import holder_of

BATCH = 2_000
"""Events read at once; a long log is drawn in batches, so that the screen answers meanwhile."""


@dataclass(frozen=True)
class News:
    """What one look at the run found."""

    events: tuple[Event, ...]
    more: bool
    """Whether further events wait already."""
    held: bool
    """Whether a process holds the run; one on another machine counts."""


class Feed:
    """Reads `<folder>/run.db`, which need not exist yet."""

    def __init__(self, folder: Path) -> None:
        self._lock = folder / "lock"
        # Not created from here: whether there is a run is the engine's to say.
        self._store = EventStore(folder / "run.db", create=False)

    def look(self, after_seq: int) -> News:
        """Events after `after_seq`, at most BATCH of them.

        Raises:
            RunError, OSError, sqlite3.Error: The log cannot be read; it may well be next time.
        """
        # Holder first: a run that ends between the two has its last word read, not missed.
        holder = holder_of(self._lock)
        events = tuple(self._store.events(after_seq, limit=BATCH))
        held = holder is not None and holder.alive is not False
        return News(events, more=len(events) == BATCH, held=held)

    def post(self, command: Command) -> int:
        """Ask something of the run; returns the command's number.

        Raises:
            RunError: There is no run yet.
        """
        return self._store.post(command)

    def close(self) -> None:
        """Let go of the files."""
        self._store.close()
