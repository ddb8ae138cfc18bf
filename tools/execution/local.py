r"""Trials on this machine, each in a process of its own, started by the warm parent.

    engine -- LocalExecutor ==control== warm parent --fork--> worker (its own session)
                    \_______________reports, verdicts_________/

Reports and verdicts pass directly between worker and engine. The warm parent starts workers, watches
them and reports when one has ended; by then its `result.json` is durable. Workers write into `Job.folder`, so
nothing has to be brought home.
"""

from __future__ import annotations

import math
import os
import selectors
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal

import psutil

from tunesmith.errors import ExecutorError
from tunesmith.objective import Objective
from tunesmith.text.cleaning import log_line
from tunesmith.tools.execution.base import (
    Executor,
    ExecutorContext,
    ExecutorMember,
    Finished,
    Job,
    Reported,
    Resources,
    Stop,
    Verdict,
    Waits,
    WorkerEvent,
)
from tunesmith.tools.execution.left_processes import end_left, left_by, own_children
from tunesmith.tools.execution.messages import Lines, encode
from tunesmith.tools.execution.preload import with_companions
from tunesmith.tools.execution.sessions import GRACE_S, end_session
from tunesmith.tools.execution.warm_link import WarmLink
from tunesmith.tools.records.bounds import legal_step
from tunesmith.tools.records.curve_file import recorded_curve
from tunesmith.tools.records.trial_folder import RESULT, record_outcome, recorded_outcome
from tunesmith.trial import Frozen, Loss, Outcome, TrialState

StartMethod = Literal["auto", "fork", "spawn"]
_CHUNK = 1 << 16
MOST_OTHERS = 50
"""Further metrics of one report; a task has no more."""
_WATCH_S = 1.0
"""How often to look whether the warm parent was stopped by a signal."""
_MOST_TOLD = 3
_MAX_DEATHS = 3
"""Warm parents that may die one after the other without having started anything."""


class LocalSettings(Frozen):
    start_method: StartMethod = "auto"
    """`fork` forks the warm parent, `spawn` starts a new Python for each job, `auto` forks where that is
    safe."""


@dataclass
class _Running:
    """An accepted job until its end is reported."""

    job: Job
    connection: socket.socket
    accepted: float
    """Monotonic seconds."""
    lines: Lines = field(default_factory=Lines)
    outbox: bytearray = field(default_factory=bytearray)
    """Verdicts that the worker has not taken yet."""
    pid: int | None = None
    created: float = 0.0
    """When the process was created, as the system counts; tells it from a later one with its id."""


