"""What recorded openings are worth: the runs that are missing, then regret by contender, paired by task."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from tunesmith.bench import metrics
from tunesmith.bench.contenders import contender as named
from tunesmith.bench.contenders.base import Contender
from tunesmith.bench.openings import SUITE
from tunesmith.bench.openings.contender import PARTS, as_opening, contender, for_task, spec_name
from tunesmith.bench.openings.recorded import RecordedOpening, read_openings
from tunesmith.bench.plan import Plan, make_plan
from tunesmith.bench.pool import Failure, Pool, RunSpec
from tunesmith.bench.run import Progress
from tunesmith.bench.scales import scales
from tunesmith.bench.store import Key, Run, Store
from tunesmith.bench.suites import open_suite
from tunesmith.bench.task import BenchTask, SuiteOptions
from tunesmith.errors import ModelError, UsageError
from tunesmith.extras import require
from tunesmith.history import Array
from tunesmith.text.cleaning import error_line

ALONE, CLASSICAL = "tunesmith", ("gp+default", "tpe+default")
"""Ours without a model, and the classical optimisers, started from the default too."""
LABELS = {
    ALONE: "without a model",
    "opening:first": "its first configuration alone",
    "opening:beliefs": "its beliefs alone",
    "opening:full": "the whole opening",
    "gp+default": "Optuna's GP from the default",
    "tpe+default": "Optuna's TPE from the default",
}
FOLDER = "model"
"""Below the suite's results: runs that start from an opening."""


@dataclass(frozen=True)
class Ratio:
    """Mean regret over another's on the same tasks, with a bootstrap interval over tasks.

    Attributes:
        low, high: None with fewer than 5 tasks.
    """

    ratio: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Line:
    """One contender over all tasks that have an opening.

    Attributes:
        window, end: Mean normalised regret in the suite's window of evaluations, and at the last one.
        alone, classical: (window, end) relative to ours without a model, and to Optuna's GP.
        by_task: (window, end) by task.
    """

    contender: str
    label: str
    window: float
    end: float
    alone: tuple[Ratio, Ratio] | None
    classical: tuple[Ratio, Ratio] | None
    by_task: dict[str, tuple[float, float]]


@dataclass(frozen=True)
class Worth:
    """What the table shows.

    Attributes:
        without: Tasks of the suite that the file has no usable opening for, with the reason.
        missing: Runs that are not made yet.
    """

    suite: str
    openings: str
    tasks: tuple[str, ...]
    seeds: int
    evaluations: int
    window: tuple[int, int]
    lines: tuple[Line, ...]
    without: dict[str, str]
    missing: int
    failures: tuple[Failure, ...] = ()


def score(
    path: Path,
    suite: str = SUITE,
    *,
    tasks: Sequence[str] = (),
    seeds: int | None = None,
    evaluations: int | None = None,
    jobs: int | None = None,
    seconds: float = float("inf"),
    report: bool = False,
    results: Path = Path("benchmarks"),
) -> Worth:
    """Make the runs that are missing, and compare.

    Args:
        path: Recorded openings, see `recorded.py`.
        suite: A suite's name.
        tasks: Shell patterns of task names; empty means all that have an opening.
        seconds: No run is started after so many; the same call goes on.
        report: Run nothing.
        results: Folder of the suites' folders; runs without a model are those of `tunesmith bench`.
    Raises:
        UsageError: The file, the suite or a task cannot be used.
        MissingExtra: The suite needs a package that is not installed.
    """
    path = path.resolve()
    openings = read_openings(path)
    plan = make_plan(
        open_suite([suite]), contenders=(ALONE, *CLASSICAL), tasks=tasks, seeds=seeds, evaluations=evaluations
    )
    plan, without = _with_openings(plan, openings)
    if not plan.tasks:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in without.items())
        raise UsageError(f"{path}: no task of {suite} that was asked for has an opening ({reasons}).")
    wanted = _wanted(plan, openings, path)
    stores = {False: Store(results / suite), True: Store(results / suite / FOLDER)}
    known = {run.key: run for store in stores.values() for run in store.load()}
    missing = [w for w in wanted if not _done(known.get(w.key), plan)]
    failures: list[Failure] = []
    if missing and not report:
        for module in plan.suite.needs:
            require(module, f"the suite {suite}")
        failures = _make(missing, stores, [suite], jobs or os.cpu_count() or 1, seconds)
        known = {run.key: run for store in stores.values() for run in store.load()}
        missing = [w for w in wanted if not _done(known.get(w.key), plan)]
    lines = _lines(plan, wanted, known)
    return Worth(
        suite=suite,
        openings=path.name,
        tasks=tuple(task.name for task in plan.tasks),
        seeds=plan.seeds,
        evaluations=plan.evaluations,
        window=plan.window,
        lines=lines,
        without=without,
        missing=len(missing),
        failures=tuple(failures),
    )


