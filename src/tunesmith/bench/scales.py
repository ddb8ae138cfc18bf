"""What regret 0 and 1 stand for on each task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tunesmith.bench.metrics import normalised_regret
from tunesmith.bench.store import Run
from tunesmith.bench.task import BenchTask
from tunesmith.history import Array, Direction

RANDOM = ("random", "random+default")


@dataclass(frozen=True)
class Scale:
    """Of one task.

    Attributes:
        best, worst: Values of regret 0 and 1, metric units.
        clip: Whether regret is kept in [0, 1]: where the scale comes from the stored runs, and on tasks with
            limits, where no feasible value may count as worse than none.
        guessed: No random runs are stored, so `worst` is the median of whatever is.
    """

    direction: Direction
    best: float
    worst: float
    clip: bool
    guessed: bool = False

    def regret(self, values: Array) -> Array:
        """Normalised regret of values (..., evaluations); see `metrics.normalised_regret`."""
        return normalised_regret(values, self.direction, self.best, self.worst, clip=self.clip)


def scales(tasks: Sequence[BenchTask], runs: Sequence[Run]) -> dict[str, Scale]:
    """The scale of each task: its recorded bounds, mostly not clipped; else from its stored runs, clipped.

    Then 0 is the best value of all stored runs, and 1 the median of what random search drew, shared
    starting points and the default aside. A task without bounds and values has no scale.
    """
    by_task = {}
    for task in tasks:
        if task.bounds is not None:
            best, worst = task.bounds
            by_task[task.name] = Scale(task.direction, best, worst, clip=task.aims is not None)
            continue
        every = [v for run in runs if run.task == task.name for v in run.values if v is not None]
        shared = len(task.initial(0))
        drawn = [
            v
            for run in runs
            if run.task == task.name and run.contender in RANDOM
            for v in run.values[shared + run.contender.endswith("+default") :]
            if v is not None
        ]
        if every:
            best = max(every) if task.direction == "maximize" else min(every)
            worst = float(np.median(drawn or every))
            by_task[task.name] = Scale(task.direction, best, worst, clip=True, guessed=not drawn)
    return by_task
