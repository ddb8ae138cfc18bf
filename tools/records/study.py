"""The Optuna study of a run: one write when a trial starts, one when it ends.

Any Optuna tool can read it: parameters, values and learning curves are where Optuna has them, and
who proposed a trial, why and how it ended is one attribute, `tunesmith`, of each trial. Failures
of every kind are Optuna's FAIL with the typed outcome in that attribute. Trial numbers are Optuna's.

With several metrics the study has a direction for each, and Optuna's own programs show its Pareto front;
limits are Optuna's constraints, of completed trials. One metric without limits is a study of one value.

`optuna.create_study` makes the study; after that this talks to the storage itself, because `Study.ask`
and `tell` cost up to 37 synced writes a trial, and `tell` takes an infinite value for the best one.
"""

from __future__ import annotations

import math
import sys
from datetime import datetime
from typing import Any

import optuna
from optuna.storages import BaseStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, create_trial
from optuna.trial import TrialState as OptunaState

from tunesmith.errors import InvalidConfiguration, RunError
from tunesmith.goals import Direction, Goals
from tunesmith.interfaces import Emit
from tunesmith.space import Space
from tunesmith.task import Task
from tunesmith.tools.records.run_folder import RunFolder
from tunesmith.tools.records.storage import Batch, explained, open_storage, quiet, without_password
from tunesmith.tools.records.study_notes import PROPOSAL, provenance
from tunesmith.trial import Origin, Proposal, Trial, TrialState

GONE = "The trial's folder was deleted, and the study was rebuilt without it."
NOT_IN_SPACE = "The run's search space was changed; this trial is in the study of the space it was made for."
ATTRIBUTE = "tunesmith"
"""The one attribute each trial carries."""
CONSTRAINTS = "constraints:"
"""Before a constraint's name, in the key of an attribute of Optuna's own (as of Optuna 5)."""
METRIC_NAMES = "study:metric_names"
"""Where Optuna keeps the names of a study's values."""
_STATES = {
    TrialState.RUNNING: OptunaState.RUNNING,
    TrialState.COMPLETED: OptunaState.COMPLETE,
    TrialState.PRUNED: OptunaState.PRUNED,
}  # every other end is FAIL


class UnreadableTrial(RunError):
    """What a study says of a trial is not what Tunesmith writes."""


