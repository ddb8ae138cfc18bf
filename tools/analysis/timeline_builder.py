"""Builds the workers' timeline from events as they come: each costs the same, however long the run is.

Events do not say which worker ran a trial, and nothing depends on it: a trial goes to the first worker that
is free when it starts.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from tunesmith.events import (
    CommandDone,
    Confirmed,
    Decided,
    Event,
    ModelCalled,
    Noted,
    RunFinished,
    RunStarted,
    TrialFinished,
    TrialReported,
    TrialStarted,
    TrialWaits,
    Woken,
)
from tunesmith.text.cleaning import clean
from tunesmith.tools.analysis.timeline import Gap, Timeline, Work

LEAST_GAP_S = 0.5
"""Shorter gaps are the time between two trials, and have no reason worth telling."""
MOST = 20_000
"""Trials, and gaps, that are kept: the latest ones. Sums are over all."""
MOST_REASONS = 40
OTHER = "other reasons"
MOST_SILENT_S = 120.0
"""A run stores something every minute; a longer silence is a clock that was set, or a machine asleep."""
NOTED_WAIT = "The next trial waits although a worker is free: "
"""How a note of before `TrialWaits` begins, in logs of before 0.3."""
MODEL = "waiting for the language model"
PAUSED = "the run was paused"


def timeline(events: Iterable[Event]) -> Timeline:
    """The timeline of a whole log, up to its last event."""
    builder = TimelineBuilder()
    for event in events:
        builder.take(event)
    return builder.timeline()


class TimelineBuilder:
    """Takes the events of one run in order; says at any time what the workers did so far."""

    def __init__(self) -> None:
        self._works: deque[Work] = deque(maxlen=MOST)
        self._gaps: deque[Gap] = deque(maxlen=MOST)
        self._waited: dict[str, float] = {}
        self._busy = 0.0
        self._begins: list[float] = []
        self._slots = 0
        self._offset = 0.0
        self._session: _Session | None = None

    def take(self, event: Event) -> None:
        """Take one further event."""
        if isinstance(event, RunStarted):
            self._close()  # without an end of its own: it was killed
            self._session = _Session(event)
            self._begins.append(self._offset)
        elif self._session is not None:
            over = self._session.take(event)
            if isinstance(over, _Ran):
                self._add_work(over)
            elif over is not None:
                self._add_gap(over)
            if isinstance(event, RunFinished):
                self._close()

    def timeline(self, *, now: float | None = None, live: bool = True) -> Timeline:
        """The timeline as far as it has come.

        Args:
            now: Unix time up to which a session that has not ended is drawn; None: its last event.
            live: Whether a session without an end goes on; otherwise its process is gone.
        """
        works, gaps, waited, busy = list(self._works), list(self._gaps), dict(self._waited), self._busy
        slots, total, session = self._slots, self._offset, self._session
        if session is not None:
            until = session.until(now if live else None)
            slots, total = max(slots, session.slots), self._offset + until
            state = "running" if live else "interrupted"
            for number, (slot, start) in session.running.items():
                works.append(self._work(_Ran(slot, number, start, max(until, start), state)))
                busy += max(until - start, 0.0)
            for gap in session.open_gaps(until, "live" if live else "killed"):
                if gap.end - gap.start >= LEAST_GAP_S:
                    gaps.append(self._gap(gap))
                    waited[gap.reason] = waited.get(gap.reason, 0.0) + gap.end - gap.start
        works.sort(key=lambda work: (work.start_s, work.number))
        return Timeline(
            slots=slots,
            sessions=tuple(self._begins[-MOST:]),
            total_s=total,
            works=tuple(works),
            gaps=tuple(gaps),
            busy_s=busy,
            waited=dict(sorted(waited.items(), key=lambda pair: -pair[1])),
            live=live and session is not None,
        )

    def _close(self) -> None:
        session, self._session = self._session, None
        if session is None:
            return
        for number, (slot, start) in session.running.items():
            self._add_work(_Ran(slot, number, start, max(session.last, start), "interrupted"))
        for gap in session.open_gaps(session.last, "ended" if session.ended else "killed"):
            self._add_gap(gap)
        self._slots = max(self._slots, session.slots)
        self._offset += session.last

    def _work(self, ran: _Ran) -> Work:
        start, end = self._offset + ran.start, self._offset + ran.end
        return Work(slot=ran.slot, number=ran.number, start_s=start, end_s=end, state=ran.state)

    def _gap(self, gap: _Idle) -> Gap:
        start, end = self._offset + gap.start, self._offset + gap.end
        return Gap(slot=gap.slot, start_s=start, end_s=end, reason=gap.reason)

    def _add_work(self, ran: _Ran) -> None:
        self._works.append(self._work(ran))
        self._busy += ran.end - ran.start

    def _add_gap(self, gap: _Idle) -> None:
        if gap.end - gap.start < LEAST_GAP_S:
            return
        self._gaps.append(self._gap(gap))
        reason = gap.reason if gap.reason in self._waited or len(self._waited) < MOST_REASONS else OTHER
        self._waited[reason] = self._waited.get(reason, 0.0) + gap.end - gap.start


class _Ran(NamedTuple):
    """A trial that is over, in seconds of its session."""

    slot: int
    number: int
    start: float
    end: float
    state: str


class _Idle(NamedTuple):
    """A gap that is over, in seconds of its session."""

    slot: int
    start: float
    end: float
    reason: str


@dataclass
class _Free:
    """A worker without a trial, and what was seen since."""

    slot: int
    since: float
    paused_before: float
    """Seconds of pauses before `since`."""
    told: str = ""
    """The latest reason that the engine gave."""
    compared: bool = False
    called_s: float = 0.0
    """Of calls of the language model."""


@dataclass
class _Session:
    """One session being read; times are its own seconds."""

    began: RunStarted
    last: float = 0.0
    last_at: float = 0.0
    ended: str = ""
    """Why it ended."""
    running: dict[int, tuple[int, float]] = field(default_factory=dict)
    """Trial: (slot, start)."""
    workers: list[_Free | None] = field(default_factory=list)
    """By slot; None for one that runs a trial."""
    first_start: float | None = None
    last_start: float = -1.0
    last_end: float = -1.0
    paused_s: float = 0.0
    paused_since: float | None = None
    asked: bool = False
    """Whether the language model is asked what to do, and has not answered."""
    waits: str = ""
    """Why the next trial waits, at this moment."""
    noted: tuple[float, str] = (-1.0, "")
    held: int | None = None
    """The trial that waits, where it was told as started."""

    def __post_init__(self) -> None:
        self.workers = [_Free(slot, 0.0, 0.0) for slot in range(max(self.began.workers, 1))]
        self.last_at = self.began.at

    @property
    def slots(self) -> int:
        return len(self.workers)

    @property
    def free(self) -> list[_Free]:
        return [worker for worker in self.workers if worker is not None]

    def until(self, now: float | None) -> float:
        """How far it has come by `now`, in Unix time."""
        return self.last + (0.0 if now is None else min(max(now - self.last_at, 0.0), MOST_SILENT_S))

    def take(self, event: Event) -> _Ran | _Idle | None:
        """What is over by this event."""
        at, told = self._time(event), self.waits
        self.last, self.last_at = max(self.last, at), max(self.last_at, event.at)
        if isinstance(event, TrialReported):  # most of a log
            return None
        match event:
            case TrialStarted(number=number):
                return self._start(number, at)
            case TrialFinished(number=number, outcome=outcome) if number in self.running:
                slot, start = self.running.pop(number)
                self.last_end = max(self.last_end, at)
                told = told or (self.noted[1] if at - self.noted[0] <= LEAST_GAP_S else "")
                self.workers[slot] = _Free(slot, at, self._paused(at), told)
                return _Ran(slot, number, start, max(at, start), outcome.state.value)
            case CommandDone(command="pause", ok=True) if self.paused_since is None:
                self.paused_since = at
            case CommandDone(command="resume", ok=True) if self.paused_since is not None:
                self.paused_s, self.paused_since = self._paused(at), None
            case ModelCalled(seconds=seconds, budget="search"):
                for worker in self.free:
                    worker.called_s += max(0.0, min(seconds, at - worker.since))
            case Woken():
                self.asked = self.began.model is not None
            case Decided():
                self.asked = False
            case TrialWaits(text=text, number=number):
                self._tell(at, clean(text, 200).rstrip("."))
                if text:
                    self.held = number
                elif self.held in self.running:  # it was told as started, and starts now
                    slot, start = self.running[self.held]
                    self.running[self.held] = (slot, at)
                    return _Idle(slot, start, at, told)
            case Noted(text=text) if text.startswith(NOTED_WAIT):
                self._tell(at, clean(text.removeprefix(NOTED_WAIT), 200).rstrip("."))
                self.waits = ""  # such a note has no end
            case Confirmed(total=total) if total:
                for worker in self.free:
                    worker.compared = True
            case RunFinished(reason=reason):
                self.ended = clean(reason, 200)
        return None

    def open_gaps(self, until: float, how: str) -> list[_Idle]:
        """Gaps of the workers that are free at `until`; `how` the session stands: live, ended, killed."""
        return [_Idle(w.slot, w.since, until, self._why(w, until, how)) for w in self.free]

    def _start(self, number: int, at: float) -> _Idle | None:
        if number in self.running:  # told twice: the first is what was seen
            return None
        free = self.free
        slot = free[0].slot if free else len(self.workers)
        gap = _Idle(slot, free[0].since, at, self._why(free[0], at)) if free else None
        self.workers[slot : slot + 1] = [None]
        self.running[number] = (slot, at)
        self.first_start = at if self.first_start is None else self.first_start
        self.last_start = max(self.last_start, at)
        return gap

    def _tell(self, at: float, text: str) -> None:
        self.waits, self.noted = text, (at, text)
        if text:
            for worker in self.free:
                worker.told = text

    def _why(self, worker: _Free, until: float, last: str = "") -> str:
        """Why a worker was free until now; `last`: how the session stands, where no trial comes to it."""
        free, half = worker.since, (until - worker.since) / 2
        if half > 0 and self._paused(until) - worker.paused_before >= half:
            return PAUSED
        if worker.told:
            return worker.told
        if worker.compared:
            return "the comparison on fresh seeds"
        if half > 0 and worker.called_s >= half:
            return MODEL
        if last == "live":
            return MODEL if self.asked else "no trial to start yet"
        if last and self.last_start >= free:
            return "other workers had the last trials"
        if last:
            return (
                f"no trial was left to start: {self.ended}" if last == "ended" else "the session was cut off"
            )
        if self.first_start is None or self.first_start >= until:
            return "before the first trial: checking, loading the code"
        if free == 0.0:
            return "no trial for this worker yet"
        if free < self.last_end and until - self.last_end < LEAST_GAP_S:
            return "waiting for the result of another trial"
        return "choosing the next trial"

    def _paused(self, at: float) -> float:
        """Seconds of pauses up to `at`."""
        return self.paused_s + (0.0 if self.paused_since is None else max(at - self.paused_since, 0.0))

    def _time(self, event: Event) -> float:
        if self.began.clock and event.clock:
            return max(0.0, event.clock - self.began.clock)
        return max(0.0, event.at - self.began.at)
