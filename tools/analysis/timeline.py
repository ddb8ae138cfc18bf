"""What the workers of a run did when: trials by worker, and gaps with the reason why nothing ran.

Events do not say which worker ran a trial, and nothing depends on it: a trial goes to the first worker that
is free when it starts. Time is the run's own, sessions end to end: between two sessions no time passes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tunesmith.events import (
    CommandDone,
    Confirmed,
    Event,
    ModelCalled,
    Noted,
    RunFinished,
    RunStarted,
    TrialFinished,
    TrialStarted,
)
from tunesmith.text.cleaning import clean
from tunesmith.trial import Frozen

LEAST_GAP_S = 0.5
"""Shorter gaps are the time between two trials, and have no reason worth telling."""
WAITS = "The next trial waits although a worker is free: "
"""How the engine begins a note that a trial waits."""


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
    """All workers over all sessions of a run."""

    slots: int
    """Most workers of any session."""
    sessions: tuple[float, ...]
    """Where each session begins, seconds."""
    total_s: float
    works: tuple[Work, ...] = ()
    """In order of their start."""
    gaps: tuple[Gap, ...] = ()
    """Of each session: by worker, then by time."""

    @property
    def busy(self) -> float:
        """Share of the workers' time in which they ran a trial, in [0, 1]; 0 before any time has passed."""
        whole = self.slots * self.total_s
        return min(1.0, sum(work.end_s - work.start_s for work in self.works) / whole) if whole > 0 else 0.0

    @property
    def waited(self) -> dict[str, float]:
        """Seconds of gaps by reason, over all workers, the longest first."""
        sums: dict[str, float] = {}
        for gap in self.gaps:
            sums[gap.reason] = sums.get(gap.reason, 0.0) + gap.end_s - gap.start_s
        return dict(sorted(sums.items(), key=lambda pair: -pair[1]))

    @property
    def waits(self) -> str:
        """Why a worker is free at the end of what is known; empty where all are busy."""
        at_end = [gap for gap in self.gaps if gap.end_s >= self.total_s > 0]
        return max(at_end, key=lambda gap: gap.end_s - gap.start_s).reason if at_end else ""


def timeline(events: Sequence[Event], *, now: float | None = None) -> Timeline:
    """The timeline of a run from its log, as far as it has come.

    Args:
        events: The whole log, in order.
        now: Unix time up to which a session that has not ended is drawn; None: its last event.
    """
    works: list[Work] = []
    gaps: list[Gap] = []
    begins: list[float] = []
    slots, offset = 0, 0.0
    session: _Session | None = None
    for event in events:
        if isinstance(event, RunStarted):
            if session is not None:  # it was killed
                offset = session.close(works, gaps)
            session = _Session(event, offset)
            begins.append(offset)
        elif session is not None:
            session.take(event)
            if isinstance(event, RunFinished):
                slots = max(slots, session.slots)
                offset, session = session.close(works, gaps), None
    if session is not None:
        session.live = True
        if now is not None:
            session.last = max(session.last, now - session.began.at)
        offset = session.close(works, gaps)
    slots = max([slots, *(work.slot + 1 for work in works), *(gap.slot + 1 for gap in gaps)])
    works.sort(key=lambda work: (work.start_s, work.number))
    return Timeline(slots=slots, sessions=tuple(begins), total_s=offset, works=tuple(works), gaps=tuple(gaps))


