"""What the workers of a run did when: trials by worker, and gaps with the reason why nothing ran.

Read from a log by `timeline_builder.py`; drawn by the terminal and the report alike.
"""

from __future__ import annotations

from tunesmith.trial import Frozen


class Work(Frozen):
    """One trial on one worker."""

    slot: int
    """Worker, from 0."""
    number: int
    start_s: float
    end_s: float
    """That of the session for a trial that it did not see the end of."""
    state: str
    """As of the outcome; `running` in a session that goes on, `interrupted` in one that has ended."""


class Gap(Frozen):
    """A time in which a worker ran no trial."""

    slot: int
    start_s: float
    end_s: float
    reason: str
    """In words, without a full stop."""


class Timeline(Frozen):
    """All workers over all sessions of a run; seconds of the run's own time, sessions end to end."""

    slots: int
    """Most workers of any session."""
    sessions: tuple[float, ...]
    """Where each session begins."""
    total_s: float
    works: tuple[Work, ...] = ()
    """In order of their start; the latest ones of a very long run."""
    gaps: tuple[Gap, ...] = ()
    """In order of their end; the latest ones of a very long run."""
    busy_s: float = 0.0
    """Of all trials together, those included that are not in `works`."""
    waited: dict[str, float] = {}
    """Seconds without a trial by reason, over all workers and the whole run, the longest first."""
    live: bool = False
    """Whether the last session goes on."""

    @property
    def busy(self) -> float:
        """Share of the workers' time in which they ran a trial, in [0, 1]; 0 before any time has passed."""
        whole = self.slots * self.total_s
        return min(1.0, self.busy_s / whole) if whole > 0 else 0.0

    @property
    def free_now(self) -> tuple[Gap, ...]:
        """Gaps of the workers that are free at this moment, while the run goes on."""
        if not self.live:
            return ()
        return tuple(gap for gap in self.gaps[-self.slots :] if gap.end_s >= self.total_s > 0)
