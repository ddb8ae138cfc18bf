"""The Optuna study of a run: one write when a trial starts, one when it ends.

Any Optuna tool can read it: parameters, values and learning curves are where Optuna has them, and
who proposed a trial, why and how it ended is one attribute, `tunesmith`, of each trial. Failures
of every kind are Optuna's FAIL with the typed outcome in that attribute. Trial numbers are Optuna's.

`optuna.create_study` makes the study; after that this talks to the storage itself, because `Study.ask`
and `tell` cost up to 37 synced writes a trial, and `tell` takes an infinite value for the best one.
"""

from __future__ import annotations

import json
import math
from datetime import datetime
from typing import Any

import optuna
from optuna.storages import BaseStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, create_trial
from optuna.trial import TrialState as OptunaState

from tunesmith.errors import InvalidConfiguration, RunError
from tunesmith.interfaces import Emit
from tunesmith.space import Space
from tunesmith.task import Task
from tunesmith.text.cleaning import clean
from tunesmith.tools.records.bounds import MOST_ATTRIBUTE_BYTES
from tunesmith.tools.records.run_folder import RunFolder
from tunesmith.tools.records.storage import Batch, explained, open_storage, quiet, without_password
from tunesmith.trial import Origin, Proposal, Trial, TrialState

GONE = "The trial's folder was deleted, and the study was rebuilt without it."
ATTRIBUTE = "tunesmith"
"""The one attribute each trial carries."""
_STATES = {
    TrialState.RUNNING: OptunaState.RUNNING,
    TrialState.COMPLETED: OptunaState.COMPLETE,
    TrialState.PRUNED: OptunaState.PRUNED,
}  # every other end is FAIL


class UnreadableTrial(RunError):
    """What a study says of a trial is not what Tunesmith writes."""


