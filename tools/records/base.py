"""The contract of run stores: what is known of a run, kept so that a killed engine loses nothing.

One process at a time holds the run's lease and is its engine; it alone calls `load`, `begin`,
`record_outcome` and `finish`, from one thread. Every thread may use the event log; other processes read it
and post commands to it.

The run folder is the one member built (`folder_store.py`). A database as a second member has to guarantee:

- Lease: one holder. A lease whose holder is dead ends by itself, and a former holder's writes then raise
  RunError instead of arriving late.
- Trials: `begin` and `finish` are durable when they return. `load` in a new process gives the history that
  the former engine had, each trial of it once, with numbers 0, 1, 2 ... in order of starting.
- Events: `seq` rises in the order in which events become visible, so that a reader who has seen `seq` n never
  misses one below it.
- Commands: each is taken until it is acknowledged, also by the next engine.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Literal, NamedTuple

from tunesmith.commands import Command
from tunesmith.events import Event, TaskChanged
from tunesmith.history import History
from tunesmith.interfaces import Emit
from tunesmith.steering.record import Record
from tunesmith.steering.versions import SpaceVersion
from tunesmith.task import Task
from tunesmith.trial import Outcome, Trial


class CommandStatus(NamedTuple):
    """How far a command is."""

    status: Literal["pending", "done", "refused"]
    reply: str


class EventLog(ABC):
    """Events that happened in one run, and commands posted to its engine. Safe from all threads."""

    def append(self, event: Event) -> Event:
        """Store one event; returns it with `seq` and `at` set."""
        return self.append_many([event])[0]

    @abstractmethod
    def append_many(self, events: Sequence[Event]) -> list[Event]:
        """Store several events, all or none, with consecutive `seq`; `at` is set where it is 0.

        Raises:
            RunError: They cannot be written, as on a full disk; the next write may succeed.
        """

    @abstractmethod
    def events(self, after_seq: int = 0, limit: int | None = None) -> list[Event]:
        """Events with `seq` above `after_seq`, oldest first, at most `limit` of them."""

    @abstractmethod
    def last_seq(self) -> int:
        """`seq` of the newest event; 0 while there is none."""

    @abstractmethod
    def post(self, command: Command) -> int:
        """Ask something of the engine; returns the command's id.

        Raises:
            RunError: The run has no log yet.
        """

    @abstractmethod
    def take_commands(self) -> list[tuple[int, Command]]:
        """Commands not yet acknowledged, oldest first; the same ones again until they are."""

    @abstractmethod
    def acknowledge(self, command_id: int, ok: bool, reply: str) -> None:
        """End a command: carried out (`ok`) or refused."""

    @abstractmethod
    def command_status(self, command_id: int) -> CommandStatus:
        """How far a command is. Raises KeyError where there is no such command."""

    @abstractmethod
    def close(self) -> None:
        """Free what it holds. Idempotent."""


class RunStore(ABC):
    """The records of one run of `task`.

    Attributes:
        task: The task as run.
        path: The run's folder on this machine: trial folders, exchanges with a model, reports.
    """

    task: Task
    path: Path

    @abstractmethod
    def lease(self) -> AbstractContextManager[object]:
        """Be the run's engine for the length of the block; everything below is for its holder.

        Raises:
            RunError: Another process is; names it.
        """

    @property
    @abstractmethod
    def events(self) -> EventLog:
        """The run's log; made when there is none."""

    @abstractmethod
    def load(self, emit: Emit) -> History:
        """Finish what a former engine left half done, and return the history. Called once, first.

        Afterwards no trial is running (one without an outcome is lost), and the log has the start and the
        end of every trial.

        Args:
            emit: Called with a `Degraded` for everything that was rebuilt or given up.
        Raises:
            RunError: The records are another task's, or cannot be read and cannot be rebuilt.
        """

    def spaces(self, history: History) -> Sequence[SpaceVersion]:
        """The search spaces that the run has had, that of now last; `history` is that of now."""
        return ()

    @property
    def study_text(self) -> str:
        """Where other programs find the trials, for a person; empty where they cannot."""
        return ""

    @property
    @abstractmethod
    def next_number(self) -> int:
        """Number of the next trial to begin."""

    @abstractmethod
    def trial_folder(self, number: int) -> Path:
        """The folder of a trial on this machine, absolute; it exists once the trial has begun."""

    @abstractmethod
    def begin(self, trial: Trial) -> Path:
        """Record a trial as running, before its job is offered; returns its folder."""

    @abstractmethod
    def record_outcome(self, number: int, outcome: Outcome) -> Outcome:
        """Record how a trial ended that no executor has run. The first record is kept; returns it."""

    @abstractmethod
    def finish(self, trial: Trial) -> None:
        """Record the end of a trial whose outcome is in its folder, learning curve included.

        Raises:
            RunError: It cannot be written, or the trial was finished by another process.
        """

    @property
    def steered(self) -> Record:
        """What people have changed of the task by commands so far."""
        raise NotImplementedError

    @property
    def given(self) -> Task:
        """The task without those changes."""
        raise NotImplementedError

    def steer(self, record: Record, task: Task, history: History) -> History:
        """Go on with a task that a command changed, as `record` says last, while trials run.

        Everything is durable when this returns. Killed before, the next session goes on as if it had.

        Args:
            history: As it is now, running trials included.
        Returns:
            The same trials for the new task: of another space in `earlier` where they are not legal in it,
            be they running or not.
        """
        raise NotImplementedError

    def task_changed(self, history: History) -> TaskChanged | None:
        """The event of a change of the search space; None where it is told already."""
        raise NotImplementedError

    def mend(self) -> None:
        """Make the records whole again where training code has damaged them; before a report is written."""
        return

    @abstractmethod
    def close(self) -> None:
        """Free what it holds; the lease is the caller's. Idempotent."""