class LocalExecutor(Executor):
    """Runs jobs in processes on this machine. Used from one thread.

    Memory is reserved within this machine's, cores are not; GPUs are not handed out.

    Args:
        workers: Jobs that may run at the same time, at least 1.
        preload: Modules to import once for all workers, such as `torch`; see `discover_preload`.
        start_method: See `LocalSettings`.
        objective: The training code whose Python and environment the warm parent has; a job of another
            Python starts as a process of its own. None: Tunesmith's Python and the usual environment.
        tell: Called with a sentence on what a trial left running.
        warn: Called with one sentence on whatever makes the executor slower or less able than asked.

    Attributes:
        warnings: What `warn` was called with.
        start_method: As given; after the first events, what is really used.
    """

    def __init__(
        self,
        workers: int,
        preload: Sequence[str] = (),
        *,
        start_method: StartMethod = "auto",
        warn: Callable[[str], None] | None = None,
        objective: Objective | None = None,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        if workers < 1:
            raise ExecutorError(f"workers must be at least 1, not {workers}.")
        if os.name != "posix":
            raise ExecutorError("trials run on Linux and macOS only; on Windows, use WSL.")
        self._workers, self._preload, self._method = workers, with_companions(preload), start_method
        self.start_method: str = start_method
        self.warnings: list[str] = []
        self._warn, self._tell, self._told = warn, tell, 0
        self._objective = objective or Objective()
        self._memory_mib = psutil.virtual_memory().total >> 20
        self._running: dict[int, _Running] = {}
        self._events: list[WorkerEvent] = []
        self._deaths = 0
        self._failing = False  # the warm parent could not do something that its trials did not ask for
        self._look_at = 0.0
        self._woken = False
        self._closed = False
        self._selector = selectors.DefaultSelector()
        # At once: the libraries load while the caller prepares its first job.
        self._link = self._new_link()

    def room(self, resources: Resources) -> Waits | None:
        wanted = resources.memory_mib or 0
        if resources.gpus:
            raise ExecutorError(f"the local executor gives out no GPUs, and {resources.gpus} are asked for.")
        if wanted > self._memory_mib:
            raise ExecutorError(
                f"a trial is to have {wanted:,} MiB of memory; this machine has {self._memory_mib:,}."
            )
        if len(self._running) >= self._workers:
            return Waits("busy", f"all {self._workers} workers are busy")
        if self._failing:
            if self._running:
                return Waits("busy", "the process that starts trials is replaced when the running ones end")
            self._replace_parent()
        free = self._memory_mib - sum(r.job.resources.memory_mib or 0 for r in self._running.values())
        if wanted > free:
            return Waits("resources", f"{wanted:,} MiB of memory are needed and {free:,} MiB are free")
        return None

    def offer(self, job: Job) -> Waits | None:
        if self._closed:
            raise ExecutorError("the executor is closed.")
        if job.number in self._running:
            raise ExecutorError(f"job {job.number} is running already.")
        if not job.folder.is_absolute():
            raise ExecutorError(f"job {job.number}: its folder must be absolute, not {job.folder}.")
        if (job.folder / RESULT).exists():
            raise ExecutorError(f"job {job.number}: {job.folder / RESULT} exists; it has been run.")
        if self._deaths >= _MAX_DEATHS:
            raise ExecutorError(f"the process that starts trials keeps dying: {self.warnings[-1]}")
        waits = self.room(job.resources)
        if waits is None:
            job.folder.mkdir(parents=True, exist_ok=True)
            self._send(job)
        return waits

    def events(self, timeout_s: float) -> list[WorkerEvent]:
        until = time.monotonic() + timeout_s
        while not self._events and not self._closed:
            left = until - time.monotonic()
            for key, mask in self._selector.select(max(0.0, left)):
                if key.data is None:
                    self._on_control()
                elif key.data in self._running and self._running[key.data].connection is key.fileobj:
                    self._on_connection(self._running[key.data], mask)
            self._wake_parent()
            if left <= 0:
                break
        events, self._events = self._events, []
        return events

    def _answer(self, number: int, step: int, verdict: Verdict) -> None:
        running = self._running.get(number)
        if running is not None:  # else it ended without waiting for the answer
            running.outbox += encode({"step": step, "stop": isinstance(verdict, Stop)})
            self._flush(running)

    def kill(self, number: int, outcome: Outcome) -> None:
        running = self._running.get(number)
        if running is not None:
            try:
                self._record(running, outcome)
            finally:  # a disk too full for the record must not let it run on
                self._send_parent({"kill": number})

    def close(self) -> None:
        if self._closed:
            return
        for running in self._running.values():
            lost = Outcome(
                state=TrialState.LOST, message="the run ended while it was running", loss="interrupted"
            )
            with suppress(ExecutorError):  # disk full: what has no outcome counts as lost later
                self._record(running, lost)
        try:
            self._link.send({"close": True})
        except OSError:
            self._end_orphans()
        else:
            self._link.wait(GRACE_S + 5.0)
            self._end_orphans()
        self._closed = True
        for running in self._running.values():
            running.connection.close()
        self._running.clear()
        self._selector.close()
        self._link.close()

    # -- the warm parent ------------------------------------------------------------------------

    def _new_link(self) -> WarmLink:
        link = WarmLink(self._preload, self._method, self._objective)
        self._selector.register(link.socket, selectors.EVENT_READ, None)
        return link

    def _send(self, job: Job) -> None:
        """Hand a job to the warm parent, with the worker's end of a connection of its own."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        running = _Running(job, ours, time.monotonic())
        self._running[job.number] = running
        self._selector.register(ours, selectors.EVENT_READ, job.number)
        with theirs:
            self._send_parent({"start": job.to_data()}, theirs)

    def _send_parent(self, message: dict[str, Any], connection: socket.socket | None = None) -> None:
        try:
            self._link.send(message, connection)
        except TimeoutError as error:
            raise ExecutorError("the process that starts trials does not answer.") from error
        except OSError:
            return  # it has died; `events` sees that too, and deals with all it was doing

    def _on_control(self) -> None:
        messages = self._link.receive()
        if messages is None:
            self._parent_died()
            return
        for message in messages:
            if "ready" in message:
                self.start_method = message["ready"]
                for warning in message["warnings"]:
                    self._report(warning)
            elif "started" in message:
                self._deaths = 0
                self._started(self._running[message["started"]], message["pid"])
            elif "unstarted" in message:
                running = self._running[message["unstarted"]]
                self._failing = True
                self._end(running, f"no process could be started: {message['error']}")
            elif "ended" in message:
                if message["left"]:
                    self._tell_of(message["left"])
                self._failing = self._failing or bool(message["error"])
                self._end(self._running[message["ended"]], f"its result was not recorded: {message['error']}")

    def _tell_of(self, left: str) -> None:
        """What a trial left running; told a few times, and in every such trial's log."""
        self._told += 1
        if self._tell is not None and self._told <= _MOST_TOLD:
            self._tell(f"{left}.")

    def _wake_parent(self) -> None:
        """Let the warm parent go on where training code has stopped it; looked at once a second."""
        if time.monotonic() < self._look_at:
            return
        self._look_at = time.monotonic() + _WATCH_S
        if self._running and self._link.wake() and not self._woken:
            self._woken = True
            self._report("the process that starts trials was stopped by a signal, and was made to go on")

    def _started(self, running: _Running, pid: int) -> None:
        running.pid = pid
        try:
            running.created = psutil.Process(pid).create_time()
        except psutil.NoSuchProcess:
            running.pid = None  # ended and waited for meanwhile

    def _parent_died(self) -> None:
        """Start another; its workers are lost, and what it had not started yet is sent again."""
        self._selector.unregister(self._link.socket)
        self._link.wait(1.0)
        ending = self._link.how_it_ended()
        if not self._link.ready and self._preload:
            self._report(f"loading libraries in advance failed ({ending}); each trial loads its own (slower)")
            self._preload = []
        else:
            self._report(f"the process that starts trials died ({ending}); another was started")
        self._deaths += 1
        self._end_orphans()
        self._link.close()
        unstarted = [running for running in self._running.values() if running.pid is None]
        waiting = [
            running
            for running in unstarted
            if recorded_outcome(running.job.folder, running.job.stamp) is None
        ]
        for running in list(self._running.values()):
            if running not in waiting:
                self._end(running, "the process that watched over it died", loss="process")
        self._link = self._new_link()
        for running in waiting:
            if self._deaths >= _MAX_DEATHS:
                self._end(running, "the process that starts trials keeps dying", loss="process")
            else:
                self._forget(running)
                self._send(running.job)

    def _replace_parent(self) -> None:
        """Start another in the place of one that fails, as where training code has limited its resources."""
        self._failing = False
        self._report("the process that starts trials failed, and another was started")
        self._selector.unregister(self._link.socket)
        self._link.close()
        self._link = self._new_link()

    def _end_orphans(self) -> None:
        """End workers whose parent is dead."""
        for running in self._running.values():
            if running.pid is None:
                continue
            try:
                same = psutil.Process(running.pid).create_time() == running.created
            except psutil.NoSuchProcess:
                same = False
            if same:
                end_session(running.pid)
            end_left(left_by(running.job.folder, own_children()))

    # -- one worker's connection ----------------------------------------------------------------------

    def _on_connection(self, running: _Running, mask: int) -> None:
        if mask & selectors.EVENT_WRITE:
            self._flush(running)
        if mask & selectors.EVENT_READ and not self._read(running):
            self._selector.unregister(running.connection)  # closed; its end is reported by the warm parent

    def _read(self, running: _Running) -> bool:
        """Take in what the worker reported; False once it has closed its end."""
        number = running.job.number
        try:
            data = running.connection.recv(_CHUNK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        try:
            for message in running.lines.feed(data):
                step, value = int(message["step"]), float(message["value"])
                if not (math.isfinite(value) and legal_step(step)):
                    raise ValueError(f"a value of {value} at step {step:.6g}")
                self._events.append(Reported(number, step, value, _others(message.get("others"))))
        except (ValueError, KeyError, TypeError, OverflowError) as error:
            broken = f"it wrote to the line that reports go over: {error}"
            self.kill(number, Outcome(state=TrialState.CRASHED, message=log_line(broken)))
            return False
        return bool(data)

    def _flush(self, running: _Running) -> None:
        """Send waiting verdicts as far as the worker takes them; the rest when it does."""
        if running.connection not in self._selector.get_map():
            return  # the worker has closed it
        try:
            sent = running.connection.send(running.outbox) if running.outbox else 0
        except BlockingIOError:
            sent = 0
        except OSError:
            sent = len(running.outbox)  # the worker is gone
        del running.outbox[:sent]
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if running.outbox else 0)
        self._selector.modify(running.connection, wanted, running.job.number)

    def _end(self, running: _Running, otherwise: str, *, loss: Loss = "interrupted") -> None:
        """Report a job's end; where no outcome is recorded it is lost, and `otherwise` is the message."""
        while running.connection in self._selector.get_map():  # reports first, and the last one too
            before = len(self._events)
            if not self._read(running) or len(self._events) == before:
                break
        self._forget(running)
        outcome = recorded_outcome(running.job.folder, running.job.stamp)
        if outcome is None:
            lost = Outcome(state=TrialState.LOST, message=log_line(otherwise), loss=loss)
            outcome = self._record(running, lost)
        self._events.append(Finished(running.job.number, outcome))

    def _forget(self, running: _Running) -> None:
        if running.connection in self._selector.get_map():
            self._selector.unregister(running.connection)
        running.connection.close()
        del self._running[running.job.number]

    def _record(self, running: _Running, outcome: Outcome) -> Outcome:
        """Record an outcome with what is known of the job, unless one is recorded already."""
        folder = running.job.folder
        recorded = {} if outcome.curve else recorded_curve(folder)
        known = {
            **recorded,
            "seconds": outcome.seconds or time.monotonic() - running.accepted,
        }
        try:
            return record_outcome(folder, outcome.changed(**known), running.job.stamp)
        except OSError as error:
            raise ExecutorError(f"{folder / RESULT} cannot be written: {error}") from error

    def _report(self, warning: str) -> None:
        self.warnings.append(warning)
        if self._warn is not None:
            self._warn(warning)


def _others(given: Any) -> dict[str, float]:
    """Further metrics of a report. Raises ValueError or TypeError where they are none."""
    if given is None:
        return {}
    if not isinstance(given, dict) or len(given) > MOST_OTHERS:
        raise ValueError(f"further metrics that are no mapping of at most {MOST_OTHERS}")
    return {str(name): float(one) for name, one in given.items() if math.isfinite(float(one))}


def _build(context: ExecutorContext) -> LocalExecutor:
    method: StartMethod = context.settings.start_method
    return LocalExecutor(
        context.workers,
        context.preload,
        start_method=method,
        warn=context.warn,
        objective=context.objective,
        tell=context.tell,
    )


MEMBER = ExecutorMember("processes on this machine", _build, LocalSettings)
