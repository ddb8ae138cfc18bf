"""Results of earlier work, read for a new run: another run's folder, an Optuna study, or a table.

Only read, never changed. What a source says is data: values are matched against the search space as any
proposal is, and nothing in it is evaluated.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tunesmith.errors import InvalidConfiguration, RunError, short
from tunesmith.task import Task
from tunesmith.task.lineage import Epoch, LeftOut, carried, legal_from_text
from tunesmith.text.cleaning import clean
from tunesmith.tools.records.run_folder import RunFolder
from tunesmith.trial import Configuration, Outcome, Trial, TrialState

MOST_RESULTS = 20_000
LONGEST_S = 1e9
"""A trial that says it took longer says nothing of its length."""
LARGEST_TABLE = 64 << 20
"""Bytes."""
TAKEN_STATES = (TrialState.COMPLETED, TrialState.PRUNED, TrialState.DIVERGED)
"""Ends that say something of a configuration whatever code, machine and limits there were."""
_NOT_VALUES = {"number", "trial", "state", "value", "duration", "datetime_start", "datetime_complete", "seed"}


class Found(NamedTuple):
    """One result of a source: what it is called there, and what it is here or why it is left out."""

    label: str
    configuration: Configuration | None
    outcome: Outcome | None
    seed: int
    started_at: float
    why_not: str


class Source(NamedTuple):
    """What a source holds."""

    label: str
    """Short name of it, without a path."""
    results: list[Found]
    notes: tuple[str, ...] = ()
    """What a person should know of how it was read."""


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
    raise RunError(
        f"there is nothing at {text} to start from. Name a run folder, a table such as results.csv, or a "
        "storage such as sqlite:///study.db or sqlite:///study.db:STUDY."
    )


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
        return _study(source, task)
    path = Path(source)
    if path.is_dir():
        return _run(path, task)
    if path.suffix.casefold() in (".csv", ".tsv"):
        return _table(path, task)
    raise RunError(
        f"{path.name} is no run folder and no .csv or .tsv table. Name one of these, or an Optuna storage "
        "such as sqlite:///study.db."
    )


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
            results.append(_left(label, f"its record cannot be used ({error})"))
            continue
        if config is None:
            continue
        if outcome is None:
            results.append(_left(label, "it has not ended"))
            continue
        epochs = [*lineage.epochs[lineage.epochs.index(lineage.epoch_of(number)) :], now]
        same_metric = folder.task.metric == task.metric
        results.append(
            _found(label, config.proposal.configuration, epochs, outcome, task, config.trial(), same_metric)
        )
    notes = []
    if folder.task.objective_text() != task.objective_text():
        what = "is taken as measuring the same"
        notes.append(f"its training code, {folder.task.objective_text()[:200]}, {what}")
    return Source(folder.name, results, tuple(notes))


def _found(
    label: str,
    values: Mapping[str, Any],
    epochs: list[Epoch],
    outcome: Outcome,
    task: Task,
    trial: Trial | None = None,
    same_metric: bool = True,
    names: set[str] | None = None,
) -> Found:
    """One result as the task would have it, or why not."""
    if outcome.state not in TAKEN_STATES:
        return _left(label, f"it ended {outcome.state.value.replace('_', ' ')}")
    if outcome.state is TrialState.COMPLETED:
        for name in task.goals.names:
            value = outcome.values.get(name)
            if value is None or not math.isfinite(value):
                return _left(label, f"it has no {name}")
    elif not same_metric:
        return _left(label, "it was stopped or diverged by another metric")
    elif outcome.state is TrialState.PRUNED and not outcome.curve:
        return _left(label, "it was stopped early without a value")
    try:
        # Validated, because a run of the same space is not looked at: its records may be anybody's.
        configuration = task.space.validate(dict(carried(values, epochs, names)))
    except (LeftOut, InvalidConfiguration) as why:
        return _left(label, str(why))
    if not same_metric:
        outcome = outcome.changed(curve=())
    seconds = outcome.seconds if 0 <= outcome.seconds <= LONGEST_S else 0.0
    outcome = outcome.changed(traceback="", message=clean(outcome.message, 300), seconds=seconds)
    seed = trial.seed if trial is not None and 0 <= trial.seed < 2**63 else 0
    started = trial.started_at if trial is not None and 0 <= trial.started_at < LONGEST_S * 10 else 0.0
    return Found(label, configuration, outcome, seed, started, "")


def _left(label: str, why: str) -> Found:
    return Found(label, None, None, 0, 0.0, clean(why, 300))


# -- an Optuna study ------------------------------------------------------------------------------


def split_url(url: str) -> tuple[str, str | None]:
    """A storage's URL and the study's name after it: `sqlite:///study.db:NAME`."""
    head, slash, tail = url.rpartition("/")
    place, colon, study = tail.partition(":")
    return (head + slash + place, study) if colon and place and study else (url, None)


def _study(url: str, task: Task) -> Source:
    from optuna.trial import TrialState as OptunaState

    from tunesmith.tools.records.storage import explained, open_existing, quiet, without_password
    from tunesmith.tools.records.study import ATTRIBUTE, METRIC_NAMES, directions

    place, name = split_url(url)
    where = without_password(place)
    with quiet(), explained(where):
        storage = open_existing(place)
        studies = {study.study_name: study._study_id for study in storage.get_all_studies()}
        if name is None and len(studies) == 1:
            name = next(iter(studies))
        if name is None or name not in studies:
            have = ", ".join(map(short, list(studies)[:20])) or "none"
            wanted = "several studies are" if name is None else f"no study {short(name)} is"
            raise RunError(f"{wanted} in {where}; there: {have}. Name one, as in {where}:NAME.")
        done = directions(storage, studies[name])
        names = _value_names(storage.get_study_system_attrs(studies[name]).get(METRIC_NAMES), task, len(done))
        known = dict(zip(names, done, strict=True)) if len(names) == len(done) else {}
        goals = task.goals.objectives
        if task.metric not in known or any(known.get(g.metric, g.direction) != g.direction for g in goals):
            what = f"{task.direction} {'one value' if not task.goals.several else task.metric}"
            raise RunError(
                f"study {name!r} in {where} does not {what} "
                f"({', '.join(done)}), so its values are not this task's."
            )
        frozen = storage.get_all_trials(studies[name], deepcopy=False)[:MOST_RESULTS]
    states = {
        OptunaState.COMPLETE: TrialState.COMPLETED,
        OptunaState.PRUNED: TrialState.PRUNED,
        OptunaState.FAIL: TrialState.CRASHED,
    }
    parameters = {p for trial in frozen for p in trial.params}
    now = Epoch.of(task, 1, 0)
    results: list[Found] = []
    for trial in frozen:
        label = f"trial {trial.number} of study {clean(name, 60)}"
        notes = trial.user_attrs.get(ATTRIBUTE)
        if isinstance(notes, dict) and notes.get("gap"):
            continue
        if trial.state not in states:
            results.append(_left(label, "it has not ended"))
            continue
        values: dict[str, Any] = {}
        if trial.state is OptunaState.COMPLETE:
            kept = notes.get("values") if isinstance(notes, dict) else None
            others = {**trial.user_attrs, **(kept if isinstance(kept, dict) else {})}
            values = {name: others[name] for name in task.goals.names if name in others}
            values |= dict(zip(names, trial.values, strict=True))
        curve = tuple(
            (int(step), float(v)) for step, v in sorted(trial.intermediate_values.items()) if math.isfinite(v)
        )
        seconds = trial.duration.total_seconds() if trial.duration is not None else 0.0
        outcome = Outcome(
            state=states[trial.state], values=_finite(values), curve=curve, seconds=max(seconds, 0.0)
        )
        results.append(_found(label, trial.params, [now, now], outcome, task, names=parameters))
    taken = f"its value is taken as {task.metric}" if len(names) == 1 else ""
    return Source(f"study {clean(name, 60)}", results, (taken or f"its values are {', '.join(names)}"[:200],))


def _value_names(stated: Any, task: Task, count: int) -> list[str]:
    """Which metrics a study's values are: by the names that it has, else the task's in their order."""
    known = (
        isinstance(stated, list) and len(stated) == count and all(isinstance(name, str) for name in stated)
    )
    if known and (task.metric in stated or count > 1):
        return list(stated)
    objectives = [goal.metric for goal in task.goals.objectives]
    return objectives if count == len(objectives) else [task.metric]


def _finite(values: Mapping[str, Any]) -> dict[str, float]:
    return {k: float(v) for k, v in values.items() if isinstance(v, int | float) and math.isfinite(v)}


# -- a table --------------------------------------------------------------------------------------


def _table(path: Path, task: Task) -> Source:
    """A table: a column for each hyperparameter (or `params_NAME`), one for the metric (or `value`)."""
    if path.stat().st_size > LARGEST_TABLE:
        raise RunError(f"{path.name} is larger than {LARGEST_TABLE >> 20} MiB.")
    columns, rows = _rows(path)
    value = next((c for c in (task.metric, "value") if c in columns and c not in task.space), None)
    if value is None:
        raise RunError(
            f"{path.name} has no column {task.metric!r} (or `value`); its columns: "
            f"{', '.join(clean(c, 40) for c in columns[:20])}."
        )
    further = [name for name in task.goals.names[1:] if name in columns]
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
            results.append(_left(label, f"its state is {clean(state, 30)}"))
            continue
        number = _number(row.get(value, ""))
        values: dict[str, Any] = {}
        for name, column in where.items():
            text = row.get(column, "").strip()
            if text:
                known = task.space.parameters.get(name)
                values[name] = text if known is None else legal_from_text(known, text)
        others = {c: _number(row.get(c, "")) for c in further}
        measured = {task.metric: number} | others
        outcome = Outcome(state=TrialState.COMPLETED, values=_finite(measured))
        results.append(_found(label, values, [now, now], outcome, task, names=set(where)))
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
