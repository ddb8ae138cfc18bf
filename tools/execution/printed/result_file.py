"""Results that training code writes to a file: JSON, JSON lines, or CSV with a heading."""

from __future__ import annotations

import csv
import io
import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.tools.execution.printed.choice import Heard
from tunesmith.tools.execution.printed.item_scores import under
from tunesmith.tools.execution.printed.mappings import mappings_in
from tunesmith.tools.execution.printed.metric_reader import add_beside
from tunesmith.tools.execution.printed.nearest import Nearest
from tunesmith.tools.execution.printed.numbers_in import (
    other_numbers,
    step_of,
    value_of,
)
from tunesmith.tools.execution.printed.tally import Tally, Value

if TYPE_CHECKING:
    from tunesmith.tools.execution.job import Job

LARGEST = 16 << 20
"""Bytes that are read."""


class _Unusable(Exception):
    """The file cannot be used; `problem` is a clause that follows its name."""

    def __init__(self, problem: str, *, unwritten: bool = False) -> None:
        self.problem, self.unwritten = problem, unwritten
        super().__init__(problem)


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
        self._mappings: list[tuple[int, Mapping[str, Any]]] | None = None

    def heard(self, metric: str, record: Callable[[float, int], None] | None = None) -> Heard:
        """What it says of one of the task's metrics.

        Args:
            record: Called with (value, step) for each value that has a step.
        """
        readings = dict(self._job.readings)
        reading, first = readings[metric], metric == self._job.metric
        tally = Tally(maximize=reading.maximize, by_step=not first)
        heard = Heard(metric, reading, [tally])
        try:
            found = self._found()
        except _Unusable as error:
            owner = metric if reading.file is not None else self._job.metric
            key = f"metrics.{owner}.file" if len(readings) > 1 else "metric.file"
            heard.why = f"{self._path} {error.problem}"
            heard.fix = f"Write it there, or change `{key}` in the task." if error.unwritten else ""
            what = repr(metric) if error.unwritten else "a result"
            heard.message = " ".join(filter(None, [f"it ended without {what}: {heard.why}.", heard.fix]))
            return heard
        notes: dict[str, None] = {}
        nearest = Nearest(metric, several=len(readings) > 1)
        takes = reading.take is not None or readings[self._job.metric].take is not None
        for line, values in found:
            there, raw = value_of(values, metric)
            number, history, items, note = under(raw, metric, reading, histories=takes)
            notes |= {note: None} if note else {}
            for place, one in enumerate(history or ()):
                tally.add(Value(one, place, {}, f"line {line}"))
                if record is not None:
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
            others = other_numbers(values, metric)
            if first:
                for name, how in self._job.further:
                    add_beside(name, how, values, others, items)
            tally.add(Value(number, whole, others, f"line {line}", items))
            if whole is not None and record is not None:
                record(number, whole)
        clause = nearest.why or "it holds no JSON object and no row"
        heard.why = f"in {self._path}, {clause}"
        heard.message = f"it ended without {metric!r} in {self._path}: {clause}."
        heard.notes = list(notes)
        return heard

    def _found(self) -> list[tuple[int, Mapping[str, Any]]]:
        """(line, mapping) for every object or row; read once. Raises `_Unusable`."""
        if self._mappings is None:
            self._mappings = _mappings(self._path.suffix.lower(), self._text())
        return self._mappings

    def _text(self) -> str:
        after = self._state()
        if after is None or after == self._before:
            raise _Unusable("was not written by this trial", unwritten=True)
        try:
            # Not blocking: what stands there may be anything by now, such as a pipe that nobody writes to.
            descriptor = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK)
            with open(descriptor, "rb") as file:
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    raise _Unusable("is no regular file")
                data = file.read(LARGEST + 1)
        except OSError as error:
            raise _Unusable(f"cannot be read ({error.strerror})") from error
        if len(data) > LARGEST:
            raise _Unusable(f"has more than {LARGEST >> 20} MiB")
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
