"""The sinks of one session of a run, as the session sees them."""

from __future__ import annotations

import subprocess
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.events import Degraded, Event
from tunesmith.interfaces import Emit
from tunesmith.registry import SINKS
from tunesmith.task import Task
from tunesmith.task.member import SinkChoice
from tunesmith.tools.records.base import EventLog
from tunesmith.tools.sinks.base import Sink
from tunesmith.tools.sinks.report import Report

if TYPE_CHECKING:
    from tunesmith.tools.report.build import Believe

REPORT = "report"


class SessionSinks:
    """Opens, feeds and closes a task's sinks, and the report. Used by one thread at a time.

    A sink that blocks is not opened here: its process is started, and goes on after the session.

    Args:
        emit: Takes the events about sinks that failed.
        believe: Says what the run believes, for its report.
    Attributes:
        failed: Names of the sinks that failed in this session.
    """

    def __init__(self, folder: Path, task: Task, emit: Emit, believe: Believe | None = None) -> None:
        self._folder, self._task, self._emit = folder, task, emit
        # The report comes last, so that it tells of the others' failures.
        choices = {choice.name: choice for choice in task.sinks}
        last = choices.pop(REPORT, None) or SinkChoice.model_validate(REPORT)
        self._made: dict[str, Sink] = {
            choice.name: SINKS.get(choice.name)(choice.settings) for choice in (*choices.values(), last)
        }
        if isinstance(report := self._made[last.name], Report):
            report.believe = believe
        self._open: dict[str, Sink] = {}
        self._processes: list[subprocess.Popen[bytes]] = []
        self._waiting: deque[Event] = deque()
        self._handling = False
        self.failed: set[str] = set()

    @property
    def report(self) -> Path | None:
        """report.md; None where it could not be written."""
        return None if REPORT in self.failed else self._folder.absolute() / "report.md"

    def open(self, log: EventLog) -> None:
        """Open them, hand over what they lack of the events in `log`, and start the processes."""
        for name, sink in self._made.items():
            with self._without_harm(name):
                if sink.blocks:
                    self._processes.append(start_following(self._folder, name))
                    continue
                for event in log.events(after_seq=sink.open(self._folder, self._task)):
                    sink.handle(event)
                self._open[name] = sink

    def handle(self, events: Sequence[Event]) -> None:
        """Hand stored events to every sink in this process."""
        self._waiting.extend(events)
        if self._handling:
            return  # called from below, with the event of a failure: it comes after those that wait
        self._handling = True
        while self._waiting:
            event = self._waiting.popleft()
            for name, sink in list(self._open.items()):
                with self._without_harm(name):
                    sink.handle(event)
        self._handling = False

    def close(self) -> None:
        """Close those in this process; the others go on in theirs. Idempotent."""
        for name in list(self._open):
            with self._without_harm(name):
                self._open.pop(name).close()

    @contextmanager
    def _without_harm(self, name: str) -> Iterator[None]:
        """Store what a sink raises as an event, and end the sink."""
        try:
            yield
        except Exception as error:  # noqa: BLE001  the sink's edge
            self._open.pop(name, None)
            self.failed.add(name)
            self._emit(failure(name, error))


def failure(name: str, error: Exception) -> Degraded:
    """The event about a sink that failed."""
    cause = f"{type(error).__name__}: {error}"[:500]
    how = "the run goes on without this sink"
    return Degraded(what="warning", where=f"sink.{name}", cause=cause, continuation=how)


def start_following(folder: Path, name: str) -> subprocess.Popen[bytes]:
    """Start the process of a sink that may block; it outlives this one, and nothing waits for it."""
    log = folder / "sinks" / f"{name}.log"
    log.parent.mkdir(exist_ok=True)
    with log.open("ab") as out:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "tunesmith.tools.sinks.follow", str(folder), name],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,  # Ctrl-C in the terminal is for the run alone
        )
