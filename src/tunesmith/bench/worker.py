"""A process that runs one run after another: orders on stdin, results on stdout, a JSON line each.

    bench -> here    {"suite": [...], "path": [...]}, then one {"task": ..., "contender": ..., ...} a run
    here -> bench    {"run": {...}}    or    {"error": "..."}

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
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, NoReturn

from tunesmith.text.cleaning import error_line

if TYPE_CHECKING:
    from tunesmith.bench.contenders.base import Contender
    from tunesmith.bench.task import Suite
    from tunesmith.bench.trace import Evaluator

REHEARSAL = 12
"""Evaluations of a rehearsal: two more than the random ones that Optuna's samplers start with."""

ENDING_S = 0.5


class Desk:
    """Does the orders of one suite; remembers what was evaluated."""

    def __init__(self, suite: Suite) -> None:
        suite.prepare()
        self._tasks = {task.name: task for task in suite.tasks()}
        self._rehearsed: set[str] = set()
        self._evaluators: dict[str, Evaluator] = {}

    def answer(self, order: dict[str, Any]) -> dict[str, Any]:
        """The run that was ordered, or why there is none."""
        from threadpoolctl import threadpool_limits

        from tunesmith.bench.contenders import contender
        from tunesmith.bench.store import made
        from tunesmith.bench.trace import Evaluator

        try:
            task = self._tasks[order["task"]]
            if task.name not in self._evaluators:
                self._evaluators = {task.name: Evaluator(task)}  # tasks come one after another
            evaluator = self._evaluators[task.name]
            evaluator.begin()
            who = contender(order["contender"])
            with threadpool_limits(1):
                self._rehearse(who)
                trace = who.run(task, order["seed"], order["evaluations"], evaluator)
            return {"run": asdict(made(task, who, order["seed"], trace))}
        except Exception as error:
            if os.environ.get("TUNESMITH_DEBUG"):
                raise
            return {"error": error_line(error)}

    def _rehearse(self, who: Contender) -> None:
        """Let a contender import what it needs, seconds of it, before its time is taken."""
        from tunesmith.bench.suites.analytic import tasks
        from tunesmith.bench.trace import Evaluator

        if who.name not in self._rehearsed and not who.needs_fidelities:
            task = tasks()[0]
            who.run(task, 0, REHEARSAL, Evaluator(task))
        self._rehearsed.add(who.name)


def main() -> None:
    """The loop."""
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    warnings.simplefilter("ignore")
    hello = json.loads(sys.stdin.readline())
    sys.path.extend(entry for entry in hello["path"] if entry not in sys.path)
    from tunesmith.bench.suites import open_suite

    desk = Desk(open_suite(hello["suite"]))
    orders: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(orders,), daemon=True).start()
    while (line := orders.get()) is not None:
        out.write(json.dumps(desk.answer(json.loads(line))) + "\n")
        out.flush()


def _listen(orders: queue.SimpleQueue[str | None]) -> None:
    """Pass orders on; when the bench is gone, end this process even in the middle of a run."""
    for line in sys.stdin:
        orders.put(line)
    orders.put(None)
    time.sleep(ENDING_S)  # an idle worker has left by then
    os.kill(os.getpid(), signal.SIGTERM)


def _leave(number: int, frame: Any) -> NoReturn:
    raise SystemExit(0)  # so that what training code started is ended too


if __name__ == "__main__":
    main()