@dataclass
class _Session:
    """One session being read; times are its own seconds."""

    began: RunStarted
    offset: float
    """Where it begins in the run's time."""
    last: float = 0.0
    live: bool = False
    """Whether it has no end yet, and is the last."""
    ended: str = ""
    """Why it ended."""
    running: dict[int, tuple[int, float]] = field(default_factory=dict)
    """Trial: (slot, start)."""
    done: list[tuple[int, int, float, float, str]] = field(default_factory=list)
    """(slot, trial, start, end, state)"""
    starts: list[float] = field(default_factory=list)
    ends: list[float] = field(default_factory=list)
    pauses: list[list[float]] = field(default_factory=list)
    calls: list[tuple[float, float]] = field(default_factory=list)
    notes: list[tuple[float, str]] = field(default_factory=list)
    compares: list[float] = field(default_factory=list)

    @property
    def slots(self) -> int:
        used = [slot + 1 for slot, *_ in self.done] + [slot + 1 for slot, _ in self.running.values()]
        return max([self.began.workers, *used, 1])

    def take(self, event: Event) -> None:
        at = self._time(event)
        self.last = max(self.last, at)
        match event:
            case TrialStarted(number=number):
                busy = {slot for slot, _ in self.running.values()}
                slot = next(slot for slot in range(len(busy) + 1) if slot not in busy)
                self.running[number] = (slot, at)
                self.starts.append(at)
            case TrialFinished(number=number, outcome=outcome) if number in self.running:
                slot, start = self.running.pop(number)
                self.done.append((slot, number, start, at, outcome.state.value))
                self.ends.append(at)
            case CommandDone(command="pause", ok=True):
                if not self.pauses or self.pauses[-1][1] >= 0:
                    self.pauses.append([at, -1.0])
            case CommandDone(command="resume", ok=True):
                if self.pauses and self.pauses[-1][1] < 0:
                    self.pauses[-1][1] = at
            case ModelCalled(seconds=seconds, budget="search"):
                self.calls.append((max(0.0, at - seconds), at))
            case Noted(text=text) if text.startswith(WAITS):
                self.notes.append((at, clean(text.removeprefix(WAITS), 200).rstrip(".")))
            case Confirmed(total=total) if total:
                self.compares.append(at)
            case RunFinished(reason=reason):
                self.ended = clean(reason, 200)

    def close(self, works: list[Work], gaps: list[Gap]) -> float:
        """Add what it had to `works` and `gaps`; returns where it ends in the run's time."""
        state = "running" if self.live else "interrupted"
        for number, (slot, start) in self.running.items():
            self.done.append((slot, number, start, self.last, state))
        self.running = {}
        for slot, number, start, end, how in self.done:
            works.append(
                Work(
                    slot=slot, number=number, start_s=self.offset + start, end_s=self.offset + end, state=how
                )
            )
        for slot in range(self.slots):
            free = 0.0
            mine = sorted((start, end) for s, _, start, end, _ in self.done if s == slot)
            for place, (start, end) in enumerate([*mine, (self.last, self.last)]):
                if start - free >= LEAST_GAP_S:
                    gaps.append(
                        Gap(
                            slot=slot,
                            start_s=self.offset + free,
                            end_s=self.offset + start,
                            reason=self._why(free, start, last=place == len(mine)),
                        )
                    )
                free = max(free, end)
        return self.offset + self.last

    def _why(self, free: float, until: float, *, last: bool) -> str:
        """Why a worker was free from `free` until `until`; `last`: no trial came to it any more."""
        half = (until - free) / 2
        paused = sum(_overlap(free, until, a, b if b >= 0 else self.last) for a, b in self.pauses)
        if paused >= half:
            return "the run was paused"
        told = [text for at, text in self.notes if free - LEAST_GAP_S <= at < until]
        if told:
            return told[-1]
        if any(free <= at <= until for at in self.compares):
            return "the comparison on fresh seeds"
        if sum(_overlap(free, until, a, b) for a, b in self.calls) >= half:
            return "waiting for the language model"
        if last and not any(start >= free for start in self.starts):
            if self.live:
                return "no trial to start yet"
            return f"no trial was left to start: {self.ended}" if self.ended else "the session was cut off"
        if last:
            return "other workers had the last trials"
        if not any(start < until for start in self.starts):
            return "before the first trial: checking, loading the code"
        if free == 0.0:
            return "no trial for this worker yet"
        if any(abs(end - until) < LEAST_GAP_S for end in self.ends if end > free):
            return "waiting for the result of another trial"
        return "choosing the next trial"

    def _time(self, event: Event) -> float:
        if self.began.clock and event.clock:
            return max(0.0, event.clock - self.began.clock)
        return max(0.0, event.at - self.began.at)


def _overlap(low: float, high: float, start: float, end: float) -> float:
    return max(0.0, min(high, end) - max(low, start))
