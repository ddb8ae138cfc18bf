"""Results of earlier work, read for a new run: another run's folder, an Optuna study, or a table.

Only read, never changed. What a source says is data: values are matched against the search space as any
proposal is, and nothing in it is evaluated.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tunesmith.errors import RunError
from tunesmith.task import Task
from tunesmith.task.lineage import Epoch, legal_from_text
from tunesmith.text.cleaning import clean
from tunesmith.tools.records.found import MOST_RESULTS, Found, Source, found, left_out
from tunesmith.tools.records.run_folder import RunFolder
from tunesmith.tools.records.study_source import read_journal, read_study
from tunesmith.trial import Outcome, TrialState

LARGEST_TABLE = 64 << 20
"""Bytes."""
_NOT_VALUES = {"number", "trial", "state", "value", "duration", "datetime_start", "datetime_complete", "seed"}


def named(text: str, runs: Path) -> str:
    """A source as it is recorded: an absolute path, or a storage's URL.

    Raises:
        RunError: There is no such thing.
    """
    if "://" in text:
        return text
    for path in (Path(text), runs / text):
        if path.exists():
            return str(path.resolve())
    path, study = _with_study(text)
    if study is not None:
        return f"{path.resolve()}:{study}"
    raise RunError(
        f"there is nothing at {text} to start from. Name a run folder, a table such as results.csv, or a "
        "storage such as sqlite:///study.db, sqlite:///study.db:STUDY or Optuna's study.journal."
    )


def _with_study(text: str) -> tuple[Path, str | None]:
    """The file and the study of `study.journal:STUDY`; the path alone where it is not that."""
    place, _, study = text.rpartition(":")
    return (Path(place), study) if place and study and Path(place).is_file() else (Path(text), None)


def identity(source: str) -> str:
    """A source as a run's records name it: without a password."""
    if "://" not in source:
        return source
    from tunesmith.tools.records.storage import without_password

    return without_password(source)


def read_source(source: str, task: Task) -> Source:
    """The results of a source as `task` would have them.

    Raises:
        RunError: It cannot be read, or its values cannot be this task's.
    """
    if "://" in source:
        return read_study(source, task)
    path = Path(source)
    if path.is_dir():
        return _run(path, task)
    if path.suffix.casefold() in (".csv", ".tsv"):
        return _table(path, task)
    path, study = (path, None) if path.exists() else _with_study(source)
    if path.is_file() and _is_journal(path):
        return read_journal(path, study, task)
    raise RunError(
        f"{path.name} is no run folder, no .csv or .tsv table and no journal of Optuna. Name one of these, "
        "or an Optuna storage such as sqlite:///study.db."
    )


def _is_journal(path: Path) -> bool:
    """Whether a file begins as Optuna's journal storage writes it: with an operation as a line of JSON."""
    with open(path, "rb") as file:
        return re.match(rb'\s*\{"op_code": ?\d', file.read(100)) is not None


def _run(path: Path, task: Task) -> Source:
    folder = RunFolder.open(path)
    lineage, now = folder.lineage, Epoch.of(task, 1, 0)
    results: list[Found] = []
    for number in folder.trial_numbers()[:MOST_RESULTS]:
        label = f"trial {number} of {folder.name}"
        try:
            config = folder.read_config(number)
            outcome = None if config is None else folder.read_outcome(number, config.stamp)
        except RunError as error:
            results.append(left_out(label, f"its record cannot be used ({error})"))
            continue
        if config is None:
            continue
        if outcome is None:
            results.append(left_out(label, "it has not ended"))
            continue
        epochs = [*lineage.epochs[lineage.epochs.index(lineage.epoch_of(number)) :], now]
        same_metric = folder.task.metric == task.metric
        results.append(
            found(label, config.proposal.configuration, epochs, outcome, task, config.trial(), same_metric)
        )
    notes = []
    if folder.task.objective_text() != task.objective_text():
        what = "is taken as measuring the same"
        notes.append(f"its training code, {folder.task.objective_text()[:200]}, {what}")
    return Source(folder.name, results, tuple(notes))


# -- a table --------------------------------------------------------------------------------------


def _table(path: Path, task: Task) -> Source:
    """A table: a column for each hyperparameter (or `params_NAME`), one for the metric (or `value`)."""
    if path.stat().st_size > LARGEST_TABLE:
        raise RunError(f"{path.name} is larger than {LARGEST_TABLE >> 20} MiB.")
    columns, rows = _rows(path)
    further = [m for m in task.goals.names if m != task.metric and m in columns and m not in task.space]
    value = next((c for c in (task.metric, "value") if c in columns and c not in task.space), None)
    if value is None:
        raise RunError(
            f"{path.name} has no column {task.metric!r} (or `value`); its columns: "
            f"{', '.join(clean(c, 40) for c in columns[:20])}."
        )
    prefixed = {c.removeprefix("params_"): c for c in columns if c.startswith("params_")}
    where = prefixed | {c: c for c in columns if c in task.space and c not in prefixed}
    tuned = [name for name in task.space.names if name in where]
    if not tuned:
        raise RunError(f"{path.name} has a column for none of {', '.join(task.space.names)[:200]}.")
    now = Epoch.of(task, 1, 0)
    results = []
    for line, row in rows:
        label = f"line {line} of {clean(path.name, 60)}"
        state = row.get("state", "").strip().casefold() or "complete"
        if state not in ("complete", "completed"):
            results.append(left_out(label, f"its state is {clean(state, 30)}"))
            continue
        number = _number(row.get(value, ""))
        values: dict[str, Any] = {}
        for name, column in where.items():
            text = row.get(column, "").strip()
            if text:
                known = task.space.parameters.get(name)
                values[name] = text if known is None else legal_from_text(known, text)
        read = {task.metric: number} | {name: _number(row.get(name, "")) for name in further}
        metrics = {name: one for name, one in read.items() if one is not None}
        outcome = Outcome(state=TrialState.COMPLETED, values=metrics)
        results.append(found(label, values, [now, now], outcome, task, names=set(where)))
    unused = [c for c in columns if c not in {*where.values(), value, *further, *_NOT_VALUES}]
    notes = [f"its column {clean(value, 60)} is taken as {task.metric}"] if value != task.metric else []
    if unused:
        notes.append(f"columns not used: {', '.join(clean(c, 40) for c in unused[:20])}")
    return Source(clean(path.name, 60), results, tuple(notes))


def _rows(path: Path) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            delimiter = "\t" if path.suffix.casefold() == ".tsv" else ","
            reader = csv.DictReader(file, delimiter=delimiter, restkey=None)
            columns = [c.strip() for c in reader.fieldnames or ()]
            reader.fieldnames = columns
            rows = list(_first(reader))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise RunError(f"{path.name} cannot be read as a table: {clean(error, 200)}.") from error
    return columns, rows


def _first(reader: csv.DictReader[str]) -> Iterator[tuple[int, dict[str, str]]]:
    for row in reader:
        if reader.line_num > MOST_RESULTS + 1:
            return
        yield reader.line_num, {k: v for k, v in row.items() if k is not None and isinstance(v, str)}


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
