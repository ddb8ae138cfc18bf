"""The run folder as a run store: trial folders are the truth, a study and a log are beside them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tunesmith.events import TaskChanged
from tunesmith.history import History
from tunesmith.interfaces import Emit
from tunesmith.task import Task
from tunesmith.tools.records.base import RunStore
from tunesmith.tools.records.changed_task import task_changed
from tunesmith.tools.records.event_store import EventStore
from tunesmith.tools.records.reconcile import reconcile, restore_events
from tunesmith.tools.records.run_folder import RunFolder
from tunesmith.tools.records.study import StudyStore
from tunesmith.trial import Outcome, Trial


class FolderStore(RunStore):
    """A run in a folder.

    Args:
        storage: Optuna storage URL, such as `sqlite:///study.db`; None for a journal in the folder.
    """

    def __init__(self, folder: RunFolder, storage: str | None = None) -> None:
        self.folder, self.task, self.path = folder, folder.task, folder.path
        self._storage = storage
        self._events: EventStore | None = None
        self._study: StudyStore | None = None

    @classmethod
    def create(cls, runs: Path, task: Task, storage: str | None = None) -> FolderStore:
        """The store of `task` under `runs`, new or to be continued. Raises RunError as `RunFolder.create`."""
        return cls(RunFolder.create(runs, task), storage)

    @contextmanager
    def lease(self) -> Iterator[None]:
        with self.folder.lock():
            yield

    @property
    def events(self) -> EventStore:
        if self._events is None:
            self._events = EventStore(self.folder.db)
        return self._events

    @property
    def study(self) -> StudyStore:
        assert self._study is not None, "load() comes first"
        return self._study

    def load(self, emit: Emit) -> History:
        self._study = StudyStore.open(self.folder, self.task, self._storage, emit=emit)
        history = reconcile(self.folder, self._study, emit=emit)
        restore_events(history, self.events)
        changed = task_changed(self.folder, history, self.events.last(TaskChanged))
        if changed is not None:
            emit(changed)
        return history

    @property
    def next_number(self) -> int:
        return self.study.next_number

    def trial_folder(self, number: int) -> Path:
        return self.folder.trial_folder(number)

    def begin(self, trial: Trial) -> Path:
        folder = self.folder.write_config(trial)
        self.study.started(trial)
        return folder

    def record_outcome(self, number: int, outcome: Outcome) -> Outcome:
        return self.folder.record_outcome(number, outcome)

    def finish(self, trial: Trial) -> None:
        self.study.finished(trial)

    def close(self) -> None:
        if self._events is not None:
            self._events.close()
