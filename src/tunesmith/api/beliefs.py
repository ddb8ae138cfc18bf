"""What a run believes, from its records alone: nothing is locked, and the run may go on meanwhile."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.api.moments import at_trial
from tunesmith.beliefs import Beliefs
from tunesmith.events import Event
from tunesmith.history import History

if TYPE_CHECKING:
    from tunesmith.tools.records.run_folder import RunFolder

POLL_S = 0.25
LEAST_PAUSE_S = 0.5
"""Between two computations of a run that is followed."""
REST = 4.0
"""Times the last computation's seconds that are waited at least before the next."""
CHANGES = frozenset(
    {"run_started", "trial_started", "trial_finished", "beliefs_stated", "task_changed", "steered"}
)
"""Kinds of events after which beliefs may be others."""


def beliefs_of(run: str | Path, *, runs: str | Path = "runs", at: int | None = None) -> Beliefs:
    """What a run believes: where the optimum is, what matters, how sure that is.

    Args:
        run: The run's folder, its name under `runs`, or a task file: its newest run.
        runs: Folder that holds the run folders.
        at: As it was when so many trials had ended, by the space, budget and priors of then; None: now.
    Raises:
        UsageError: Fewer trials than `at` have ended.
        RunError, TaskError: There is no run there, or its records or the task cannot be read.
    """
    from tunesmith.api.winner import _recorded

    folder, history = _recorded(run_path(run, runs), Path(runs))
    return _beliefs(folder, history, _events(folder), at)


def follow_beliefs(run: str | Path, *, runs: str | Path = "runs") -> Iterator[Beliefs | None]:
    """The beliefs of a run now, and again whenever they change, until no process holds it.

    Yields:
        None whenever nothing has changed for a moment, so that who follows can look whether to go on.
    Raises:
        As `beliefs_of`.
    """
    from tunesmith.api.winner import _recorded
    from tunesmith.tools.records.event_store import EventStore

    path = run_path(run, runs)
    folder, history = _recorded(path, Path(runs))
    store = EventStore(folder.db, create=False)
    events: list[Event] = []
    told, changed, due = None, True, 0.0
    try:
        while True:
            held = _held(folder)  # asked before reading, so that the last events of a run are not missed
            new = store.events(events[-1].seq if events else 0)
            events += new
            changed = changed or any(event.kind in CHANGES for event in new)
            if changed and (time.monotonic() >= due or not held):
                began = time.monotonic()
                folder, history = _recorded(folder.path, Path(runs))
                found = _beliefs(folder, history, events, None)
                due = time.monotonic() + max(LEAST_PAUSE_S, REST * (time.monotonic() - began))
                changed = False
                if found != told:
                    told = found
                    yield found
            if not held and not new:
                return
            yield None
            time.sleep(POLL_S)
    finally:
        store.close()


def run_path(run: str | Path, runs: str | Path) -> Path:
    """The folder or file that is meant: a run of this name under `runs` comes first, as in `attach`."""
    beside = Path(runs) / run
    return beside if beside.is_dir() else Path(run)


def _events(folder: RunFolder) -> list[Event]:
    from tunesmith.tools.records.event_store import EventStore

    store = EventStore(folder.db, create=False)
    try:
        return store.events()
    finally:
        store.close()


def _beliefs(folder: RunFolder, history: History, events: Sequence[Event], at: int | None) -> Beliefs:
    from tunesmith.agent.beliefs import beliefs_at
    from tunesmith.tools.records.log_reading import elicited_priors

    task, expected = folder.task, folder.record.priors
    if at is not None:
        then = at_trial(folder, events, at)
        task, history, events, expected = then.task, then.history, then.events, then.expected
    elif not _held(folder):
        # What was cut off with its session is not running; it is run again when the run goes on.
        history = replace(history, trials=history.finished)
    return beliefs_at(task, history, elicited_priors(events) or (), expected)


def _held(folder: RunFolder) -> bool:
    """Whether a process runs it; one on another machine counts."""
    from tunesmith.tools.records.lock import holder_of

    holder = holder_of(folder.path / "lock")
    return holder is not None and holder.alive is not False
