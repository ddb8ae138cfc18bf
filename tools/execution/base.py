"""The contract of executors: jobs go in; reports and outcomes come out.

The engine uses an executor from one thread. It asks `room` before it asks a strategy for a proposal, hands
the trial over with `offer`, reads `events`, and answers each `Reported` with a verdict. `close` ends it.

Files: all that a trial leaves is in `Job.folder`, a folder on the engine's machine (`tools/records/
trial_folder.py` names the files). No shared disk is assumed. An executor whose workers run elsewhere sends
`Job.checkpoint` along with the job, and brings `result.json`, `curve.jsonl`, `log.txt` and `checkpoints/`
home into `Job.folder` before it returns the job's `Finished`.

Members are in `registry.EXECUTORS`; ours is `tools/execution/local.py`. `tunesmith.testing.executors` has the
cases that every member passes, and `examples/plugins/executors` a small one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from pydantic import BaseModel

from tunesmith.errors import UnsupportedVerdict
from tunesmith.objective import Objective
from tunesmith.tools.execution.job import Job as Job
from tunesmith.tools.execution.job import Resources as Resources
from tunesmith.trial import Frozen, Outcome, Value


@dataclass(frozen=True)
class Waits:
    """Why a job cannot start now although it could later."""

    kind: Literal["busy", "resources", "unavailable"]
    """`busy`: as many jobs run as the executor was built for. `resources`: other jobs hold something that
    this one needs. `unavailable`: the place where it would run is not ready. The last two are shown."""
    text: str
    """A clause for a person, such as `4,096 MiB of memory are needed and 1,000 MiB are free`."""


@dataclass(frozen=True)
class Continue:
    """Train on."""


@dataclass(frozen=True)
class Stop:
    """End the trial early; its outcome is `pruned`."""


@dataclass(frozen=True)
class Pause:
    """Write a checkpoint, end, and free the slot; the job is offered again later with that checkpoint.

    No executor carries this out yet, and the engine never asks for it.
    """


@dataclass(frozen=True)
class GoOnFrom:
    """Go on from the newest checkpoint of another trial, which may be running, with these settings.

    No executor carries this out yet, and the engine never asks for it.
    """

    parent: int
    configuration: dict[str, Value]


Verdict = Continue | Stop | Pause | GoOnFrom


@dataclass(frozen=True)
class Reported:
    """A worker reported a value. Each is answered once; the worker waits only in `should_prune()`."""

    number: int
    step: int
    value: float
    others: Mapping[str, float] = field(default_factory=dict)
    """Finite values of the task's further metrics that were reported with it."""


@dataclass(frozen=True)
class Finished:
    """A worker ended; `outcome` is already durable in the job's folder."""

    number: int
    outcome: Outcome


WorkerEvent = Reported | Finished


class Executor(ABC):
    """Runs jobs. Used from one thread, the engine's."""

    verdicts: ClassVar[frozenset[type[Verdict]]] = frozenset({Continue, Stop})
    """The verdicts that `answer` can carry out; every executor can carry out these two."""

    @abstractmethod
    def room(self, resources: Resources) -> Waits | None:
        """Why a job with these needs would have to wait now; None when it could start. Quick.

        Raises:
            ExecutorError: Such a job can never run here.
        """

    @abstractmethod
    def offer(self, job: Job) -> Waits | None:
        """Start a job: None when accepted, else why it waits; the engine then offers it again.

        Raises:
            ExecutorError: The job can never run here, or could not be started; it is not running.
        """

    @abstractmethod
    def events(self, timeout_s: float) -> list[WorkerEvent]:
        """What happened since the last call; waits at most `timeout_s` for something to happen.

        The reports of a job come in order and before its `Finished`, which comes exactly once.
        """

    def answer(self, number: int, step: int, verdict: Verdict) -> None:
        """Answer a `Reported`; does nothing when the job has ended meanwhile.

        Raises:
            UnsupportedVerdict: It is none of `verdicts`.
        """
        if type(verdict) not in self.verdicts:
            raise UnsupportedVerdict(
                f"{type(self).__name__} cannot carry out {type(verdict).__name__}, only "
                f"{', '.join(sorted(kind.__name__ for kind in self.verdicts))}."
            )
        self._answer(number, step, verdict)

    @abstractmethod
    def _answer(self, number: int, step: int, verdict: Verdict) -> None:
        """Carry out one of `verdicts`."""

    @abstractmethod
    def kill(self, number: int, outcome: Outcome) -> None:
        """End a job now, with everything it started; `outcome` becomes its result unless it has one.

        Its `Finished` follows.
        """

    @abstractmethod
    def close(self) -> None:
        """Kill what still runs, each with the outcome `lost`, and free everything. Idempotent."""


@dataclass(frozen=True)
class ExecutorContext:
    """What a session gives to `ExecutorMember.build`."""

    settings: Any
    """The task's settings of this executor, an instance of `ExecutorMember.settings`."""
    workers: int
    """Jobs that may run at the same time, at least 1."""
    preload: Sequence[str] = ()
    """Modules that the training code imports; an executor may import them once for all jobs."""
    warn: Callable[[str], None] | None = None
    """To be called, in the engine's thread, with a sentence on whatever makes jobs slower than asked."""
    tell: Callable[[str], None] | None = None
    """To be called, in the engine's thread, with a sentence that people should read, no loss of ours."""
    objective: Objective | None = None
    """The training code of the run, whose Python and environment an executor may prepare for."""


@dataclass(frozen=True)
class ExecutorMember:
    """An executor that can be chosen by name (`executor: NAME` in a task file)."""

    summary: str
    """Where jobs run, in one line; shown by `tunesmith check`."""
    build: Callable[[ExecutorContext], Executor]
    """Called once a session, in its main thread. Raises ExecutorError where the executor cannot work."""
    settings: type[BaseModel] = Frozen
    """What the other keys below a task's `executor:` are validated against; none by default."""
