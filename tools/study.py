"""The Optuna study of a run: one write when a trial starts, one when it ends.

Any Optuna tool can read along: parameters, values and learning curves are where Optuna has them, and
who proposed a trial, why and what came of it is one attribute, `tunesmith`, of each trial. Failures
of every kind are Optuna's FAIL with the typed outcome in that attribute. Trial numbers are Optuna's.

`optuna.create_study` makes the study; after that this talks to the storage itself, because `Study.ask`
and `tell` cost up to 37 synced writes a trial, and `tell` takes an infinite value for the best one.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, create_trial
from optuna.trial import TrialState as OptunaState

from tunesmith.errors import InvalidConfiguration, RunError
from tunesmith.events import Degraded
from tunesmith.interfaces import Emit
from tunesmith.space import Space
from tunesmith.task import Task
from tunesmith.tools.atomic_write import set_aside
from tunesmith.tools.journal import BatchingBackend, repair
from tunesmith.tools.run_folder import RunFolder
from tunesmith.trial import Origin, Proposal, Trial, TrialState

Batch = Callable[[], AbstractContextManager[None]]
"""Makes one write of what its block writes to the storage."""
ATTRIBUTE = "tunesmith"
"""The one attribute each trial carries."""
_STATES = {
    TrialState.RUNNING: OptunaState.RUNNING,
    TrialState.COMPLETED: OptunaState.COMPLETE,
    TrialState.PRUNED: OptunaState.PRUNED,
}  # every other end is FAIL


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
        """The run's study, made if there is none; a journal that a crash damaged is mended first.

        Args:
            storage_url: An Optuna storage such as `sqlite:///study.db`; None means the run's own journal.
            emit: Is told of repairs.

        Raises:
            RunError: The storage cannot be used, or holds a study that is not this task's.
        """
        where = str(folder.journal) if storage_url is None else _without_password(storage_url)
        with _quiet(), _explained(where):
            storage, batch = _journal(folder.journal, emit) if storage_url is None else _database(storage_url)
            wanted = StudyDirection.MAXIMIZE if task.direction == "maximize" else StudyDirection.MINIMIZE
            study_id = _find_or_create(storage, folder.name, wanted)
            if storage.get_study_directions(study_id) != [wanted]:
                raise RunError(
                    f"study {folder.name!r} in {where} does not {task.direction} one metric. {_FIX}"
                )
            return cls(storage, batch, study_id, task.space, where)

    @property
    def next_number(self) -> int:
        """Number of the next trial to start."""
        return self._count

    def started(self, trial: Trial) -> None:
        """Record a trial as running: one write.

        Raises:
            RunError: The storage cannot be written, or somebody else added trials to the study.
        """
        self._running[trial.number] = self._append(trial.number, self._frozen(trial))

    def finished(self, trial: Trial) -> None:
        """Record the end of a running trial, its learning curve included: one write.

        Raises:
            RunError: The storage cannot be written, or somebody else finished the trial.
        """
        _check_finite(trial)
        with _explained(self._where):
            trial_id = self._running.pop(trial.number, None)
            if trial_id is None:
                trial_id = self._storage.get_trial_id_from_study_id_trial_number(self._study_id, trial.number)
            # Asked before the write: a journal takes lines for a finished trial, and trips over them later.
            self._storage.check_trial_is_updatable(trial_id, self._storage.get_trial(trial_id).state)
        with _explained(self._where), self._batch():
            for step, value in trial.curve:
                self._storage.set_trial_intermediate_value(trial_id, step, value)
            self._storage.set_trial_user_attr(trial_id, ATTRIBUTE, provenance(trial))
            told = _told_value(trial)
            state = _STATES.get(trial.state, OptunaState.FAIL)
            self._storage.set_trial_state_values(trial_id, state, None if told is None else [told])

    def record(self, trial: Trial) -> None:
        """Add a trial that has ended already: one write. For rebuilding a study from trial folders."""
        _check_finite(trial)
        self._append(trial.number, self._frozen(trial))

    def skip(self, number: int) -> None:
        """Use up a number whose trial is gone from the folders and from the study, so that numbers agree."""
        note = {
            "gap": True,
            "reason": "The trial's folder was deleted, and the study was rebuilt without it.",
        }
        self._append(number, create_trial(state=OptunaState.FAIL, user_attrs={ATTRIBUTE: note}))

    def load(self) -> list[Trial | None]:
        """What the storage knows, by number; None for a number used up by `skip`.

        Raises:
            RunError: The study holds trials that are not ours, or not of this search space.
        """
        with _explained(self._where):
            frozen = self._storage.get_all_trials(self._study_id, deepcopy=False)
        return [self._thawed(trial) for trial in frozen]

    # -- to Optuna ------------------------------------------------------------------------------

    def _frozen(self, trial: Trial) -> FrozenTrial:
        values = dict(trial.configuration)
        frozen = create_trial(
            state=_STATES.get(trial.state, OptunaState.FAIL),
            value=_told_value(trial),
            params=values,
            distributions={name: self._distributions[name] for name in values},
            user_attrs={ATTRIBUTE: provenance(trial)},
            intermediate_values=dict(trial.curve),
        )
        frozen.datetime_start = datetime.fromtimestamp(trial.started_at)
        if trial.finished:
            frozen.datetime_complete = datetime.fromtimestamp(trial.started_at + trial.seconds)
        return frozen

    def _append(self, number: int, frozen: FrozenTrial) -> int:
        if number != self._count:
            raise RunError(f"trial {number} cannot follow the {self._count} trials in {self._where}. {_FIX}")
        with _explained(self._where):
            trial_id = self._storage.create_new_trial(self._study_id, template_trial=frozen)
            told = self._storage.get_trial_number_from_id(trial_id)
            if told != number:
                self._storage.set_trial_state_values(trial_id, OptunaState.FAIL)
                raise RunError(f"another program added trials to the study in {self._where}. {_FIX}")
        self._count += 1
        return trial_id

    # -- from Optuna ----------------------------------------------------------------------------

    def _thawed(self, frozen: FrozenTrial) -> Trial | None:
        notes = frozen.user_attrs.get(ATTRIBUTE)
        if not isinstance(notes, dict):
            raise RunError(f"trial {frozen.number} in {self._where} was not made by Tunesmith. {_FIX}")
        if notes.get("gap"):
            return None
        try:
            configuration = self._space.validate(frozen.params)
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
            message=notes.get("message", ""),
            seed=notes.get("seed", 0),
            started_at=notes.get("started_at", started),
            seconds=notes.get("seconds", 0.0),
        )


_PROPOSAL = ("origin", "reason", "evidence", "expected", "spread", "prompt_id", "tokens", "details")
_FIX = "Give the task another `name`, or another storage."


def provenance(trial: Trial) -> dict[str, Any]:
    """The `tunesmith` attribute: who wanted the trial and why and, once it ended, what came of it.

    What is empty is left out, and what people look for comes first: optuna-dashboard cuts long
    attributes. Tracebacks stay in the trial's folder.
    """
    proposal = trial.proposal.model_dump(mode="json", include=set(_PROPOSAL))
    notes: dict[str, Any] = {}
    if trial.finished:
        notes |= {"outcome": trial.state.value, "message": trial.message}
    notes |= {key: proposal[key] for key in _PROPOSAL}
    notes |= {"values": trial.values, "seconds": trial.seconds, "seed": trial.seed}
    kept = {key: value for key, value in notes.items() if value not in (None, "", [], {}, 0.0)}
    return kept | {"started_at": trial.started_at}


def _told_value(trial: Trial) -> float | None:
    """Optuna's value: the metric of a completed trial, the last report of a pruned one (as `tell` has it)."""
    return trial.last_reported if trial.state is TrialState.PRUNED else trial.value


