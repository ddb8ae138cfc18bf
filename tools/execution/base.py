"""The contract of executors: jobs go in, reports and outcomes come out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

from tunesmith.objective import Objective
from tunesmith.trial import Outcome, Value


@dataclass(frozen=True)
class Job:
    """One configuration to train, as an executor needs it."""

    number: int
    """Trial number; negative for confirmation runs, which are not trials."""
    folder: Path
    """The trial's own folder; the worker writes only there. Absolute."""
    configuration: dict[str, Value]
    seed: int
    metric: str
    objective: Objective
    time_limit_s: float | None = None
    threads: int = 1


@dataclass(frozen=True)
class Reported:
    """A worker reported a value; it waits for a verdict if it asks `should_prune()`."""

    number: int
    step: int
    value: float


@dataclass(frozen=True)
class Finished:
    """A worker ended; `outcome` is already durable in the trial's folder as result.json."""

    number: int
    outcome: Outcome


WorkerEvent = Reported | Finished


class Executor(ABC):
    """Runs jobs, each in a process of its own. Used from one thread."""

    @abstractmethod
    def capacity(self) -> int:
        """How many further jobs may be submitted now."""

    @abstractmethod
    def submit(self, job: Job) -> None:
        """Start a job. Raises ExecutorError when no process can be started."""

    @abstractmethod
    def events(self, timeout_s: float) -> list[WorkerEvent]:
        """What happened since the last call; waits at most `timeout_s` for something to happen."""

    @abstractmethod
    def verdict(self, number: int, step: int, prune: bool) -> None:
        """Answer a `Reported`: whether the trial should stop. Every report is answered once."""

    @abstractmethod
    def kill(self, number: int, outcome: Outcome) -> None:
        """Kill a job's process group now; `outcome` becomes its result unless it had one already."""

    @abstractmethod
    def close(self) -> None:
        """Kill what still runs (as lost) and free everything. Idempotent."""
