"""A process that makes one run after another: specs on stdin, results on stdout, a JSON line each.

    bench -> worker    {"suite": [...], "options": {...}, "path": [...]}, then one
                       {"task": ..., "contender": ..., ...} a run
    worker -> bench    {"run": {...}}    or    {"error": "..."}

It ends when its stdin does. What training code prints goes to stderr.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from tunesmith.text.cleaning import error_line

if TYPE_CHECKING:
    from tunesmith.bench.contenders.base import Contender
    from tunesmith.bench.task import Suite
    from tunesmith.bench.trace import Evaluator

REHEARSAL = 12
"""Evaluations of a rehearsal: two more than the random ones that Optuna's samplers start with."""

ENDING_S = 0.5


class Answers(Protocol):
    """Makes runs: the answer to a spec, as JSON data."""

    def answer(self, spec: dict[str, Any]) -> dict[str, Any]: ...


class Runner:
    """Makes runs of one suite; remembers what was evaluated."""

    def __init__(self, suite: Suite) -> None:
        suite.prepare()
        self._tasks = {task.name: task for task in suite.tasks()}
        self._rehearsed: set[str] = set()
        self._evaluators: dict[str, Evaluator] = {}

    def answer(self, spec: dict[str, Any]) -> dict[str, Any]:
        """The run that `spec` asks for, or the error that prevented it, as JSON data."""
        from threadpoolctl import threadpool_limits

        from tunesmith.bench.contenders import contender
        from tunesmith.bench.store import made
        from tunesmith.bench.trace import Evaluator

        try:
            task = self._tasks[spec["task"]]
            if task.name not in self._evaluators:
                self._evaluators = {task.name: Evaluator(task)}  # tasks come one after another
            evaluator = self._evaluators[task.name]
            evaluator.begin()
            optimiser = contender(spec["contender"])
            with threadpool_limits(1):
                self._rehearse(optimiser)
                trace = optimiser.run(task, spec["seed"], spec["evaluations"], evaluator)
            return {"run": made(task, optimiser, spec["seed"], trace).as_data()}
        except Exception as error:
            if os.environ.get("TUNESMITH_DEBUG"):
                raise
            return {"error": error_line(error)}

    def _rehearse(self, optimiser: Contender) -> None:
        """Run a contender once, so that importing what it needs (seconds) is not charged to it."""
        from tunesmith.bench.suites.analytic import tasks
        from tunesmith.bench.trace import Evaluator

        if optimiser.name not in self._rehearsed and not optimiser.needs_fidelities:
            task = tasks()[0]
            optimiser.run(task, 0, REHEARSAL, Evaluator(task))
        self._rehearsed.add(optimiser.name)


def main() -> None:
    """Read specs and write results until stdin ends."""

    def open_runner(first: dict[str, Any]) -> Runner:
        from tunesmith.bench.suites import open_suite
        from tunesmith.bench.task import SuiteOptions

        return Runner(open_suite(first["suite"], SuiteOptions(**first["options"])))

    serve(open_runner)


def serve(open_runner: Callable[[dict[str, Any]], Answers]) -> None:
    """Answer each spec on stdin with a line on stdout, until stdin ends; the first line makes the runner."""
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    warnings.simplefilter("ignore")
    first = json.loads(sys.stdin.readline())
    sys.path.extend(entry for entry in first["path"] if entry not in sys.path)
    runner = open_runner(first)
    specs: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(specs,), daemon=True).start()
    while (line := specs.get()) is not None:
        out.write(json.dumps(runner.answer(json.loads(line))) + "\n")
        out.flush()


def _listen(specs: queue.SimpleQueue[str | None]) -> None:
    """Pass specs on; when the bench has ended, end this process even in the middle of a run."""
    for line in sys.stdin:
        specs.put(line)
    specs.put(None)
    time.sleep(ENDING_S)  # an idle worker has left by then
    os.kill(os.getpid(), signal.SIGTERM)


def _leave(number: int, frame: Any) -> NoReturn:
    raise SystemExit(0)  # so that what training code started is ended too


if __name__ == "__main__":
    main()