class StudyStore:
    """A run's study. Used from the engine's thread, by the holder of the run's lock only.

    Attributes:
        limits_changed: Whether `load` found trials that the study judged by other limits than those of now.
    """

    def __init__(
        self, storage: BaseStorage, batch: Batch, study_id: int, space: Space, goals: Goals, where: str
    ) -> None:
        self._storage, self._batch, self._study_id = storage, batch, study_id
        self._space, self._goals, self._where = space, goals, where
        self.limits_changed = False
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
            goals = task.goals
            study_id = _find_or_create(storage, name, goals)
            if not _is_of(storage, study_id, goals):
                what = (
                    "have this task's metrics (" + ", ".join(goal.text for goal in goals.objectives) + ")"
                    if goals.several
                    else f"{task.direction} one metric"
                )
                raise RunError(f"study {name!r} in {where} does not {what}. {_FIX}")
            return cls(storage, batch, study_id, task.space.restricted(None), goals, where)

    def earlier(self, name: str, space: Space) -> StudyStore | None:
        """Another study in the same storage, of a space that the run had before; None where there is none."""
        with explained(self._where):
            try:
                study_id = self._storage.get_study_id_from_name(name)
            except KeyError:
                return None
            return StudyStore(self._storage, self._batch, study_id, space, self._goals, self._where)

    def of_version(self, run: str, version: int, space: Space) -> StudyStore:
        """The study of another space of the run in the same storage, made if there is none."""
        with quiet(), explained(self._where):
            study_id = _find_or_create(self._storage, study_name(run, version), self._goals)
            _is_of(self._storage, study_id, self._goals)  # gives its values their names
            return StudyStore(self._storage, self._batch, study_id, space, self._goals, self._where)

    def numbers_running(self) -> set[int]:
        """Numbers of the trials that this study has as running."""
        with explained(self._where):
            trials = self._storage.get_all_trials(self._study_id, deepcopy=False)
        return {trial.number for trial in trials if not trial.state.is_finished()}

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
            for key, excess in self._constraints(trial).items():
                self._storage.set_trial_system_attr(trial_id, key, excess)
            state = _STATES.get(trial.state, OptunaState.FAIL)
            self._storage.set_trial_state_values(trial_id, state, self._optuna_values(trial))

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
        trials = [self._thawed(trial) for trial in frozen]
        self.limits_changed = any(
            trial is not None and self._constraints(trial).items() ^ constraints(stored).items()
            for stored, trial in zip(frozen, trials, strict=True)
        )
        return trials

    # -- to Optuna ------------------------------------------------------------------------------

    def _frozen(self, trial: Trial) -> FrozenTrial:
        values = self._space.stored(trial.configuration)
        frozen = create_trial(
            state=_STATES.get(trial.state, OptunaState.FAIL),
            values=self._optuna_values(trial),
            params=values,
            distributions={name: self._distributions[name] for name in values},
            user_attrs={ATTRIBUTE: self._notes(trial)},
            system_attrs=self._constraints(trial),
            intermediate_values=dict(trial.curve),
        )
        frozen.datetime_start = datetime.fromtimestamp(trial.started_at)
        if trial.finished:
            frozen.datetime_complete = datetime.fromtimestamp(trial.started_at + trial.seconds)
        return frozen

    def _notes(self, trial: Trial) -> dict[str, Any]:
        """The trial's attribute; integers that Optuna would round to floats are in it exactly."""
        exact = self._space.inexact(trial.configuration)
        return provenance(trial, self._goals.names) | ({"exact": exact} if exact else {})

    def _optuna_values(self, trial: Trial) -> list[float] | None:
        """What Optuna has as values: all metrics to optimise of a completed trial.

        Of a pruned one with a single metric it is the last report, as `Study.tell` has it.
        """
        if trial.state is TrialState.COMPLETED:
            return [trial.values.get(g.metric, trial.value) for g in self._goals.objectives]  # type: ignore[misc]
        last = trial.last_reported if trial.state is TrialState.PRUNED else None
        return None if last is None or self._goals.several else [last]

    def _constraints(self, trial: Trial) -> dict[str, float]:
        """By how much a completed trial breaks each limit, at most 0 where it keeps it, by Optuna's key."""
        if trial.state is not TrialState.COMPLETED:
            return {}
        most = sys.float_info.max
        return {
            CONSTRAINTS + limit.text: min(max(limit.excess(trial.values[limit.metric]), -most), most)
            for limit in self._goals.limits
            if limit.metric in trial.values
        }

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
        known = {key: notes[key] for key in PROPOSAL if key in notes}
        known.setdefault("origin", Origin.RETRY)
        known.setdefault("reason", "")
        proposal = Proposal(configuration=configuration, **known)
        state = _state(frozen, notes)
        done = (frozen.values or []) if state is TrialState.COMPLETED else []
        # The metrics to optimise are Optuna's values as well, should the attribute have had no room for them.
        known_values = {g.metric: v for g, v in zip(self._goals.objectives, done, strict=False)}
        started = frozen.datetime_start.timestamp() if frozen.datetime_start else 0.0
        return Trial(
            number=frozen.number,
            proposal=proposal,
            state=state,
            value=done[0] if done else None,
            values=known_values | notes.get("values", {}) if self._goals.several else notes.get("values", {}),
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


_FIX = (
    "Give the task another `name`, or another storage; --from URL:STUDY starts a run with the "
    "results of a study."
)


def study_name(run: str, version: int) -> str:
    """Name of the study of one search space of a run: an Optuna study cannot change its space."""
    return run if version == 1 else f"{run}@{version}"


def directions(storage: BaseStorage, study_id: int) -> list[Direction]:
    """What a study does with each of its values."""
    found = storage.get_study_directions(study_id)
    return ["maximize" if d is StudyDirection.MAXIMIZE else "minimize" for d in found]


def constraints(frozen: FrozenTrial) -> dict[str, float]:
    """A trial's constraints by the key of Optuna's attribute."""
    return {key: value for key, value in frozen.system_attrs.items() if key.startswith(CONSTRAINTS)}


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


def _is_of(storage: BaseStorage, study_id: int, goals: Goals) -> bool:
    """Whether the values of a study are these goals; names that it does not have yet are given to it."""
    if directions(storage, study_id) != [goal.direction for goal in goals.objectives]:
        return False
    wanted = [goal.metric for goal in goals.objectives]
    if not goals.several or (had := storage.get_study_system_attrs(study_id).get(METRIC_NAMES)) == wanted:
        return True
    # A kill may have come before the names; and while no trial has values, metrics can get other names.
    if had is not None and storage.get_all_trials(study_id, deepcopy=False, states=(OptunaState.COMPLETE,)):
        return False
    storage.set_study_system_attr(study_id, METRIC_NAMES, wanted)
    return True


def _find_or_create(storage: BaseStorage, name: str, goals: Goals) -> int:
    """The study's id. Looked for first: `load_if_exists` adds a line to a journal at every opening."""
    wanted = [goal.direction for goal in goals.objectives]
    try:
        study_id = storage.get_study_id_from_name(name)
    except KeyError:
        optuna.create_study(storage=storage, study_name=name, directions=wanted)
        study_id = storage.get_study_id_from_name(name)
    return study_id
