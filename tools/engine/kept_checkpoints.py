"""Which trials' checkpoints stay on disk: all, or those of the best value so far alone (`checkpoints: best`).

With several metrics those of the whole Pareto front stay. What breaks a limit is never the best.

A trial's checkpoints go when it has ended and another is the best, or when a better one ends. Those of a
running trial are never touched, nor those of a trial that the run counts no longer. Nothing is followed out
of a trial's folder.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from tunesmith.events import Degraded
from tunesmith.history import History
from tunesmith.interfaces import Emit
from tunesmith.task import Task
from tunesmith.tools.records.base import RunStore
from tunesmith.tools.records.plain_files import kind
from tunesmith.tools.records.trial_folder import CHECKPOINTS


class KeptCheckpoints:
    """Deletes what need not stay. Used from the engine's thread, whenever a trial has ended."""

    def __init__(self, task: Task, store: RunStore, emit: Emit) -> None:
        self._wanted, self._store, self._emit = task.checkpoints, store, emit
        self._done: set[int] = set()
        self._told = False

    def clean(self, history: History) -> None:
        """Delete the checkpoints of ended trials but those of the best one, or of the front."""
        if self._wanted == "all":
            return
        best = {trial.number for trial in history.front}
        for trial in history.finished:
            if trial.number in self._done or trial.number in best:
                continue
            self._done.add(trial.number)
            try:
                _remove(self._store.trial_folder(trial.number))
            except OSError as error:
                self._tell(trial.number, error)

    def _tell(self, number: int, error: OSError) -> None:
        if not self._told:
            self._told = True
            cause = f"checkpoints of trial {number} cannot be deleted: {error.strerror or error}"
            how = "they stay on disk"
            self._emit(Degraded(what="warning", where="checkpoints", cause=cause[:500], continuation=how))


def _remove(folder: Path) -> None:
    if kind(folder.parent) != "a folder" or kind(folder) != "a folder":
        return  # moved away, or a link to another place
    path = folder / CHECKPOINTS
    match kind(path):
        case None:
            return
        case "a folder":
            shutil.rmtree(path)
        case _:
            path.unlink()
