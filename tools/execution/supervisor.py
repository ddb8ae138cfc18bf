"""Starts workers and sees each to its end: what the warm parent does once its libraries are loaded.

One thread, one loop: it listens to the engine, drains what workers print into capped logs, enforces time
limits, waits for workers, ends what they leave behind, records an outcome for one that died without a
result, and then tells the engine. When the engine is gone it kills everything at once and records
nothing, so that the trials count as interrupted.

    engine -> here    {"start": job} + a socket    {"kill": number}    {"close": true}
    here -> engine    {"started": number, "pid": ...}    {"unstarted": number, "error": ...}
                      {"ended": number, "error": ..., "left": what it left running}
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from typing import Any, NoReturn

from tunesmith.outcome import Outcome, TrialState
from tunesmith.text.sizes import write_size
from tunesmith.tools.execution.causes import from_exit, kernel_oom_kills
from tunesmith.tools.execution.child import memory_mib, python_of, start_worker, work
from tunesmith.tools.execution.environment import naming_what_it_missed
from tunesmith.tools.execution.job import Job
from tunesmith.tools.execution.left_processes import adopt_orphans, end_left, left_by, own_children, sentence
from tunesmith.tools.execution.log_file import CappedLog
from tunesmith.tools.execution.messages import Lines, encode
from tunesmith.tools.execution.processes import memory_of
from tunesmith.tools.execution.sessions import GRACE_S, end_session, has_ended, members, signal_session
from tunesmith.tools.execution.starting import naming_its_python
from tunesmith.tools.records.curve_file import recorded_curve
from tunesmith.tools.records.trial_folder import LOG, record_outcome, recorded_outcome

_CHUNK = 1 << 16
_WATCH_S = 1.0
"""How often to look whether the engine is still there, beside listening for its end."""
_MEMORY_S = 0.1
"""How often to look at the memory of trials that have a limit."""
_ENDING_S = 0.2
"""How long the end of an engine may take to show everywhere."""


@dataclass
class _Worker:
    """A worker from its start until it has been waited for."""

    job: Job
    pid: int
    log: CappedLog
    output: int
    """Our end of the pipe that the worker prints into."""
    started: float
    """Monotonic seconds."""
    oom_kills: int
    kill_at: float | None = None
    """When to stop waiting for it to end; None while it may go on."""
    process: subprocess.Popen[bytes] | None = None
    """Set when it was not forked."""

    @property
    def deadline(self) -> float | None:
        if self.kill_at is not None:
            return self.kill_at
        limit = self.job.time_limit_s
        return None if limit is None else self.started + limit


class Supervisor:
    """The loop, and the workers that run.

    Args:
        control: The line to the engine.
        engine: The engine's process id.
        fork: Whether to fork workers; else each is a new process.
        home: The engine's Python where it is another than this one; commands are run by it.
    """

    def __init__(self, control: socket.socket, engine: int, *, fork: bool, home: str | None = None) -> None:
        self._home = home
        self._control, self._engine, self._fork = control, engine, fork
        self._workers: dict[int, _Worker] = {}
        self._lines = Lines()
        self._sockets: list[int] = []
        self._closing = False
        self._look_at = 0.0
        """When to look at memory again, in monotonic seconds."""
        self._selector = selectors.DefaultSelector()
        self._wake, wake = socket.socketpair()
        self._wake.setblocking(False)
        wake.setblocking(False)
        self._wake_end = wake
        self._helpers = own_children()
        """Processes that a library has started while it was imported."""
        adopt_orphans()
        signal.signal(signal.SIGCHLD, lambda number, frame: None)  # a handler must be there to wake the loop
        signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        self._selector.register(control, selectors.EVENT_READ, self._on_control)
        self._selector.register(self._wake, selectors.EVENT_READ, self._on_wake)

    def run(self) -> None:
        while not (self._closing and not self._workers):
            for key, _ in self._selector.select(self._timeout()):
                key.data(key.fileobj)
            self._reap()
            self._enforce(time.monotonic())
            if os.getppid() != self._engine:
                self._abandon()

    def send(self, message: dict[str, Any]) -> None:
        try:
            self._control.sendall(encode(message))
        except OSError:
            self._abandon()

    # -- the engine -----------------------------------------------------------------------------

    def _on_control(self, control: socket.socket) -> None:
        try:
            data, sockets, _, _ = socket.recv_fds(control, _CHUNK, 64)
        except OSError:
            data, sockets = b"", []
        if not data:
            self._abandon()
        for descriptor in sockets:
            os.set_inheritable(descriptor, False)
            self._sockets.append(descriptor)
        for message in self._lines.feed(data):
            if "start" in message:
                self._start(Job.from_data(message["start"]), self._sockets.pop(0))
            elif "kill" in message:
                if message["kill"] in self._workers:
                    self._terminate(self._workers[message["kill"]])
            elif "close" in message:
                self._closing = True
                for worker in self._workers.values():
                    self._terminate(worker)

    def _abandon(self) -> NoReturn:
        """The engine is gone: end every worker, and record nothing."""
        for worker in self._workers.values():
            signal_session(worker.pid, signal.SIGKILL)
        for worker in self._workers.values():
            end_session(worker.pid)
        started = self._started()
        for worker in self._workers.values():
            end_left(left_by(worker.job.folder, started))
        os._exit(0)

    def _started(self) -> set[int]:
        """Children of this process that no trial has left."""
        return self._helpers | {worker.pid for worker in self._workers.values()}

    # -- starting -------------------------------------------------------------------------------

    def _start(self, job: Job, line: int) -> None:
        output, worker_end = os.pipe()
        try:
            log = CappedLog(job.folder / LOG)
        except OSError as error:
            self._not_started(job, error, (output, worker_end, line))
            return
        oom_kills, started = kernel_oom_kills(), time.monotonic()
        process = None
        try:
            if self._fork and python_of(job, self._home) is None:
                pid = os.fork()
                if pid == 0:
                    self._become_worker(job, worker_end, line)
            else:
                process = start_worker(job, line, worker_end, home=self._home)
                pid = process.pid
        except OSError as error:
            log.close()
            self._not_started(job, error, (output, worker_end, line))
            return
        os.close(worker_end)
        os.close(line)
        os.set_blocking(output, False)
        worker = _Worker(job, pid, log, output, started, oom_kills, process=process)
        self._workers[job.number] = worker
        self._selector.register(output, selectors.EVENT_READ, lambda _: self._drain(worker, 1))
        self.send({"started": job.number, "pid": pid})

    def _not_started(self, job: Job, error: OSError, left: tuple[int, ...]) -> None:
        for descriptor in left:
            os.close(descriptor)
        self.send({"unstarted": job.number, "error": str(error)})

    def _become_worker(self, job: Job, output: int, line: int) -> NoReturn:
        """The child's side of a fork: nothing of this process's may be used or left open."""
        try:
            os.setsid()
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.dup2(output, 1)
            os.dup2(output, 2)
            self._selector.close()
            for end in (self._control, self._wake, self._wake_end):
                end.close()
            for descriptor in (output, *(worker.output for worker in self._workers.values())):
                os.close(descriptor)
            work(job, socket.socket(fileno=line))
        finally:
            os._exit(70)  # an exception must not come back into the parent's loop, of which this is a copy

    # -- running --------------------------------------------------------------------------------

    def _drain(self, worker: _Worker, chunks: int) -> None:
        """Move what a worker printed into its log; a chunk at a time, so that one cannot hold up the rest."""
        for _ in range(chunks):
            try:
                data = os.read(worker.output, _CHUNK)
            except BlockingIOError:
                return
            if not data:
                self._stop_listening(worker)
                return
            worker.log.write(data)

    def _stop_listening(self, worker: _Worker) -> None:
        if worker.output in self._selector.get_map():
            self._selector.unregister(worker.output)

    def _timeout(self) -> float:
        deadlines = [w.deadline for w in self._workers.values() if w.deadline is not None]
        limited = any(w.job.objective.memory_limit is not None for w in self._workers.values())
        watch = _MEMORY_S if limited else _WATCH_S
        return max(0.0, min([watch, *(deadline - time.monotonic() for deadline in deadlines)]))

    def _enforce(self, now: float) -> None:
        self._enforce_memory(now)
        for worker in self._workers.values():
            if worker.deadline is None or now < worker.deadline:
                continue
            if worker.kill_at is not None:
                end_session(worker.pid)
                worker.kill_at = now + _WATCH_S
                continue
            limit = worker.job.time_limit_s
            # Recorded before the signal: what it might still record while it ends comes too late.
            self._record(
                worker, Outcome(state=TrialState.TIMED_OUT, message=f"not finished within {limit:g} s")
            )
            self._terminate(worker)

    def _enforce_memory(self, now: float) -> None:
        if now < self._look_at:
            return
        self._look_at = now + _MEMORY_S
        for worker in self._workers.values():
            limit = worker.job.objective.memory_limit
            if limit is None or worker.kill_at is not None:
                continue
            used = memory_of(members(worker.pid))
            if used > limit:
                allowed = f"the task's `trial_memory` allows {write_size(limit)}"
                said = f"it used {write_size(used)} of memory; {allowed}"
                self._record(worker, Outcome(state=TrialState.OUT_OF_MEMORY, message=said), used / (1 << 20))
                worker.kill_at = now + _WATCH_S
                end_session(worker.pid)  # at once: it may be growing

    def _terminate(self, worker: _Worker) -> None:
        if worker.kill_at is None:
            signal_session(worker.pid, signal.SIGTERM)
            worker.kill_at = time.monotonic() + GRACE_S

    # -- ending ---------------------------------------------------------------------------------

    def _on_wake(self, wake: socket.socket) -> None:
        try:
            wake.recv(_CHUNK)
        except BlockingIOError:
            return

    def _reap(self) -> None:
        for worker in [w for w in self._workers.values() if _has_ended(w.pid)]:
            self._end(worker)

    def _end(self, worker: _Worker) -> None:
        # Before the worker is waited for, so that its id, which is its session's, cannot be another's yet.
        end_session(worker.pid)
        left = end_left(left_by(worker.job.folder, self._started()))
        _, status, usage = os.wait4(worker.pid, 0)
        code = os.waitstatus_to_exitcode(status)
        if worker.process is not None:
            worker.process.returncode = code
        self._drain(worker, 1 << 10)
        self._stop_listening(worker)
        os.close(worker.output)
        error = ""
        if recorded_outcome(worker.job.folder, worker.job.stamp) is None:
            # A worker whose engine is gone kills itself, and may be quicker than we are to notice.
            if code == -signal.SIGKILL and worker.kill_at is None and self._engine_gone():
                self._abandon()
            killed = kernel_oom_kills() > worker.oom_kills
            outcome = naming_what_it_missed(from_exit(code, worker.log.tail(), oom_killed=killed))
            outcome = naming_its_python(outcome, worker.job.objective.python)
            error = self._record(worker, outcome, memory_mib(usage.ru_maxrss))
        said = f"trial {worker.job.number} {sentence(left)}" if left else ""
        if left:
            worker.log.write(f"\n[tunesmith] {said}\n".encode())
        worker.log.close()
        del self._workers[worker.job.number]
        self.send({"ended": worker.job.number, "error": error, "left": said})

    def _engine_gone(self) -> bool:
        """Whether the engine has ended, or does so in the next moment: ending is not all at once."""
        until = time.monotonic() + _ENDING_S
        while True:
            try:
                gone = not self._control.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
            except BlockingIOError:
                gone = False
            except OSError:
                gone = True
            if gone or os.getppid() != self._engine:
                return True
            if time.monotonic() > until:
                return False
            time.sleep(0.005)

    def _record(self, worker: _Worker, outcome: Outcome, peak_memory_mib: float | None = None) -> str:
        """Record an outcome that the worker itself cannot; returns what went wrong, or nothing."""
        folder = worker.job.folder
        known = {
            **recorded_curve(folder),
            "seconds": time.monotonic() - worker.started,
            "peak_memory_mib": peak_memory_mib,
        }
        try:
            record_outcome(folder, outcome.changed(**known), worker.job.stamp)
        except OSError as error:
            return str(error)
        return ""


def _has_ended(pid: int) -> bool:
    """Whether a child has ended; it stays to be waited for."""
    if not hasattr(os, "waitid"):
        return has_ended(pid)  # macOS, before Python 3.13
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
