"""`python -m tunesmith.tools.sinks.follow RUN NAME`: one sink in a process of its own.

It reads the stored events. A session starts it for each of its task's sinks that may block. It ends when the
run is held by no process and every event has been handled; started by hand, it catches up on a run that has
ended.
"""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from pathlib import Path

from tunesmith.errors import RunError, UsageError
from tunesmith.registry import SINKS
from tunesmith.tools.records.event_store import EventStore
from tunesmith.tools.records.lock import hold, holder_of
from tunesmith.tools.records.log_reading import last_ending
from tunesmith.tools.records.run_folder import RunFolder
from tunesmith.tools.sinks.base import Sink
from tunesmith.tools.sinks.session import failure

POLL_S = 0.2
BATCH = 2_000
"""Events read at once."""


def follow(path: Path, name: str) -> None:
    """Hand the events of the run in `path` to its sink `name` until the run has ended.

    Raises:
        UsageError: The run's task names no such sink.
        Exception: What the sink raised; where the run goes on or has ended, its log has it as well.
    """
    run = RunFolder.open(path)
    choice = next((choice for choice in run.task.sinks if choice.name == name), None)
    if choice is None:
        raise UsageError(f"the task of {path} names no sink {name!r}")
    sink: Sink = SINKS.get(name)(choice.settings)
    with ExitStack() as stack:
        _wait_for_earlier(run.path / "sinks" / f"{name}.lock", stack)
        store = EventStore(run.db, create=False)
        stack.callback(store.close)
        try:
            _feed(sink, run, store)
        except Exception as error:
            if _is_held(run) or last_ending(
                store.events()
            ):  # else the event would count as time that the run took
                store.append(failure(name, error))
            raise


def _feed(sink: Sink, run: RunFolder, store: EventStore) -> None:
    seq = sink.open(run.path, run.task)
    while True:
        held = _is_held(run)  # asked before reading, so that the last events of a run are not missed
        events = store.events(seq, limit=BATCH)
        for event in events:
            sink.handle(event)
            seq = event.seq
        if not events:
            if not held:
                break
            time.sleep(POLL_S)
    sink.close()


def _wait_for_earlier(lock: Path, stack: ExitStack) -> None:
    """Wait for the process of an earlier session, which may not have caught up yet."""
    lock.parent.mkdir(exist_ok=True)
    while True:
        try:
            stack.enter_context(hold(lock))
        except RunError:
            time.sleep(POLL_S)
        else:
            return


def _is_held(run: RunFolder) -> bool:
    """Whether a process runs the run; one on another machine counts."""
    holder = holder_of(run.path / "lock")
    return holder is not None and holder.alive is not False


if __name__ == "__main__":
    follow(Path(sys.argv[1]), sys.argv[2])
