"""A suite of a user's own tasks: their training code, run as `tunesmith run` runs it, one trial at a time.

Each configuration is trained with the task's own seed, so that contenders are compared on one function;
in a worker process a configuration that came before is not trained again. An evaluation is charged the
time it takes, not CPU seconds, because it runs in a process of its own. Limits of a task are kept: what
counts is the best feasible value of its primary metric.
"""

from __future__ import annotations

import atexit
import hashlib
import shutil
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.bench.aims import Aims
from tunesmith.bench.task import BenchTask, Suite, Values
from tunesmith.errors import UsageError
from tunesmith.goals import Goals
from tunesmith.seeds import derive_seed
from tunesmith.task import Task, load_task
from tunesmith.trial import TrialState

if TYPE_CHECKING:
    from tunesmith.tools.execution.local import LocalExecutor


class OwnObjective:
    """Trains a task's configurations. Its processes start with the first one, and end with this process."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self._executor: LocalExecutor | None = None
        self._folder: Path | None = None
        self._number = 0

    def __call__(self, configuration: Values) -> float:
        """The task's primary metric; see `metrics`."""
        return self.metrics(configuration)[self.task.metric]

    def metrics(self, configuration: Values) -> dict[str, float]:
        """Every metric of the task.

        Raises:
            RuntimeError: The trial failed; with its cause in one line.
        """
        from tunesmith.tools.execution.base import Continue, Finished, Job, Reported

        executor, folder = self._open()
        number, self._number = self._number, self._number + 1
        executor.offer(
            Job(
                number=number,
                folder=folder / str(number),
                configuration=dict(configuration),
                seed=derive_seed(self.task.seed, "bench"),
                metric=self.task.metric,
                reading=self.task.reading,
                further=self.task.readings[1:],
                judged=False,
                objective=self.task.objective_ref(),
                time_limit_s=self.task.budget.trial_time_s,
            )
        )
        while True:
            for event in executor.events(1.0):
                if isinstance(event, Reported):
                    executor.answer(number, event.step, Continue())
                elif isinstance(event, Finished):
                    shutil.rmtree(folder / str(number), ignore_errors=True)
                    if event.outcome.state is not TrialState.COMPLETED:
                        raise RuntimeError(f"{event.outcome.state.value}: {event.outcome.message}")
                    return {name: event.outcome.values[name] for name, _ in self.task.readings}

    def close(self) -> None:
        """End its processes and remove what they wrote."""
        if self._executor is not None:
            self._executor.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._executor = self._folder = None

    def _open(self) -> tuple[LocalExecutor, Path]:
        from tunesmith.tools.execution.local import LocalExecutor
        from tunesmith.tools.execution.preload import discover_preload

        if self._executor is None or self._folder is None:
            objective = self.task.objective_ref()
            preload = self.task.preload if self.task.preload is not None else discover_preload(objective)
            self._folder = Path(tempfile.mkdtemp(prefix="tunesmith-bench-"))
            self._executor = LocalExecutor(1, preload=preload)
            atexit.register(self.close)
        return self._executor, self._folder


def own_suite(paths: Sequence[Path]) -> Suite:
    """The suite of some task files.

    Raises:
        UsageError: A file is no task, its training code is missing, or two tasks have one name.
    """
    from tunesmith.tools.execution.checks import check_exists

    loaded = [load_task(path) for path in paths]
    for task in loaded:
        check_exists(task.objective_ref(), task.space.names)
    names = [task.name for task in loaded]
    if double := next((name for name in names if names.count(name) > 1), None):
        raise UsageError(f"two task files have the name {double!r}; give one of them another `name:`.")
    made = tuple(_bench_task(task) for task in loaded)
    return Suite(
        name="own",
        about=(
            "your own tasks; regret (best - y) / (best - median of random) against the best of all stored "
            "runs, clipped to [0, 1]"
        ),
        tasks=lambda: made,
        contenders=("tunesmith", "tunesmith-no-priors", "gp+default", "tpe+default", "random"),
        evaluations=min(task.budget.trials for task in loaded),
        seeds=3,
        window_from=min(6, *(task.budget.trials for task in loaded)),
        quick=tuple(names[:3]),
    )


def _bench_task(task: Task) -> BenchTask:
    objective = OwnObjective(task)
    # Of several metrics the primary one is compared: no reference point is known for a hypervolume.
    goals = Goals(objectives=(task.goals.primary,), limits=task.limits)
    return BenchTask(
        name=task.name,
        space=task.space,
        direction=task.direction,
        metric=task.metric,
        default=None if task.default is None else dict(task.default),
        words=task.words(),
        evaluate=objective,
        aims=Aims(goals, objective.metrics) if task.limits else None,
        make_data_card=partial(getattr, task, "data_card", None),
        clock=time.monotonic,
        code=_code(task),
    )


def _code(task: Task) -> str:
    """Stands for the training code: its file's contents, or the command as written."""
    objective = task.objective_ref()
    text = repr(objective.command).encode()
    if objective.function is not None:
        file, _, name = objective.function.rpartition(":")
        text = name.encode() + b"\n" + Path(file).read_bytes()
    return hashlib.blake2b(text, digest_size=8).hexdigest() + f"/{task.seed}"
