from __future__ import annotations

import sys
from pathlib import Path

from tunesmith.events import Event
from tunesmith.task import Task
from tunesmith.tools.report import write_report
from tunesmith.tools.sinks.base import Sink


class Report(Sink):
    """Writes the run's report at the end of each session; part of every run."""

    def open(self, folder: Path, task: Task) -> int:
        self._folder = folder
        return sys.maxsize  # the report is built from the records, not from what is handed over

    def handle(self, event: Event) -> None:
        pass

    def close(self) -> None:
        write_report(self._folder)