class StudyStore:
    """A run's study. Used from the engine's thread, by the holder of the run's lock only."""

    def __init__(self, storage: BaseStorage, batch: Batch, study_id: int, space: Space, where: str) -> None:
        self._storage, self._batch, self._study_id = storage, batch, study_id
        self._space, self._where = space, where
        self._distributions = space.to_distributions()
        self._count = storage.get_n_trials(study_id)
        self._running: dict[int, int] = {}  # number -> Optuna's id, of the trials started here

    @classmethod
    def open(
        cls, folder: RunFolder, task: Task, storage_url: str | None = None, *, emit: Emit | None = None
    ) -> StudyStore:
        """The run's study, made if there is none; a journal that a crash damaged is repaired first.

        Args:
            storage_url: An Optuna storage such as `sqlite:///study.db`; None means the run's own journal.
            emit: Called with a `Degraded` for every repair.

        Raises:
            RunError: The storage cannot be used, or holds a study that is not this task's.
        """
        where = str(folder.journal) if storage_url is None else without_password(storage_url)
        name = study_name(folder.name, folder.lineage.version)
        with quiet(), explained(where):
            storage, batch = open_storage(folder.journal, storage_url, emit)
            wanted = StudyDirection.MAXIMIZE if task.direction == "maximize" else StudyDirection.MINIMIZE
            study_id = _find_or_create(storage, name, wanted)
            if storage.get_study_directions(study_id) != [wanted]:
                raise RunError(f"study {name!r} in {where} does not {task.direction} one metric. {_FIX}")
            return cls(storage, batch, study_id, task.space.restricted(None), where)

    def earlier(self, name: str, space: Space) -> StudyStore | None:
        """Another study in the same storage, of a space that the run had before; None where there is none."""
        with explained(self._where):
            try:
                study_id = self._storage.get_study_id_from_name(name)
            except KeyError:
                return None
            return StudyStore(self._storage, self._batch, study_id, space, self._where)

    def others(self) -> list[str]:
        """Names of all other studies in the storage."""
        with explained(self._where):
            return [s.study_name for s in self._storage.get_all_studies() if s._study_id != self._study_id]

    @property
    def name(self) -> str:
        with explained(self._where):
            return self._storage.get_study_name_from_id(self._study_id)

    @property
    def where(self) -> str:
        """The journal's path or the storage's URL, without a password."""
        return self._where

    @property
    def next_number(self) -> int:
        """Number of the next trial to start."""
        return self._count

    def started(self, trial: Trial) -> None:
        """Record a trial as running: one write.

        Raises:
            RunError: The storage cannot be written, or another program added trials to the study.
        """
        self._running[trial.number] = self._append(trial.number, self._frozen(trial))

    def finished(self, trial: Trial) -> None:
        """Record the end of a running trial, its learning curve included: one write.

        Raises:
            RunError: The storage cannot be written, or another program finished the trial.
        """
        _check_finite(trial)
        with explained(self._where):
            trial_id = self._running.pop(trial.number, None)
            if trial_id is None:
                trial_id = self._storage.get_trial_id_from_study_id_trial_number(self._study_id, trial.number)
            # Before the write: a journal accepts lines for a finished trial and cannot be read afterwards.
            self._storage.check_trial_is_updatable(trial_id, self._storage.get_trial(trial_id).state)
        with explained(self._where), self._batch():
            for step, value in trial.curve:
                self._storage.set_trial_intermediate_value(trial_id, step, value)
            self._storage.set_trial_user_attr(trial_id, ATTRIBUTE, self._notes(trial))
            final = _optuna_value(trial)
            state = _STATES.get(trial.state, OptunaState.FAIL)
            self._storage.set_trial_state_values(trial_id, state, None if final is None else [final])

    def record(self, trial: Trial) -> None:
        """Add a trial that has ended already: one write. For rebuilding a study from trial folders."""
        _check_finite(trial)
        self._append(trial.number, self._frozen(trial))

    def skip(self, number: int, reason: str = GONE) -> None:
        """Use up a number whose trial is not in this study, so that numbers agree."""
        note = {"gap": True, "reason": reason}
        self._append(number, create_trial(state=OptunaState.FAIL, user_attrs={ATTRIBUTE: note}))

    def load(self) -> list[Trial | None]:
        """Every trial in the storage, by number; None for a number used up by `skip`.

        Raises:
            RunError: The study holds trials that are not ours, or not of this search space.
        """
        with explained(self._where):
            frozen = self._storage.get_all_trials(self._study_id, deepcopy=False)
        return [self._thawed(trial) for trial in frozen]

    # -- to Optuna ------------------------------------------------------------------------------

    def _frozen(self, trial: Trial) -> FrozenTrial:
        values = self._space.stored(trial.configuration)
        frozen = create_trial(
            state=_STATES.get(trial.state, OptunaState.FAIL),
            value=_optuna_value(trial),
            params=values,
            distributions={name: self._distributions[name] for name in values},
            user_attrs={ATTRIBUTE: self._notes(trial)},
            intermediate_values=dict(trial.curve),
        )
        frozen.datetime_start = datetime.fromtimestamp(trial.started_at)
        if trial.finished:
            frozen.datetime_complete = datetime.fromtimestamp(trial.started_at + trial.seconds)
        return frozen

    def _notes(self, trial: Trial) -> dict[str, Any]:
        """The trial's attribute; integers that Optuna would round to floats are in it exactly."""
        exact = self._space.inexact(trial.configuration)
        return provenance(trial) | ({"exact": exact} if exact else {})

    def _append(self, number: int, frozen: FrozenTrial) -> int:
        if number != self._count:
            raise RunError(f"trial {number} cannot follow the {self._count} trials in {self._where}. {_FIX}")
        with explained(self._where):
            trial_id = self._storage.create_new_trial(self._study_id, template_trial=frozen)
            if self._storage.get_trial_number_from_id(trial_id) != number:
                self._storage.set_trial_state_values(trial_id, OptunaState.FAIL)
                raise RunError(f"another program added trials to the study in {self._where}. {_FIX}")
        self._count += 1
        return trial_id

    # -- from Optuna ----------------------------------------------------------------------------

    def _thawed(self, frozen: FrozenTrial) -> Trial | None:
        try:
            return self._read(frozen)
        except (ValueError, TypeError, OverflowError) as error:
            cause = f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"
            raise UnreadableTrial(
                f"trial {frozen.number} in {self._where} cannot be read ({cause}). {_FIX}"
            ) from error

    def _read(self, frozen: FrozenTrial) -> Trial | None:
        notes = frozen.user_attrs.get(ATTRIBUTE)
        if not isinstance(notes, dict):
            raise RunError(f"trial {frozen.number} in {self._where} was not made by Tunesmith. {_FIX}")
        if notes.get("gap"):
            return None
        try:
            configuration = self._space.validate(frozen.params | notes.get("exact", {}))
        except InvalidConfiguration as error:
            raise RunError(
                f"trial {frozen.number} in {self._where} is not in this task's search space: {error}. {_FIX}"
            ) from error
        known = {key: notes[key] for key in _PROPOSAL if key in notes}
        known.setdefault("origin", Origin.RETRY)
        known.setdefault("reason", "")
        proposal = Proposal(configuration=configuration, **known)
        state = _state(frozen, notes)
        started = frozen.datetime_start.timestamp() if frozen.datetime_start else 0.0
        return Trial(
            number=frozen.number,
            proposal=proposal,
            state=state,
            value=frozen.value if state is TrialState.COMPLETED else None,
            values=notes.get("values", {}),
            curve=tuple(sorted(frozen.intermediate_values.items()))
            if state is not TrialState.RUNNING
            else (),
            reports=notes.get("reports", 0),
            notes=tuple(notes.get("notes", ())),
            message=notes.get("message", ""),
            seed=notes.get("seed", 0),
            started_at=notes.get("started_at", started),
            seconds=notes.get("seconds", 0.0),
            loss=notes.get("loss"),
            cost=notes.get("cost"),
        )


