"""The files that a task's metrics are read from, and what they say beside what else was heard of a metric."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from tunesmith.tools.execution.job import Job
from tunesmith.tools.execution.printed.choice import Heard
from tunesmith.tools.execution.printed.result_file import ResultFile


class ResultFiles:
    """Every file that a metric of a job is read from. Make it before training starts.

    A further metric that does not say where it is is looked for in the primary one's file first.
    """

    def __init__(self, job: Job, checkpoints: Path) -> None:
        names = dict.fromkeys(how.file for _, how in job.readings if how.file is not None)
        self._files = {name: ResultFile(name, job, checkpoints) for name in names}
        self._job = job

    def heard(self, otherwise: Sequence[Heard], record: Callable[[float, int], None]) -> list[Heard]:
        """What was heard of each metric.

        Args:
            otherwise: By what was printed, returned or reported, the primary metric first.
            record: Called with (value, step) for values of the primary one that have a step.
        """
        primary = self._job.reading.file
        found = []
        for place, (metric, reading) in enumerate(self._job.readings):
            other = otherwise[place]
            name = reading.file or (None if reading.own_source else primary)
            if name is None:
                found.append(other)
                continue
            heard = self._files[name].heard(metric, None if place else record)
            found.append(heard if heard or not other or reading.file is not None else other)
        return found