def _check_finite(trial: Trial) -> None:
    assert trial.finished, f"trial {trial.number} is still running"
    numbers = [value for _, value in trial.curve] + ([] if trial.value is None else [trial.value])
    if not all(map(math.isfinite, numbers)):
        raise ValueError(f"trial {trial.number} has a value that is not finite; it must never be told")


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


def _journal(path: Path, emit: Emit | None) -> tuple[BaseStorage, Batch]:
    """The journal as storage: its torn end mended, or the whole set aside where it cannot be read."""
    mended = repair(path)
    if mended is not None:
        _tell(
            emit, "the end of the journal was cut short", f"{mended.removed_bytes} bytes of it were removed"
        )
    backend = BatchingBackend(path)
    try:
        return JournalStorage(backend), backend.batch
    except (ValueError, LookupError, TypeError, AssertionError, AttributeError) as error:
        aside = set_aside(path)
        cause = f"the journal cannot be read ({type(error).__name__}: {error})"
        _tell(emit, cause[:500], f"it was moved to {aside.name} and is rebuilt from the trial folders")
        backend = BatchingBackend(path)
        return JournalStorage(backend), backend.batch


def _database(url: str) -> tuple[BaseStorage, Batch]:
    storage = RDBStorage(url)
    return storage, lambda: _one_commit(storage)


def _tell(emit: Emit | None, cause: str, continuation: str) -> None:
    if emit is not None:
        emit(Degraded(what="repair", where="study", cause=cause, continuation=continuation))


@contextmanager
def _one_commit(storage: RDBStorage) -> Iterator[None]:
    """Everything the block writes to a database becomes one transaction, undone if it raises.

    Optuna commits every reported value by itself. Its sessions join a transaction of ours here, which
    SQLAlchemy offers for this; "rollback_only" means that their commits wait for ours.
    """
    from sqlalchemy.orm import scoped_session, sessionmaker

    own = storage.scoped_session
    with storage.engine.begin() as connection:
        storage.scoped_session = scoped_session(
            sessionmaker(bind=connection, join_transaction_mode="rollback_only")
        )
        try:
            yield
        finally:
            storage.scoped_session.remove()
            storage.scoped_session = own


@contextmanager
def _explained(where: str) -> Iterator[None]:
    """What goes wrong in a storage, as an error that says where and that nothing is lost."""
    try:
        yield
    except _storage_errors() as error:
        cause = str(error.__cause__ or error).splitlines()[0]
        raise RunError(
            f"the study in {where} cannot be used: {type(error).__name__}: {cause}. Finished trials are safe "
            "in their folders; put this right and run the same command again."
        ) from error


def _storage_errors() -> tuple[type[Exception], ...]:
    errors: list[type[Exception]] = [optuna.exceptions.OptunaError, ImportError, OSError]
    # A journal run never imports SQLAlchemy, so none of its errors can be on their way.
    module = sys.modules.get("sqlalchemy.exc")
    return tuple(errors if module is None else [*errors, module.SQLAlchemyError])


@contextmanager
def _quiet() -> Iterator[None]:
    """Optuna's 'A new study created' is no news here; other programs' verbosity is not ours to change."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)


def _without_password(url: str) -> str:
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError as error:
        raise RunError(f"the storage is not a URL such as sqlite:///study.db: {error}") from error
