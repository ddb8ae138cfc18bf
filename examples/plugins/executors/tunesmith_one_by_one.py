"""An executor in a package of its own: one job at a time, each in a new Python process.

After `pip install .` here, a task file may say `executor: one-by-one`.
"""

import select
import socket
import time
from contextlib import suppress

from tunesmith.errors import ExecutorError
from tunesmith.tools.execution.base import (
    Executor,
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
from tunesmith.tools.execution.causes import from_exit
from tunesmith.tools.execution.child import start_worker
from tunesmith.tools.execution.messages import Lines, encode
from tunesmith.tools.execution.sessions import end_session
from tunesmith.tools.records.trial_folder import LOG, RESULT, record_outcome
from tunesmith.trial import Outcome, TrialState


class OneByOne(Executor):
    job: Job | None = None
    closed = False

    def room(self, resources: Resources) -> Waits | None:
        return None if self.job is None else Waits("busy", "a job is running")

    def offer(self, job: Job) -> Waits | None:
        if self.closed or (job.folder / RESULT).exists():
            raise ExecutorError("the executor is closed, or the job has been run")
        if self.job is None:
            job.folder.mkdir(parents=True, exist_ok=True)
            self.connection, theirs = socket.socketpair()
            with theirs, open(job.folder / LOG, "wb") as log:
                self.process = start_worker(job, theirs.fileno(), log.fileno())
            self.job, self.started, self.lines = job, time.monotonic(), Lines()
            return None
        return self.room(job.resources)

    def events(self, timeout_s: float) -> list[WorkerEvent]:
        if self.job is None:
            time.sleep(timeout_s)
            return []
        number, limit = self.job.number, self.job.time_limit_s
        if limit is not None and time.monotonic() - self.started > limit:
            self.kill(number, Outcome(state=TrialState.TIMED_OUT, message=f"not finished in {limit:g} s"))
        readable, _, _ = select.select([self.connection], [], [], timeout_s)
        try:
            data = self.connection.recv(1 << 16) if readable else b""
        except ConnectionResetError:  # it ended before it had read a verdict
            data = b""
        reports: list[WorkerEvent] = [
            Reported(number, item["step"], item["value"]) for item in self.lines.feed(data)
        ]
        if not readable or data:
            return reports
        end_session(self.process.pid)  # the worker has closed its end, so it has ended
        tail = (self.job.folder / LOG).read_text(errors="replace")[-4000:]
        outcome = record_outcome(self.job.folder, from_exit(self.process.wait(), tail, oom_killed=False))
        self.job = None
        return [Finished(number, outcome)]

    def _answer(self, number: int, step: int, verdict: Verdict) -> None:
        if self.job is not None and self.job.number == number:
            with suppress(OSError):  # it has ended meanwhile
                self.connection.sendall(encode({"step": step, "stop": isinstance(verdict, Stop)}))

    def kill(self, number: int, outcome: Outcome) -> None:
        if self.job is not None and self.job.number == number:
            record_outcome(self.job.folder, outcome)
            end_session(self.process.pid)

    def close(self) -> None:
        if self.job is not None:
            self.kill(self.job.number, Outcome(state=TrialState.LOST, message="the run ended"))
            self.process.wait()
        self.job, self.closed = None, True


MEMBER = ExecutorMember("one job at a time, each in a new Python process", build=lambda context: OneByOne())
