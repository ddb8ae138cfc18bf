"""Runs in parallel: plain processes with one BLAS thread each, one run at a time. No `multiprocessing`.

A worker that dies takes its run with it, and nothing else: the run is tried once more by a new worker.
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any, Generic, TypeVar

from tunesmith.bench.store import Run, as_run
from tunesmith.bench.task import SuiteOptions
from tunesmith.text.secrets import is_secret_name

MOST_TRIES = 2
GRACE_S = 5.0
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")


@dataclass(frozen=True)
class RunSpec:
    """A run that is wanted."""

    task: str
    contender: str
    seed: int
    evaluations: int


@dataclass(frozen=True)
class Failure:
    """A run that could not be made, and why."""

    spec: RunSpec
    cause: str


@dataclass
class _Worker:
    process: subprocess.Popen[bytes]
    spec: RunSpec | None = None
    read: bytearray = field(default_factory=bytearray)


R = TypeVar("R")


class Processes(Generic[R]):
    """Makes runs with `jobs` processes. A context manager: on the way out every process is ended.

    Args:
        first: The first line that a process is sent.
        jobs: Processes at a time, at least 1.
        module: What a process runs; see `bench/worker.py`.
        read: A run from its JSON form.
    """

    def __init__(
        self, first: dict[str, object], jobs: int, module: str, read: Callable[[dict[str, Any]], R]
    ) -> None:
        self._first, self._jobs, self._module, self._read_run = first, jobs, module, read
        self._workers: list[_Worker] = []
        self._selector = selectors.DefaultSelector()

    def __enter__(self) -> Processes[R]:
        return self

    def __exit__(self, *ended: object) -> None:
        for worker in self._workers:
            with suppress(OSError):
                if worker.process.stdin is not None:
                    worker.process.stdin.close()
            if worker.spec is not None:
                worker.process.terminate()
        until = time.monotonic() + GRACE_S
        for worker in self._workers:
            try:
                worker.process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                worker.process.kill()
                worker.process.wait()
            if worker.process.stdout is not None:
                worker.process.stdout.close()
        self._workers.clear()
        self._selector.close()

    def run(
        self,
        specs: Sequence[RunSpec],
        done: Callable[[R], None],
        *,
        started: Callable[[RunSpec], None] = lambda spec: None,
        seconds: float = float("inf"),
    ) -> list[Failure]:
        """Make the runs, in this order; starts none after `seconds`, but waits for those that run.

        Args:
            done: Called with each run as it ends, in this thread.
        Returns:
            The runs that could not be made; those not started are not among them.
        """
        waiting, tries = deque(specs), dict[RunSpec, int]()
        failures: list[Failure] = []
        until = time.monotonic() + seconds
        while True:
            while waiting and time.monotonic() < until and (worker := self._idle()) is not None:
                spec = waiting.popleft()
                tries[spec] = tries.get(spec, 0) + 1
                worker.spec = spec
                started(spec)
                self._send(worker, asdict(spec))
            if all(worker.spec is None for worker in self._workers):
                return failures
            for key, _ in self._selector.select(1.0):
                worker = key.data
                spec = worker.spec
                answers = self._read(worker)
                if answers is None:
                    status = worker.process.wait()
                    self._forget(worker)
                    if spec is None:
                        continue
                    if tries[spec] < MOST_TRIES:
                        waiting.appendleft(spec)
                    else:
                        failures.append(Failure(spec, f"its process ended with status {status}, twice"))
                    continue
                for answer in answers:
                    worker.spec = None
                    if spec is not None and "run" in answer:
                        done(self._read_run(answer["run"]))
                    elif spec is not None:
                        failures.append(Failure(spec, str(answer.get("error"))))

    def _idle(self) -> _Worker | None:
        for worker in self._workers:
            if worker.spec is None:
                return worker
        if len(self._workers) >= self._jobs:
            return None
        environment = {k: v for k, v in os.environ.items() if not is_secret_name(k)}
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", self._module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**environment, **dict.fromkeys(_THREADS, "1")},
            start_new_session=True,  # Ctrl-C is ours to pass on
        )
        worker = _Worker(process)
        self._workers.append(worker)
        self._selector.register(process.stdout, selectors.EVENT_READ, worker)  # type: ignore[arg-type]
        self._send(worker, {**self._first, "path": sys.path})
        return worker

    def _send(self, worker: _Worker, message: dict[str, object]) -> None:
        assert worker.process.stdin is not None
        with suppress(BrokenPipeError):  # it has died: its stdout says so next
            worker.process.stdin.write(json.dumps(message).encode() + b"\n")
            worker.process.stdin.flush()

    def _read(self, worker: _Worker) -> list[dict[str, Any]] | None:
        """Whole answers that have come; None when it has ended."""
        assert worker.process.stdout is not None
        data = os.read(worker.process.stdout.fileno(), 1 << 16)
        if not data:
            return None
        worker.read += data
        *lines, rest = worker.read.split(b"\n")
        worker.read = bytearray(rest)
        return [json.loads(line) for line in lines]

    def _forget(self, worker: _Worker) -> None:
        self._selector.unregister(worker.process.stdout)  # type: ignore[arg-type]
        self._workers.remove(worker)
        for pipe in (worker.process.stdin, worker.process.stdout):
            with suppress(OSError):
                if pipe is not None:
                    pipe.close()


class Pool(Processes[Run]):
    """Runs of a suite of `BenchTask`s.

    Args:
        suite, options: What `open_suite` takes.
        jobs: Processes at a time, at least 1.
    """

    def __init__(self, suite: Sequence[str], options: SuiteOptions, jobs: int) -> None:
        first: dict[str, object] = {"suite": list(suite), "options": asdict(options)}
        super().__init__(first, jobs, "tunesmith.bench.worker", as_run)
