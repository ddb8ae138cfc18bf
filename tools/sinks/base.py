"""A consumer of a run's events: reports, files, experiment trackers. `report.py` is the smallest one.

A class registered by name in `registry.SINKS`; another package registers its own by an entry point in the
group `tunesmith.sinks`. A task names sinks in its key `sinks`, a command line by `--sink`:

    sinks: [jsonl, {name: my_tracker, project: digits}]

For each session of a run, a sink is made from its settings and gets `open`, then `handle` for every event in
order of `seq`, then `close`.

- `blocks = False`: called in the process of the run, each `handle` by the thread that stored the event, one
  call at a time. The run waits for it, so it has to return within milliseconds.
- `blocks = True`, for one that uses a network: called in a process of its own (`follow.py`), which reads the
  stored events, may be any time behind, and ends once it has handled the last event of a run that has ended.

A sink never harms a run. Whatever it raises ends it for this session and is stored as a `Degraded` event.
`tunesmith.testing.sinks` has the tests that every sink passes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel

from tunesmith.events import Event
from tunesmith.task import Task
from tunesmith.trial import Frozen


class Sink(ABC):
    """Handles the events of one session of a run.

    Args:
        options: What the task says beside the name, as an instance of `settings`.
    """

    settings: ClassVar[type[BaseModel]] = Frozen
    """Model of what a task may say beside the name; `Frozen` itself: nothing."""
    blocks: ClassVar[bool] = False
    """Whether `open`, `handle` or `close` may take longer than milliseconds."""

    def __init__(self, options: Any) -> None:
        self.options = options

    @abstractmethod
    def open(self, folder: Path, task: Task) -> int:
        """Prepare for a session of the run in `folder`.

        Returns:
            The `seq` up to which it has handled the run's events in earlier sessions, 0 for none: it gets
            those after that first.
        """

    @abstractmethod
    def handle(self, event: Event) -> None:
        """Take one event, which is stored already."""

    def close(self) -> None:  # noqa: B027  many have nothing to do here
        """Finish: no further event comes in this session. Not called after a failure."""