_PROPOSAL = (
    "origin",
    "reason",
    "evidence",
    "expected",
    "spread",
    "prompt_id",
    "tokens",
    "provenance",
    "details",
)
_FIX = (
    "Give the task another `name`, or another storage; --from URL:STUDY starts a run with the "
    "results of a study."
)


def study_name(run: str, version: int) -> str:
    """Name of the study of one search space of a run: an Optuna study cannot change its space."""
    return run if version == 1 else f"{run}@{version}"


def provenance(trial: Trial) -> dict[str, Any]:
    """The `tunesmith` attribute: who proposed the trial and why and, once it ended, its outcome.

    What is empty is left out, and what people look for comes first: optuna-dashboard cuts long
    attributes. Tracebacks stay in the trial's folder.
    """
    proposal = trial.proposal.model_dump(include=set(_PROPOSAL)) | {"origin": trial.proposal.origin.value}
    notes: dict[str, Any] = {}
    if trial.finished:
        notes |= {"outcome": trial.state.value, "message": trial.message, "loss": trial.loss}
    notes |= {key: proposal[key] for key in _PROPOSAL}
    notes |= {"values": trial.values, "notes": trial.notes, "reports": trial.reports}
    notes |= {"seconds": trial.seconds, "seed": trial.seed, "cost": trial.cost}
    notes["details"] = {key: value for key, value in proposal["details"].items() if math.isfinite(value)}
    kept = {key: value for key, value in notes.items() if _worth_keeping(key, value)}
    return _fitting(kept) | {"started_at": trial.started_at}


def _fitting(notes: dict[str, Any]) -> dict[str, Any]:
    """What a database can hold: the least important goes first; the trial's folder has all of it."""
    for key in ("details", "values", "notes", "evidence", "provenance"):
        if len(json.dumps(notes)) <= MOST_ATTRIBUTE_BYTES:
            return notes
        notes = {name: value for name, value in notes.items() if name != key}
    return notes | {"reason": clean(notes.get("reason", ""), 2000)}


def _worth_keeping(key: str, value: Any) -> bool:
    if isinstance(value, float) and not math.isfinite(value):
        return False  # no JSON, and no browser could show the trial
    # An expectation of 0.0 is information; no tokens and no seconds are none.
    return value not in (None, "", (), {}) and not (
        key in ("tokens", "seconds", "seed", "reports") and value == 0
    )


def _optuna_value(trial: Trial) -> float | None:
    """Optuna's value: the metric of a completed trial, the last report of a pruned one (as `tell` has it)."""
    return trial.last_reported if trial.state is TrialState.PRUNED else trial.value


def _check_finite(trial: Trial) -> None:
    assert trial.finished, f"trial {trial.number} is still running"
    numbers = [value for _, value in trial.curve] + ([] if trial.value is None else [trial.value])
    if not all(map(math.isfinite, numbers)):
        raise ValueError(f"trial {trial.number} has a value that is not finite; it must not be stored")


def _state(frozen: FrozenTrial, notes: dict[str, Any]) -> TrialState:
    if not frozen.state.is_finished():
        return TrialState.RUNNING
    if "outcome" in notes:
        return TrialState(notes["outcome"])
    # Ended by another program, such as a person failing stale trials by hand.
    return TrialState.COMPLETED if frozen.state is OptunaState.COMPLETE else TrialState.LOST


def _find_or_create(storage: BaseStorage, name: str, direction: StudyDirection) -> int:
    """The study's id. Looked for first: `load_if_exists` adds a line to a journal at every opening."""
    try:
        return storage.get_study_id_from_name(name)
    except KeyError:
        optuna.create_study(storage=storage, study_name=name, direction=direction)
        return storage.get_study_id_from_name(name)
