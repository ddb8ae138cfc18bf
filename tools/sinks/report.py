from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.events import Event
from tunesmith.task import Task
from tunesmith.tools.report import write_report
from tunesmith.tools.sinks.base import Sink

if TYPE_CHECKING:
    from tunesmith.tools.report.build import Believe


class Report(Sink):
    """Writes the run's report at the end of each session; part of every run.

    Attributes:
        believe: Says what the run believes; None: the report is without.
    """

    believe: Believe | None = None

    def open(self, folder: Path, task: Task) -> int:
        self._folder = folder
        return sys.maxsize  # the report is built from the records, not from what is handed over

    def handle(self, event: Event) -> None:
        pass

    def close(self) -> None:
        write_report(self._folder, self.believe)
