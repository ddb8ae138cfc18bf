"""The suite `pipeline` from its beginning to its end: plan, missing runs, summary, pages."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tunesmith.bench.pipelines.aims import aims_of
from tunesmith.bench.pipelines.contenders import ABOUT, contender
from tunesmith.bench.pipelines.contenders.base import Contender
from tunesmith.bench.pipelines.landscape import TRIALS
from tunesmith.bench.pipelines.runs import PipelineRun, as_pipeline_run, open_runs
from tunesmith.bench.pipelines.summary import PipelineSummary, summarise
from tunesmith.bench.pipelines.tasks import LINKED, PipelineBenchTask, tasks
from tunesmith.bench.pool import Failure, Processes, RunSpec
from tunesmith.bench.run import Progress
from tunesmith.bench.store import RunFile
from tunesmith.errors import UsageError
from tunesmith.extras import require

SUITE = "pipeline"
SEEDS, QUICK_SEEDS = 20, 2
QUICK = ("random", "tpe", "rule", "agenttts")
WORKER = "tunesmith.bench.pipelines.worker"


@dataclass(frozen=True)
class Outcome:
    """What a call leaves.

    Attributes:
        failures: Runs that could not be made.
        files: The page, the pictures and the JSON document, as written.
    """

    summary: PipelineSummary
    failures: tuple[Failure, ...]
    files: tuple[Path, ...]


@dataclass(frozen=True)
class Plan:
    """The runs that a call is about.

    Attributes:
        narrowed: What was left out of a full run on purpose, in words; empty for a full run.
    """

    tasks: tuple[PipelineBenchTask, ...]
    contenders: tuple[Contender, ...]
    seeds: int
    trials: int
    narrowed: tuple[str, ...] = field(default=())

    def missing(self, runs: Sequence[PipelineRun]) -> list[RunSpec]:
        """The runs that are not stored yet: a task of a seed is drawn once for all contenders."""
        done = {run.key for run in runs}
        return [
            RunSpec(task.name, one.name, seed, self.trials)
            for seed in range(self.seeds)
            for task in self.tasks
            for one in self.contenders
            if takes_part(one, task, seed) and PipelineRun.key_of(task, one, seed) not in done
        ]


def takes_part(one: Contender, task: PipelineBenchTask, seed: int) -> bool:
    """Whether a contender is run on a task for a seed."""
    if one.most_seeds is not None and seed >= one.most_seeds:
        return False
    return task.family.name in one.families if one.families else not task.family.noisy


def make_plan(*, contenders: Sequence[str], patterns: Sequence[str], seeds: int | None, quick: bool) -> Plan:
    """The plan for what was asked.

    Raises:
        UsageError: No task or contender has such a name.
    """
    every, narrowed = tasks(), list[str]()
    for pattern in patterns:
        if not any(fnmatch.fnmatchcase(task.name, pattern) for task in every):
            there = ", ".join(task.name for task in every)
            raise UsageError(f"no task of {SUITE} fits {pattern!r}; there are {there}.")
    chosen = tuple(t for t in every if any(fnmatch.fnmatchcase(t.name, p) for p in patterns or ["*"]))
    if quick and not patterns:
        first = {task.family: task for task in reversed(every)}
        chosen = tuple(task for task in every if first[task.family] is task)
    if len(chosen) < len(every):
        narrowed.append(f"{len(chosen)} of {len(every)} tasks")
    wanted = seeds if seeds is not None else QUICK_SEEDS if quick else SEEDS
    if wanted < SEEDS:
        narrowed.append(f"{wanted} of {SEEDS} seeds")
    names = list(dict.fromkeys(contenders)) or [n for n in ABOUT if not quick or n in QUICK]
    if len(names) < len(ABOUT):
        narrowed.append(f"{len(names)} of {len(ABOUT)} contenders")
    return Plan(chosen, tuple(contender(name) for name in names), wanted, TRIALS, tuple(narrowed))


def bench(
    *,
    contenders: Sequence[str] = (),
    patterns: Sequence[str] = (),
    seeds: int | None = None,
    jobs: int | None = None,
    seconds: float = float("inf"),
    quick: bool = False,
    report: bool = False,
    fresh: Sequence[str] = (),
    results: Path = Path("benchmarks"),
) -> Outcome:
    """Make the runs that are missing, and write what all stored runs say; the same call goes on.

    Args:
        contenders: Who is to run; with `report`, who is shown.
        patterns: Shell patterns of task names.
        seconds: No run is started after so many.
        quick: A task of each family, few contenders and seeds.
        report: Run nothing.
        fresh: Contenders whose stored runs are forgotten first.
        results: Folder of the suites' folders.
    Raises:
        UsageError: Something named does not exist.
    """
    plan = make_plan(contenders=contenders, patterns=patterns, seeds=seeds, quick=quick)
    folder = results / SUITE
    store = open_runs(folder)
    for name in fresh:
        if not store.drop(name):
            contender(name)  # an unknown name should not pass for a contender without runs
    failures = [] if report else _make(plan, store, jobs or os.cpu_count() or 1, seconds)
    runs = store.load()
    missing = len(plan.missing(runs))
    notes = [f"Not the full benchmark: {', '.join(plan.narrowed)}."] if plan.narrowed else []
    notes += [f"{missing} runs are missing; the same command makes them."] if missing else []
    notes += [f"{store.damaged} stored lines could not be read."] if store.damaged else []
    summary = summarise(plan.tasks, plan.contenders, runs, seeds=plan.seeds, trials=plan.trials, notes=notes)
    summary = replace(summary, aims=aims_of(summary))
    files: tuple[Path, ...] = ()
    if summary.tables:
        from tunesmith.bench.pipelines.pages import write_pages

        files = write_pages(summary, folder / "partial" if plan.narrowed else folder)
    return Outcome(summary, tuple(failures), files)


def _make(plan: Plan, store: RunFile[PipelineRun], jobs: int, seconds: float) -> list[Failure]:
    missing = plan.missing(store.load())
    if not missing:
        return []
    if any(task.family in LINKED for task in plan.tasks):
        require("torch", f"the suite {SUITE}")
    progress = Progress(len(missing))

    def done(run: PipelineRun) -> None:
        store.append([run])
        progress.ended(run)

    try:
        with Processes({}, min(jobs, len(missing)), WORKER, as_pipeline_run) as pool:
            return pool.run(missing, done, started=progress.started, seconds=seconds)
    finally:
        progress.close()