def _with_openings(
    plan: Plan, openings: dict[tuple[str, str], RecordedOpening]
) -> tuple[Plan, dict[str, str]]:
    """The plan of the tasks with an opening that can be read, and why the others are left out."""
    kept: list[BenchTask] = []
    without: dict[str, str] = {}
    for task in plan.tasks:
        known = openings.get((plan.suite.name, task.name))
        if known is None:
            without[task.name] = "no opening is recorded"
            continue
        try:
            opening = as_opening(task, known)
        except ModelError as error:
            without[task.name] = error_line(error, 200)
            continue
        if opening.proposals or opening.priors:
            kept.append(task)
        else:
            without[task.name] = "nothing in it can be used"
    return replace(plan, tasks=tuple(kept)), without


@dataclass(frozen=True)
class _Wanted:
    """One run that the comparison needs: how it is asked for, and what it is stored as."""

    spec: RunSpec
    key: Key
    contender: Contender


def _wanted(plan: Plan, openings: dict[tuple[str, str], RecordedOpening], path: Path) -> list[_Wanted]:
    """Task by task, so that what a worker evaluated once serves every contender."""
    with_model = {
        name: contender(name) for name in (spec_name(part, plan.suite.name, path) for part in PARTS)
    }
    without_model = {name: named(name) for name in (ALONE, *CLASSICAL)}
    found = []
    for task in plan.tasks:
        opening = openings[plan.suite.name, task.name]
        these = without_model | {name: for_task(c, opening) for name, c in with_model.items()}
        found += [
            _Wanted(
                RunSpec(task.name, name, seed, plan.evaluations), Run.key_of(task, optimiser, seed), optimiser
            )
            for name, optimiser in these.items()
            for seed in range(plan.seeds)
        ]
    return found


def _done(run: Run | None, plan: Plan) -> bool:
    return run is not None and len(run.values) >= plan.evaluations


def _make(
    missing: list[_Wanted], stores: dict[bool, Store], suite: Sequence[str], jobs: int, seconds: float
) -> list[Failure]:
    asked = {w.spec: w for w in missing}
    running: dict[tuple[str, str, int], _Wanted] = {}
    progress = Progress(len(missing))

    def started(spec: RunSpec) -> None:
        wanted = asked[spec]
        running[spec.task, wanted.contender.name, spec.seed] = wanted
        progress.started(replace(spec, contender=wanted.contender.name))

    def done(run: Run) -> None:
        wanted = running[run.task, run.contender, run.seed]
        # The process knows the build; which answer the run was started from is known here.
        stores[wanted.spec.contender != run.contender].append([replace(run, version=wanted.key[3])])
        progress.ended(run)

    try:
        with Pool(suite, SuiteOptions(), min(jobs, len(missing))) as pool:
            return pool.run([w.spec for w in missing], done, started=started, seconds=seconds)
    finally:
        progress.close()


def _lines(plan: Plan, wanted: Sequence[_Wanted], known: dict[Key, Run]) -> tuple[Line, ...]:
    """Of the tasks that every contender has finished with every seed, so that all ratios are paired."""
    runs = {(w.contender.name, w.spec.task, w.spec.seed): known.get(w.key) for w in wanted}
    names = list(dict.fromkeys(w.contender.name for w in wanted))
    order = [name for name in LABELS if name in names]
    whole = [
        task
        for task in plan.tasks
        if all(_done(runs[name, task.name, seed], plan) for name in names for seed in range(plan.seeds))
    ]
    if not whole:
        return ()
    by_scale = scales(whole, [run for run in known.values() if run.task in {t.name for t in whole}])
    regret: dict[str, tuple[Array, Array]] = {}
    for name in order:
        curves = []
        for task in whole:
            found = [runs[name, task.name, seed] for seed in range(plan.seeds)]
            values = np.array([run.array(plan.evaluations) for run in found if run is not None])
            curves.append(by_scale[task.name].regret(values).mean(axis=0))
        table = np.array(curves)
        regret[name] = (metrics.window_mean(table, *plan.window), table[:, -1])
    return tuple(
        Line(
            contender=name,
            label=LABELS[name],
            window=_rounded(regret[name][0].mean()),
            end=_rounded(regret[name][1].mean()),
            alone=None if name == ALONE else _ratios(regret[name], regret[ALONE]),
            classical=None if name == CLASSICAL[0] else _ratios(regret[name], regret[CLASSICAL[0]]),
            by_task={
                task.name: (_rounded(regret[name][0][i]), _rounded(regret[name][1][i]))
                for i, task in enumerate(whole)
            },
        )
        for name in order
    )


def _ratios(mine: tuple[Array, Array], other: tuple[Array, Array]) -> tuple[Ratio, Ratio]:
    window, end = (_ratio(a, b) for a, b in zip(mine, other, strict=True))
    return window, end


def _ratio(mine: Array, other: Array) -> Ratio:
    from tunesmith.bench.tails import LEAST_TASKS

    if other.mean() <= 0:
        return Ratio(None)
    ratio = _rounded(mine.mean() / other.mean())
    if len(mine) < LEAST_TASKS:
        return Ratio(ratio)
    low, high = metrics.ratio_interval(mine, other)
    return Ratio(ratio, *(_rounded(v) if np.isfinite(v) else None for v in (low, high)))


def _rounded(value: Any) -> float:
    return round(float(value), 5)
