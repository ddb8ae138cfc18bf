"""What runs next: one first-in-first-out queue, and the numbers that trials will have."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence

from tunesmith.trial import Proposal


class TrialQueue:
    """Proposals waiting for a worker. `add` may be called from any thread, the rest from the engine's.

    Everything that runs takes its number here and nothing overtakes, so the number that `add` promises
    holds, unless a proposal before it turns out not to be runnable (a duplicate of what has run since).

    Args:
        first: Number of the next trial.
    """

    def __init__(self, first: int) -> None:
        self._next = first
        self._waiting: deque[Proposal] = deque()
        self._lock = threading.Lock()  # guards both together

    def add(self, proposals: Sequence[Proposal]) -> list[int]:
        """Queue proposals; returns the numbers their trials will have."""
        with self._lock:
            first = self._next + len(self._waiting)
            self._waiting.extend(proposals)
            return list(range(first, first + len(proposals)))

    def pop(self) -> Proposal | None:
        """The next proposal, or None where nothing waits."""
        with self._lock:
            return self._waiting.popleft() if self._waiting else None

    def take_number(self) -> int:
        """The number of the trial that starts now."""
        with self._lock:
            number = self._next
            self._next += 1
            return number

    @property
    def waiting(self) -> tuple[Proposal, ...]:
        with self._lock:
            return tuple(self._waiting)
