"""What went wrong or was left out in a run: events counted and grouped by kind and cause.

Each event costs the same however long the run is, and what is kept is bounded: at most `MOST_GROUPS` groups,
and of each the latest `MOST_KEPT` incidents. Groups beyond that are counted together.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tunesmith.events import (
    CommandDone,
    Degraded,
    Event,
    ModelCalled,
    RunFinished,
    RunStarted,
    TrialFinished,
    TrialStarted,
)
from tunesmith.text.literal import literal, one_line
from tunesmith.text.numbers import metric
from tunesmith.trial import Origin, TrialState
from tunesmith.tui.spans import Role

MOST_GROUPS = 100
MOST_KEPT = 20
MISSED_SD = 2.0
"""Standard deviations between prediction and result from which on the prediction counts as missed."""
LONGEST_CAUSE = 500
LONGEST_KEY = 100
FURTHER = "further causes"

KINDS: dict[str, tuple[str, Role]] = {
    "crashed": ("crashed", "bad"),
    "diverged": ("diverged", "bad"),
    "out_of_memory": ("out of memory", "bad"),
    "timed_out": ("timed out", "bad"),
    "worker": ("worker", "bad"),
    "run": ("interruption", "bad"),
    "model": ("model failed", "warn"),
    "fallback": ("fallback", "warn"),
    "lost": ("trial lost", "warn"),
    "rerun": ("run again", "warn"),
    "retry": ("retry", "warn"),
    "missed": ("prediction missed", "warn"),
    "repair": ("repaired", "warn"),
    "rejected": ("rejected", "dim"),
    "duplicate": ("duplicate", "dim"),
    "refused": ("command refused", "dim"),
    "warning": ("warning", "warn"),
    "pruned": ("pruned", "dim"),
}
"""What a kind is called, and how it is drawn; the worst first."""
_NUMBERS = re.compile(r"[-+]?\d[\d.,]*(?:e[-+]?\d+)?|\b0x[0-9a-f]+\b", re.IGNORECASE)
_SAME_CONFIGURATION = re.compile(r"the same configuration is (trial \d+ already|queued already)")


class Incident(NamedTuple):
    """One of them; its texts are literal."""

    at: float
    """Unix time."""
    cause: str
    """One line."""
    trial: int | None = None
    done: str = ""
    """What was done instead; empty where nothing was."""
    traceback: str = ""


@dataclass
class Group:
    """Incidents of one kind with the same cause but for the numbers in it."""

    kind: str
    key: str
    order: int = 0
    """Grows with the latest incident."""
    count: int = 0
    kept: deque[Incident] = field(default_factory=lambda: deque(maxlen=MOST_KEPT))
    """The latest, newest last."""

    @property
    def latest(self) -> Incident:
        return self.kept[-1]


class Incidents:
    """The incidents of a run, folded from its events."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        """By kind, all that there were."""
        self._groups: dict[tuple[str, str], Group] = {}
        self._taken = 0
        self._open = False  # whether a session has begun and not ended

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def groups(self) -> list[Group]:
        """The group with the latest incident first."""
        return sorted(self._groups.values(), key=lambda group: -group.order)

    def take(self, event: Event, curve: Sequence[tuple[int, float]] = ()) -> bool:
        """Whether the event was an incident.

        Args:
            curve: What the event's trial had reported, where the event is the end of one.
        """
        before = self._taken
        match event:
            case TrialFinished():
                self._trial_finished(event, curve)
            case TrialStarted(number=number, proposal=proposal):
                if proposal.provenance.attempt > 1 or proposal.origin is Origin.RETRY:
                    attempt = max(proposal.provenance.attempt, 2)
                    cause = f"attempt {attempt}: {one_line(proposal.reason, LONGEST_CAUSE)}"
                    self._add(event, "rerun", cause, trial=number)
            case ModelCalled(ok=False):
                cause = f"{event.model} ({event.purpose}): {event.error or 'no answer that could be used'}"
                self._add(event, "model", cause, key=event.error)
            case Degraded():
                self._degraded(event)
            case CommandDone(ok=False):
                self._add(event, "refused", f"/{event.command}: {event.reply}", key=event.reply)
            case RunStarted():
                if self._open:
                    cause = "the process of the run ended unexpectedly"
                    self._add(event, "run", cause, done=f"continued after {event.trials_before} trials")
                self._open = True
            case RunFinished():
                self._open = False
                if event.status == "failed":
                    self._add(event, "run", f"the run failed: {event.reason}")
        return self._taken > before

    def _trial_finished(self, event: TrialFinished, curve: Sequence[tuple[int, float]]) -> None:
        outcome, number = event.outcome, event.number
        state, cause, key = outcome.state, outcome.message, outcome.message
        if state is TrialState.PRUNED:
            points = outcome.curve or curve
            cause = key = cause or "worse than other trials at the same step"
            if points:
                cause = f"step {points[-1][0]}, {metric(points[-1][1])}: {cause}"
            self._add(event, "pruned", cause, key=key, trial=number)
        elif state is TrialState.LOST:
            kind = "worker" if outcome.loss == "process" else "lost"
            self._add(event, kind, cause or "its process vanished", trial=number, traceback=outcome.traceback)
        elif state.failed:
            last = one_line(outcome.traceback.strip().rpartition("\n")[2], 200)
            cause = cause or last or "no cause was recorded"
            self._add(event, state.value, cause, trial=number, traceback=outcome.traceback)
        elif event.surprise is not None and abs(event.surprise) > MISSED_SD:
            side = "better" if event.surprise > 0 else "worse"
            far = f"{abs(event.surprise):.1f} sd {side} than predicted"
            if event.value is not None:
                far += f": {metric(event.value)}"
            self._add(event, "missed", far, key=side, trial=number)

    def _degraded(self, event: Degraded) -> None:
        kind: str = event.what
        key = f"{event.where}: {event.cause}"
        if kind == "rejected" and _SAME_CONFIGURATION.search(event.cause):
            kind, key = "duplicate", event.where
        elif event.where == "execution":
            kind = "worker"
        self._add(event, kind, f"{event.where}: {event.cause}", key=key, done=event.continuation)

    def _add(
        self,
        event: Event,
        kind: str,
        cause: str,
        *,
        key: str | None = None,
        trial: int | None = None,
        done: str = "",
        traceback: str = "",
    ) -> None:
        self._taken += 1
        self.counts[kind] = self.counts.get(kind, 0) + 1
        shown = one_line(cause, LONGEST_CAUSE)
        alike = _NUMBERS.sub("N", shown if key is None else one_line(key, LONGEST_CAUSE))[:LONGEST_KEY]
        group = self._groups.get((kind, alike))
        if group is None:
            if len(self._groups) >= MOST_GROUPS:
                alike = FURTHER
            group = self._groups.setdefault((kind, alike), Group(kind, alike))
        group.order = self._taken
        group.count += 1
        incident = Incident(
            event.at, shown, trial, one_line(done, LONGEST_CAUSE), literal(traceback, limit=4_000)
        )
        group.kept.append(incident)
