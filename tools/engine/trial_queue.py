"""What runs next: one first-in-first-out queue, and the numbers that trials will have."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence

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
        self._lock = threading.Lock()  # guards both together: a promise counts what waits from `_next`

    def add(self, proposals: Sequence[Proposal]) -> list[int]:
        """Queue proposals; returns the numbers their trials will have."""
        with self._lock:
            first = self._next + len(self._waiting)
            self._waiting.extend(proposals)
            return list(range(first, first + len(proposals)))

    def first(self) -> Proposal | None:
        """The proposal whose turn it is; it stays until `start` or `drop`. None where nothing waits."""
        with self._lock:
            return self._waiting[0] if self._waiting else None

    def start(self) -> int:
        """The first proposal's trial starts now; returns its number."""
        with self._lock:
            self._waiting.popleft()
            return self._take()

    def drop(self) -> None:
        """The first proposal cannot be run after all."""
        with self._lock:
            self._waiting.popleft()

    def start_unqueued(self) -> int | None:
        """A trial that never waited here starts now; returns its number.

        None where something was queued in the meantime: that has been promised the number.
        """
        with self._lock:
            return None if self._waiting else self._take()

    def change(self, fitting: Callable[[Proposal], Proposal]) -> None:
        """Put another form of each proposal in its place: the search space was changed."""
        with self._lock:
            self._waiting = deque(map(fitting, self._waiting))

    def _take(self) -> int:
        self._next += 1
        return self._next - 1

    @property
    def waiting(self) -> tuple[Proposal, ...]:
        with self._lock:
            return tuple(self._waiting)
