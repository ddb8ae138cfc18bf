"""Training code driven by command line: started, listened to, stopped.

The command prints its metrics as JSON objects, one a line:

    {"step": 3, "val_accuracy": 0.91}            a report, answered by a verdict
    {"val_accuracy": 0.93, "val_loss": 0.2}      the result; the last such line counts, and without
                                                 any the last report does
    {"latency_ms": 12.5}                         another metric of the task, on a line of its own

or in another of the forms that `printed/output.py` reads, or as the task's `metric` says. All that it prints
but lines of metrics goes to the trial's log. It finds its configuration in its arguments and in the
environment: TUNESMITH_CONFIG (JSON), TUNESMITH_SEED, TUNESMITH_CHECKPOINT_DIR, TUNESMITH_TRIAL (the
number). When the verdict is to stop, its process group gets SIGTERM, and SIGKILL two seconds later.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from typing import IO

from tunesmith.errors import CommandFailed, ObjectiveError
from tunesmith.tools.execution.handle import TrialHandle
from tunesmith.tools.execution.job import Job
from tunesmith.tools.execution.launch import command_launch
from tunesmith.tools.execution.printed.choice import Result, result_of
from tunesmith.tools.execution.printed.metric_reader import Stream
from tunesmith.tools.execution.printed.output import Output
from tunesmith.tools.execution.result_files import ResultFiles
from tunesmith.tools.execution.sessions import GRACE_S

_POLL_S = 0.1


class CommandRun:
    """One run of a command, from start to end, in a process group of its own within our session."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._process: subprocess.Popen[bytes] | None = None
        self._stopped_at: float | None = None

    def stop(self) -> None:
        """Ask the command to end; called from the thread that reads verdicts."""
        if self._process is not None and self._process.poll() is not None:
            return  # it had ended by itself: its result counts
        self._stopped_at = time.monotonic()
        self._signal(signal.SIGTERM)

    def result(self, handle: TrialHandle) -> Result:
        """Run to the end and return the metrics; an empty result when it was stopped.

        Raises:
            CommandFailed: It could not be started, or ended with a status other than 0.
            MissingMetric, Diverged: What it printed is not usable.
        """
        # A time limit's SIGTERM goes to our whole session. The command may use its grace to end well, so
        # we stay to wait for it. A handler, not SIG_IGN: the command would inherit that.
        signal.signal(signal.SIGTERM, lambda number, frame: None)
        output = Output(
            handle.metric,
            self._job.reading,
            further=self._job.further,
            report=handle.report,
            record=handle.record,
            log=lambda data: _write_all(1, data),
        )
        files = ResultFiles(self._job, handle.checkpoint_dir)
        self._start(handle)
        assert self._process is not None
        try:
            self._listen(output)
            code = self._wait()
        finally:
            if self._process.poll() is None:
                self._signal(signal.SIGKILL)
                self._process.wait()
        if self._stopped_at is not None:
            handle.stopped = True
            return Result({}, ())
        if code != 0:
            raise CommandFailed(code)
        primary, *further = files.heard(output.heard(), handle.record)
        return result_of(primary, further, all_needed=self._job.further_needed)

    def _start(self, handle: TrialHandle) -> None:
        job = self._job
        launch = command_launch(job, handle.checkpoint_dir)
        if launch.left_out:
            print(f"[tunesmith] left out, inactive in this configuration: {', '.join(launch.left_out)}")
        try:
            self._process = subprocess.Popen(
                launch.argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,  # Python's logging writes there
                env=launch.environment,
                process_group=0,
            )
        except (OSError, ValueError, IndexError) as error:
            raise ObjectiveError(f"{job.objective.description} cannot be started: {error}") from error
        if self._stopped_at is not None:
            self._signal(signal.SIGTERM)

    def _listen(self, output: Output) -> None:
        """Read both streams to their end, or to the command's, or until its time after a verdict is over."""
        assert self._process is not None
        streams: dict[Stream, IO[bytes] | None] = {
            "stdout": self._process.stdout,
            "stderr": self._process.stderr,
        }
        with selectors.DefaultSelector() as selector:
            for name, pipe in streams.items():
                assert pipe is not None
                os.set_blocking(pipe.fileno(), False)
                selector.register(pipe, selectors.EVENT_READ, name)
            while selector.get_map() and not self._overdue():
                ended = self._process.poll() is not None  # before reading: what it printed last is there then
                ready = selector.select(0 if ended else _POLL_S)
                for key, _ in sorted(ready, key=lambda one: one[0].data, reverse=True):
                    data = os.read(key.fd, 1 << 16)
                    if data:
                        output.feed(key.data, data)
                    else:
                        selector.unregister(key.fileobj)
                if ended and not ready:
                    break  # a process that it started holds a pipe open
        output.end()

    def _wait(self) -> int:
        assert self._process is not None
        while not self._overdue():
            try:
                return self._process.wait(_POLL_S)
            except subprocess.TimeoutExpired:
                continue
        self._signal(signal.SIGKILL)
        return self._process.wait()

    def _overdue(self) -> bool:
        return self._stopped_at is not None and time.monotonic() > self._stopped_at + GRACE_S

    def _signal(self, number: int) -> None:
        if self._process is None:
            return
        try:
            os.killpg(self._process.pid, number)
        except (ProcessLookupError, PermissionError):
            return  # it has ended, and everything in its group


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
