"""An Optuna study as a source of earlier results (`--from`), also one of several values and with constraints.

Its values are the task's metrics by their names where the study has names, else in the task's order. What is
no value of it is looked for in the trial's attributes, and a limited metric in its constraints.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.errors import RunError, short
from tunesmith.task import Task
from tunesmith.task.lineage import Epoch
from tunesmith.text.cleaning import clean
from tunesmith.tools.records.found import MOST_RESULTS, Found, Source, found, left_out
from tunesmith.trial import Outcome, TrialState

if TYPE_CHECKING:
    from optuna.storages import BaseStorage
    from optuna.trial import FrozenTrial


def split_url(url: str) -> tuple[str, str | None]:
    """A storage's URL and the study's name after it: `sqlite:///study.db:NAME`."""
    head, slash, tail = url.rpartition("/")
    place, colon, study = tail.partition(":")
    return (head + slash + place, study) if colon and place and study else (url, None)


def read_study(url: str, task: Task) -> Source:
    """The results of an Optuna study in a database as `task` would have them; see `sources.read_source`."""
    from tunesmith.tools.records.storage import explained, open_existing, quiet, without_password

    place, name = split_url(url)
    where = without_password(place)
    with quiet(), explained(where):
        return _results(open_existing(place), name, where, task)


def read_journal(path: Path, name: str | None, task: Task) -> Source:
    """The results of a study in a file of Optuna's journal storage; see `sources.read_source`."""
    from tunesmith.tools.records.storage import UNREADABLE, journal_to_read, quiet

    try:
        with quiet():
            return _results(journal_to_read(path), name, str(path), task)
    except UNREADABLE as error:
        cause = f"{type(error).__name__}: {(str(error).splitlines() or [''])[0][:200]}"
        raise RunError(f"{path.name} cannot be read as a journal of Optuna ({cause}).") from error


def _results(storage: BaseStorage, name: str | None, where: str, task: Task) -> Source:
    """The results of one study of a storage, of the only one where none is named."""
    from optuna.trial import TrialState as OptunaState

    from tunesmith.tools.records.study import ATTRIBUTE

    studies = {study.study_name: study._study_id for study in storage.get_all_studies()}
    if name is None and len(studies) == 1:
        name = next(iter(studies))
    if name is None or name not in studies:
        have = ", ".join(map(short, list(studies)[:20])) or "none"
        wanted = "several studies are" if name is None else f"no study {short(name)} is"
        raise RunError(f"{wanted} in {where}; there: {have}. Name one, as in {where}:NAME.")
    columns, note = _columns(storage, studies[name], task, f"study {name!r} in {where}")
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
            results.append(left_out(label, "it has not ended"))
            continue
        values = _metrics(trial, columns, task) if trial.state is OptunaState.COMPLETE else {}
        curve = tuple(
            (int(step), float(v)) for step, v in sorted(trial.intermediate_values.items()) if math.isfinite(v)
        )
        seconds = trial.duration.total_seconds() if trial.duration is not None else 0.0
        outcome = Outcome(
            state=states[trial.state], values=finite(values), curve=curve, seconds=max(seconds, 0.0)
        )
        results.append(found(label, trial.params, [now, now], outcome, task, names=parameters))
    return Source(f"study {clean(name, 60)}", results, (note,))


def _columns(storage: BaseStorage, study_id: int, task: Task, what: str) -> tuple[list[str | None], str]:
    """Which of the task's metrics each value of a study is, None for none, and a note on how that was read.

    Raises:
        RunError: The primary metric is none of them.
    """
    from tunesmith.tools.records.study import METRIC_NAMES, directions

    have, goals = directions(storage, study_id), task.goals.objectives
    wanted = {goal.metric: goal.direction for goal in goals}
    names = storage.get_study_system_attrs(study_id).get(METRIC_NAMES)
    if isinstance(names, list) and len(names) == len(have) and task.metric in names:
        pairs = zip(names, have, strict=True)
        named = [name if wanted.get(name, direction) == direction else None for name, direction in pairs]
        if task.metric in named:
            return named, "its values are taken by their names"
    elif have == [goal.direction for goal in goals]:
        order = [goal.metric for goal in goals]
        if len(order) > 1:
            return [*order], f"its values are taken as {', '.join(order)}, in order"
        return [*order], f"its value is taken as {task.metric}"
    elif have == [task.direction]:
        return [task.metric], f"its value is taken as {task.metric}"
    told = f"{task.direction} one value" if len(goals) == 1 else "have " + ", ".join(g.text for g in goals)
    raise RunError(f"{what} does not {told} ({', '.join(have)}), so its values are not this task's.")


def _metrics(trial: FrozenTrial, columns: list[str | None], task: Task) -> dict[str, Any]:
    """The task's metrics of a trial, as far as it has them."""
    from tunesmith.tools.records.study import ATTRIBUTE

    notes = trial.user_attrs.get(ATTRIBUTE)
    own = notes.get("values") if isinstance(notes, dict) else None
    known: dict[str, Any] = {**trial.user_attrs, **(own if isinstance(own, dict) else {})}
    known |= {c: v for c, v in zip(columns, trial.values or (), strict=False) if c is not None}
    for limit in task.limits:
        for name in (limit.text, limit.metric):
            excess = trial.constraints.get(name)
            if excess is not None:
                known.setdefault(limit.metric, limit.bound + limit.sign * excess)
    return {name: known[name] for name in task.goals.names if name in known}


def finite(values: Mapping[str, Any]) -> dict[str, float]:
    return {k: float(v) for k, v in values.items() if isinstance(v, int | float) and math.isfinite(v)}
