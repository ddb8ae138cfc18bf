"""Figures of single tasks over seeds, for suites of few tasks with several metrics or limits.

Such a suite has too few tasks for an interval over them, so ours and another contender are paired by seed.
The check that no contender took an evaluation that breaks a limit for its best stands here too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tunesmith.bench import metrics
from tunesmith.bench.plan import Plan
from tunesmith.bench.sources import Source
from tunesmith.bench.store import Run
from tunesmith.bench.tails import OURS
from tunesmith.bench.task import BenchTask
from tunesmith.history import Array
from tunesmith.text.numbers import counted, significant

QUARTILES = (0.25, 0.75)
LEAST_SEEDS = 5
"""Seeds from which on an interval over them is given."""


@dataclass(frozen=True)
class TaskFigures:
    """One contender on one task, after the last evaluation.

    Attributes:
        median, low, high: Over seeds, of the best feasible value in metric units, or of the share of the
            hypervolume, with the quartiles. Infinite where such a seed has no feasible evaluation.
        regret: Median normalised regret.
        ratio, ratio_low, ratio_high: Ours over this one, mean regrets paired by seed, with the bootstrap
            interval over seeds; None where there is none.
        without: Seeds without any feasible evaluation.
        broken: Evaluations that it took for its best and that break a limit.
    """

    task: str
    label: str
    seeds: int
    median: float
    low: float
    high: float
    regret: float
    ratio: float | None
    ratio_low: float | None
    ratio_high: float | None
    without: int
    broken: int


def by_task(
    plan: Plan, sources: Sequence[Source], curves: Mapping[str, Mapping[str, Array]]
) -> tuple[TaskFigures, ...]:
    """The figures of the tasks with `aims`, task by task.

    Args:
        curves: Regret (seeds, evaluations) by contender and task.
    """
    return tuple(
        _figures(task, source, plan, curves)
        for task in plan.tasks
        if task.aims is not None
        for source in sources
        if task.name in curves[source.label]
    )


def _figures(
    task: BenchTask, source: Source, plan: Plan, curves: Mapping[str, Mapping[str, Array]]
) -> TaskFigures:
    sign = 1.0 if task.direction == "maximize" else -1.0
    runs = [source.values(task.name, seed) for seed in range(plan.seeds)]
    scores = sign * np.array([values[: plan.evaluations] for values in runs if values is not None])
    ends = sign * np.where(np.isfinite(scores), scores, -np.inf).max(axis=1)
    low, high = (float(q) for q in np.quantile(ends, QUARTILES, method="inverted_cdf"))
    theirs = curves[source.label][task.name][:, -1]
    ratio = below = above = None
    mine = curves.get(OURS, {}).get(task.name)
    if mine is not None and source.label != OURS:
        if theirs.mean() > 0:
            ratio = float(mine[:, -1].mean() / theirs.mean())
        if len(theirs) >= LEAST_SEEDS:
            below, above = metrics.ratio_interval(mine[:, -1], theirs)
    here = [run for run in source.runs if run.task == task.name and run.seed < plan.seeds]
    return TaskFigures(
        task=task.name,
        label=source.label,
        seeds=len(ends),
        median=float(f"{np.median(ends):.6g}"),
        low=float(f"{low:.6g}"),
        high=float(f"{high:.6g}"),
        regret=round(float(np.median(theirs)), 5),
        ratio=_finite(ratio),
        ratio_low=_finite(below),
        ratio_high=_finite(above),
        without=sum(not _has_feasible(task, run) for run in here),
        broken=sum(len(broken(task, run)) for run in here),
    )


def broken(task: BenchTask, run: Run) -> tuple[int, ...]:
    """The evaluations that the run's contender took for its best, and that are not feasible."""
    assert task.aims is not None
    return tuple(i for i in run.winners if not task.aims.feasible(run.at(i)))


def broken_winners(plan: Plan, sources: Sequence[Source]) -> list[str]:
    """A note about winners that break a limit, or that there are none; nothing where no task has limits."""
    tasks = {task.name: task for task in plan.tasks if task.aims is not None and task.goals.limits}
    runs = [(run, tasks[run.task]) for source in sources for run in source.runs if run.task in tasks]
    found = [(run, i) for run, task in runs for i in broken(task, run)]
    if not runs:
        return []
    if not found:
        return [f"No winner of {counted(len(runs), 'run')} breaks a limit."]
    run, i = found[0]
    counts = f"{counted(len(found), 'winner')} of {counted(len(runs), 'run')} break a limit"
    return [f"{counts}; the first is evaluation {i + 1} of {run.contender} on {run.task}, seed {run.seed}."]


def found_text(value: float) -> str:
    """A best value for a table; `none` where no evaluation was feasible."""
    return significant(value) if math.isfinite(value) else "none"


def _has_feasible(task: BenchTask, run: Run) -> bool:
    assert task.aims is not None
    return any(task.aims.feasible(run.at(i)) for i in range(len(run.values)))


def _finite(value: float | None) -> float | None:
    return round(value, 5) if value is not None and np.isfinite(value) else None
