"""Results that training code writes to a file: JSON, JSON lines, or CSV with a heading."""

from __future__ import annotations

import csv
import io
import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.errors import MissingMetric
from tunesmith.tools.execution.printed.mappings import mappings_in
from tunesmith.tools.execution.printed.nearest import Nearest
from tunesmith.tools.execution.printed.numbers_in import (
    number_from,
    numbers_of,
    other_numbers,
    step_of,
    value_of,
)
from tunesmith.tools.execution.printed.output import Result, choose
from tunesmith.tools.execution.printed.tally import Tally, Value

if TYPE_CHECKING:
    from tunesmith.tools.execution.job import Job

LARGEST = 16 << 20
"""Bytes that are read."""


class ResultFile:
    """The file of one trial. Make it before training starts, so that what an earlier trial left is not taken.

    Args:
        name: As in the task; relative to the folder that the training code runs in.
    """

    def __init__(self, name: str, job: Job, checkpoints: Path) -> None:
        filled = name.replace("{checkpoint_dir}", str(checkpoints)).replace("{number}", str(job.number))
        self._path = job.workdir / filled
        self._job = job
        self._before = self._state()

    def result(self, record: Callable[[float, int], None]) -> Result:
        """The metrics in it.

        Args:
            record: Called with (value, step) for each value that has a step.
        Raises:
            MissingMetric: It was not written by this trial, cannot be read, or lacks the metric.
        """
        metric, reading = self._job.metric, self._job.reading
        text = self._text()
        tally, nearest = Tally(maximize=reading.maximize), Nearest(metric)
        for line, values in _mappings(self._path.suffix.lower(), text):
            there, raw = value_of(values, metric)
            number = number_from(raw) if there else None
            history = None if number is not None or reading.take is None else numbers_of(raw)
            for place, one in enumerate(history or ()):
                tally.add(Value(one, place, {}, f"line {line}"))
                record(one, place)
            if history is not None:
                continue
            if number is None:
                if there:
                    nearest.unusable(line, raw)
                else:
                    nearest.mapping(line, str(dict(list(values.items())[:9])), values)
                continue
            step = step_of(values, metric)[1]
            usable = step is not None and step >= 0 and step.is_integer()
            whole = int(step) if usable and step is not None else None
            tally.add(Value(number, whole, other_numbers(values, metric), f"line {line}"))
            if whole is not None:
                record(number, whole)
        why = nearest.why or "it holds no JSON object and no row"
        return choose(
            [tally], metric, reading.take, [], f"it ended without {metric!r} in {self._path}: {why}."
        )

    def _text(self) -> str:
        after = self._state()
        if after is None or after == self._before:
            raise MissingMetric(
                f"it ended without {self._job.metric!r}: {self._path} was not written by this trial. "
                "Write it there, or change `metric.file` in the task."
            )
        try:
            # Not blocking: what stands there may be anything by now, such as a pipe that nobody writes to.
            descriptor = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK)
            with open(descriptor, "rb") as file:
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    raise MissingMetric(f"it ended without a result: {self._path} is no regular file.")
                data = file.read(LARGEST + 1)
        except OSError as error:
            raise MissingMetric(
                f"it ended without a result: {self._path} cannot be read ({error.strerror})."
            ) from error
        if len(data) > LARGEST:
            raise MissingMetric(f"it ended without a result: {self._path} has more than {LARGEST >> 20} MiB.")
        return data.decode("utf-8-sig", errors="replace")

    def _state(self) -> tuple[int, int, int] | None:
        try:
            found = os.stat(self._path)
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size


def _mappings(suffix: str, text: str) -> list[tuple[int, Mapping[str, Any]]]:
    """(line, mapping) for every object or row."""
    if suffix in (".csv", ".tsv"):
        rows = csv.DictReader(io.StringIO(text), delimiter="\t" if suffix == ".tsv" else ",")
        try:
            return [
                (number, {str(key).strip(): value for key, value in row.items()})
                for number, row in enumerate(rows, start=2)
            ]
        except csv.Error:
            return []
    whole = mappings_in(text.strip())
    if len(whole) == 1:
        return [(1, whole[0].values)]
    found: list[tuple[int, Mapping[str, Any]]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        found += [(number, one.values) for one in mappings_in(line)]
    return found or [(1, one.values) for one in whole]
