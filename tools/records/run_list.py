"""The runs in a folder, each with its state, read without taking a lock and without reading a whole log."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Literal

from tunesmith.errors import RunError
from tunesmith.events import Progress, RunFinished, RunStarted
from tunesmith.tools.records.background import engine_of
from tunesmith.tools.records.event_store import EventStore
from tunesmith.tools.records.plain_files import kind
from tunesmith.tools.records.run_names import read_about
from tunesmith.trial import Frozen

MOST_FOLDERS = 1000
"""Folders that are looked at, the newest."""
ListedState = Literal["waiting", "running", "interrupted", "finished", "stopped", "failed", "unreadable"]
"""waiting: not begun; interrupted: no process holds it and its log has no end."""


class ListedRun(Frozen):
    """One run folder."""

    name: str
    path: Path
    state: ListedState
    pid: int | None = None
    """Of the process that runs it; None while none does."""
    trials: int = 0
    """Trials that have ended and count in the budget."""
    total: int | None = None
    """Trials that the budget allows; None where it is not known."""
    best: float | None = None
    """The primary metric of the best trial so far; None while there is none."""
    began: float | None = None
    """Unix time at which the latest session began."""
    reason: str = ""
    """Why it ended, or why it cannot be read."""


def runs_in(folder: Path) -> tuple[ListedRun, ...]:
    """Runs directly under `folder`, running ones first, then the newest first; none where it is no folder.

    Raises:
        RunError: The folder cannot be listed.
    """
    if not folder.is_dir():
        return ()
    try:
        entries = [entry for entry in folder.iterdir() if not entry.is_symlink()]
    except OSError as error:
        raise RunError(f"{folder} cannot be listed ({error.strerror or error}).") from error
    abouts = ((entry, read_about(entry)) for entry in entries)
    found = [(_created(about), entry.name, entry) for entry, about in abouts if about]
    runs = [_listed(entry) for _, _, entry in sorted(found, reverse=True)[:MOST_FOLDERS]]
    return tuple(sorted(runs, key=lambda run: (run.state != "running", -(run.began or 0.0))))


def _listed(folder: Path) -> ListedRun:
    """The state of one run; what cannot be read is a state as well."""
    name, holder = folder.name, engine_of(folder)
    held = holder is not None
    pid = None if holder is None else holder.pid
    if kind(folder / "run.db") != "a file":
        return ListedRun(name=name, path=folder, state="running" if held else "waiting", pid=pid)
    try:
        with closing(EventStore(folder / "run.db", create=False)) as log:
            started, ended, progress = log.last(RunStarted), log.last(RunFinished), log.last(Progress)
            best = log.last_improvement()
            trials = len(log.trial_numbers("trial_finished")) if progress is None else progress.done
    except (RunError, OSError, sqlite3.Error) as error:
        return ListedRun(name=name, path=folder, state="unreadable", pid=pid, reason=str(error))
    over = ended is not None and (started is None or ended.seq > started.seq)
    state: ListedState = "running" if held else "waiting" if started is None else "interrupted"
    reason = ""
    if over and not held and ended is not None:
        state, reason = ended.status, ended.reason
    return ListedRun(
        name=name,
        path=folder,
        state=state,
        pid=pid,
        trials=trials,
        best=best,
        total=None if progress is None else progress.total,
        began=None if started is None else started.at,
        reason=reason,
    )


def _created(about: Mapping[str, Any]) -> float:
    created = about.get("created_at")
    return float(created) if isinstance(created, int | float) else 0.0
