"""Beyond means: how bad the bad runs are, how soon a goal is reached, and ours against each contender.

A run is one task with one seed; its regret in a window is the mean over the window's evaluations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tunesmith.bench import metrics
from tunesmith.bench.task import BenchTask
from tunesmith.history import Array

TAIL = 0.9
"""The quantile that stands for bad luck."""
LEAST_TASKS = 5
"""Tasks from which on an interval over tasks is given; of fewer it would say nothing."""
OURS = "tunesmith"


@dataclass(frozen=True)
class Tail:
    """How regret is spread over runs.

    Attributes:
        median, high: Of the runs, and their TAIL quantile.
        worst, task, seed: The worst run.
    """

    median: float
    high: float
    worst: float
    task: str
    seed: int


@dataclass(frozen=True)
class Reaching:
    """How soon runs were better than their task's goal.

    Attributes:
        median, high: Evaluation of the median run, and of the TAIL quantile; one more than there were
            where such a run never was.
        never: Runs that never were, of `runs`.
    """

    median: float
    high: float
    never: int
    runs: int


@dataclass(frozen=True)
class Versus:
    """Ours against another contender after so many evaluations, on the tasks that both have finished.

    Attributes:
        ours, theirs: Mean regret.
        ratio, low, high: ours / theirs, with the bootstrap interval over tasks; None where it has none.
    """

    label: str
    evaluation: int
    tasks: int
    ours: float
    theirs: float
    ratio: float | None
    low: float | None
    high: float | None


def tail_of(curves: Mapping[str, Array], first: int, last: int) -> Tail | None:
    """The tail of regret in a window, of curves (seeds, evaluations) by task; None without any."""
    runs = [
        (float(regret), task, seed)
        for task, curve in curves.items()
        for seed, regret in enumerate(metrics.window_mean(curve, first, last))
    ]
    if not runs:
        return None
    regrets = np.array([regret for regret, _, _ in runs])
    worst, task, seed = max(runs, key=lambda run: run[0])
    return Tail(
        median=round(float(np.median(regrets)), 5),
        high=round(float(np.quantile(regrets, TAIL)), 5),
        worst=round(worst, 5),
        task=task,
        seed=seed,
    )


def high_curve(curves: Mapping[str, Array]) -> tuple[float, ...]:
    """The TAIL quantile over runs after each evaluation."""
    if not curves:
        return ()
    every = np.concatenate(list(curves.values()))
    return tuple(round(float(v), 5) for v in np.quantile(every, TAIL, axis=0))


def reaching(tasks: Sequence[BenchTask], values: Mapping[str, Sequence[Array]], last: int) -> Reaching | None:
    """When runs first were better than their task's goal; None where no task has one.

    Args:
        values: By task, the metric after each evaluation, (last,), of every seed.
    """
    firsts = []
    for task in tasks:
        if task.goal is None:
            continue
        for run in values.get(task.name, ()):
            hits = (i for i, value in enumerate(run[:last], start=1) if task.reached(float(value)))
            firsts.append(next(hits, last + 1))
    if not firsts:
        return None
    return Reaching(
        median=float(np.quantile(firsts, 0.5, method="higher")),
        high=float(np.quantile(firsts, TAIL, method="higher")),
        never=sum(first > last for first in firsts),
        runs=len(firsts),
    )


def versus(curves: Mapping[str, Mapping[str, Array]], at: Sequence[int]) -> tuple[Versus, ...]:
    """Ours against every other contender, in the order of `curves` (by contender and task)."""
    mine = curves.get(OURS, {})
    made = []
    for label, theirs in curves.items():
        shared = [task for task in mine if task in theirs]
        if label == OURS or not shared:
            continue
        for evaluation in at:
            here = np.array([float(mine[task][:, evaluation - 1].mean()) for task in shared])
            there = np.array([float(theirs[task][:, evaluation - 1].mean()) for task in shared])
            low, high = metrics.ratio_interval(here, there) if len(shared) >= LEAST_TASKS else (None, None)
            made.append(
                Versus(
                    label=label,
                    evaluation=evaluation,
                    tasks=len(shared),
                    ours=round(float(here.mean()), 5),
                    theirs=round(float(there.mean()), 5),
                    ratio=round(float(here.mean() / there.mean()), 5) if there.mean() > 0 else None,
                    low=_finite(low),
                    high=_finite(high),
                )
            )
    return tuple(made)


def _finite(value: float | None) -> float | None:
    return round(value, 5) if value is not None and np.isfinite(value) else None
