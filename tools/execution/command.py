"""Training code driven by command line: started, listened to, stopped.

The command prints its metrics as JSON objects, one a line, on stdout:

    {"step": 3, "val_accuracy": 0.91}            a report, answered by a verdict
    {"val_accuracy": 0.93, "val_loss": 0.2}      the result; the last such line counts, and without
                                                 any the last report does

Everything else it prints goes to the trial's log. It finds its configuration in its arguments and in the
environment: TUNESMITH_CONFIG (JSON), TUNESMITH_SEED, TUNESMITH_CHECKPOINT_DIR, TUNESMITH_TRIAL (the
number). When the verdict is to stop, its process group gets SIGTERM, and SIGKILL two seconds later.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import time
from typing import IO, Any

from tunesmith.errors import MissingMetric, ObjectiveError, TunesmithError
from tunesmith.tools.execution.handle import TrialHandle
from tunesmith.tools.execution.job import Job
from tunesmith.tools.execution.launch import command_launch
from tunesmith.tools.execution.measuring import returned_values

GRACE_S = 2.0
"""Time between asking a process to end and killing it."""
_LONGEST_LINE = 1 << 20
_POLL_S = 0.1


class CommandFailed(TunesmithError):
    """A command ended by itself, and not well; `code` is its status, or the negated number of a signal."""

    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(f"the command ended with status {code}")


class CommandRun:
    """One run of a command, from start to end, in a process group of its own within our session."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._process: subprocess.Popen[bytes] | None = None
        self._stopped_at: float | None = None
        self._final: dict[str, float] | None = None
        self._rest = b""

    def stop(self) -> None:
        """Ask the command to end; called from the thread that reads verdicts."""
        if self._process is not None and self._process.poll() is not None:
            return  # it had ended by itself: its result counts
        self._stopped_at = time.monotonic()
        self._signal(signal.SIGTERM)

    def values(self, handle: TrialHandle) -> dict[str, float]:
        """Run to the end and return the metrics; {} when it was stopped.

        Raises:
            CommandFailed: It could not be started, or ended with a status other than 0.
            MissingMetric, TypeError, ValueError, Diverged: What it printed is not usable.
        """
        # A time limit's SIGTERM goes to our whole session. The command may use its grace to end well, so
        # we stay to wait for it. A handler, not SIG_IGN: the command would inherit that.
        signal.signal(signal.SIGTERM, lambda number, frame: None)
        self._start(handle)
        assert self._process is not None
        try:
            self._listen(handle)
            code = self._wait()
        finally:
            if self._process.poll() is None:
                self._signal(signal.SIGKILL)
                self._process.wait()
        if self._stopped_at is not None:
            handle.stopped = True
            return {}
        if code != 0:
            raise CommandFailed(code)
        if self._final is not None:
            return self._final
        if handle.curve:
            return {handle.metric: handle.curve[next(reversed(handle.curve))]}
        raise MissingMetric(
            f"{self._job.objective.description} ended without printing {handle.metric!r}. Print a line such "
            f'as {{"{handle.metric}": 0.5}} on stdout, or change `metric` in the task.'
        )

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
                env=launch.environment,
                process_group=0,
            )
        except (OSError, ValueError, IndexError) as error:
            raise ObjectiveError(f"{job.objective.description} cannot be started: {error}") from error
        if self._stopped_at is not None:
            self._signal(signal.SIGTERM)

    def _listen(self, handle: TrialHandle) -> None:
        """Read stdout until it is closed, the command has ended, or its time after a verdict is over."""
        assert self._process is not None and self._process.stdout is not None
        pipe: IO[bytes] = self._process.stdout
        os.set_blocking(pipe.fileno(), False)
        with selectors.DefaultSelector() as selector:
            selector.register(pipe, selectors.EVENT_READ)
            while not self._overdue():
                ended = self._process.poll() is not None  # before reading: what it printed last is there then
                ready = selector.select(0 if ended else _POLL_S)
                data = os.read(pipe.fileno(), 1 << 16) if ready else b""
                self._take(data, handle)
                if (ready or ended) and not data:
                    break  # closed; or ended, and a process that it started holds the pipe open
        self._take(b"\n", handle)  # a last line may lack its end

    def _take(self, data: bytes, handle: TrialHandle) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > _LONGEST_LINE:
            lines, self._rest = [*lines, self._rest], b""
        for line in lines:
            metrics = _metrics(line, handle.metric)
            if metrics is None:
                if line:
                    os.write(1, line + b"\n")
            elif "step" in metrics:
                handle.report(metrics[handle.metric], metrics["step"])
            else:
                self._final = returned_values(metrics, handle.metric, self._job.objective.description)

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


def _metrics(line: bytes, metric: str) -> dict[str, Any] | None:
    """The JSON object in a line, when it holds the metric."""
    if not line.lstrip().startswith(b"{"):
        return None
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and metric in found else None
