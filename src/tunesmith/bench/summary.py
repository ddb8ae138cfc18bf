"""The summary of the stored runs: one row a contender, paired by task with the reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tunesmith.bench import metrics
from tunesmith.bench.by_task import TaskFigures, broken_winners, by_task
from tunesmith.bench.plan import Plan
from tunesmith.bench.scales import Scale, scales
from tunesmith.bench.sources import Source, sources_of
from tunesmith.bench.store import Run
from tunesmith.bench.tails import (
    LEAST_TASKS,
    Reaching,
    Tail,
    Versus,
    high_curve,
    reaching,
    tail_of,
    versus,
)
from tunesmith.bench.task import BenchTask
from tunesmith.history import Array
from tunesmith.text.numbers import counted


@dataclass(frozen=True)
class Figure:
    """Regret of one contender in one window.

    Attributes:
        mean: Over tasks and seeds.
        low, high: Bootstrap interval over tasks; None with fewer than LEAST_TASKS.
        seed_sd: Standard deviation over seeds of the mean over tasks; None with one seed.
        ratio: Mean over mean of the reference, on the `shared` tasks that both have finished.
        no_worse: Whether the ratio's upper limit is at most metrics.NO_WORSE; None without an interval.
    """

    mean: float
    low: float | None = None
    high: float | None = None
    seed_sd: float | None = None
    shared: int = 0
    ratio: float | None = None
    ratio_low: float | None = None
    ratio_high: float | None = None
    no_worse: bool | None = None


@dataclass(frozen=True)
class Row:
    """One contender.

    Attributes:
        kind: `live`, `earlier` (runs of another build), `recorded` (computed from recorded runs) or `given`.
        tasks: How many tasks it has finished, every seed.
        families: Mean regret at the end, by family.
        by_task: (window, end) regret, by task.
        best: Best value at the end, metric units, mean over seeds, by task; NaN where a seed has none.
        rank, rank_low, rank_high: Average rank at the end, among those that have finished all tasks.
        curve: Mean regret after each evaluation; `high_curve` the 90th percentile of runs, `rank_curve` the
            average rank.
        window_tail, end_tail: How regret is spread over runs.
        cpu_s: Mean seconds of a run, evaluations included; proposal_ms: CPU of one proposal.
        failed: Evaluations without a value, of `evaluations`.
        reaching: For tasks that have a goal.
    """

    label: str
    kind: str
    tasks: int
    window: Figure
    end: Figure
    families: dict[str, float] = field(default_factory=dict)
    by_task: dict[str, tuple[float, float]] = field(default_factory=dict)
    best: dict[str, float] = field(default_factory=dict)
    rank: float | None = None
    rank_low: float | None = None
    rank_high: float | None = None
    curve: tuple[float, ...] = ()
    high_curve: tuple[float, ...] = ()
    rank_curve: tuple[float, ...] = ()
    window_tail: Tail | None = None
    end_tail: Tail | None = None
    cpu_s: float | None = None
    proposal_ms: float | None = None
    failed: int = 0
    evaluations: int = 0
    reaching: Reaching | None = None


@dataclass(frozen=True)
class Difference:
    """The critical difference of average ranks at the end.

    Attributes:
        ranked: (label, average rank), best first.
        groups: Labels that cannot be told apart at 5 %.
    """

    p: float
    difference: float
    tasks: int
    ranked: tuple[tuple[str, float], ...]
    groups: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Summary:
    """What the table, the page and the JSON document show.

    Attributes:
        metrics: By task, what its values are: `val_accuracy, maximize`.
        versus: Ours against each other contender at the suite's checkpoints; empty where it has none.
        by_task: Medians over seeds at the end, of tasks with several metrics or limits.
    """

    suite: str
    about: str
    tasks: int
    seeds: int
    evaluations: int
    window: tuple[int, int]
    reference: str
    shown_family: str
    families: tuple[str, ...]
    rows: tuple[Row, ...]
    difference: Difference | None
    missing: int
    notes: tuple[str, ...]
    versions: dict[str, tuple[str, ...]]
    metrics: dict[str, str] = field(default_factory=dict)
    versus: tuple[Versus, ...] = ()
    by_task: tuple[TaskFigures, ...] = ()


def summarise(plan: Plan, runs: Sequence[Run], only: Sequence[str] = (), damaged: int = 0) -> Summary:
    """The summary of stored runs for a plan.

    Args:
        only: Show these contenders and the reference; empty means every one with runs.
    """
    tasks = {task.name: task for task in plan.tasks}
    relevant = [run for run in runs if run.task in tasks]
    by_scale = scales(plan.tasks, relevant)
    sources = sources_of(plan, relevant, only)
    curves = {source.label: _curves(source, plan, by_scale) for source in sources}
    rows = [_row(source, plan, curves) for source in sources]
    rows, difference = _ranked(rows, curves, plan)
    given = () if plan.narrowed or only else plan.suite.given
    elsewhere = [
        Row(
            g.label,
            "given",
            0,
            Figure(g.window),
            Figure(g.end),
            families={} if g.family_end is None else {plan.suite.shown_family: g.family_end},
        )
        for g in given
    ]
    return Summary(
        suite=plan.suite.name,
        about=plan.suite.about,
        tasks=len(plan.tasks),
        seeds=plan.seeds,
        evaluations=plan.evaluations,
        window=plan.window,
        reference=plan.suite.reference,
        shown_family=plan.suite.shown_family,
        families=tuple(dict.fromkeys(task.family for task in plan.tasks if task.family)),
        rows=(*elsewhere, *rows),
        difference=difference,
        missing=len(plan.missing(runs)),
        notes=tuple(_notes(plan, rows, sources, by_scale, damaged)),
        versions=_versions(sources),
        metrics={task.name: f"{task.metric}, {task.direction}" for task in plan.tasks},
        versus=versus(curves, [at for at in plan.suite.checkpoints if at <= plan.evaluations]),
        by_task=by_task(plan, sources, curves),
    )


def _curves(source: Source, plan: Plan, by_scale: dict[str, Scale]) -> dict[str, Array]:
    """Regret (seeds, evaluations) by task, of the tasks of which every seed is done."""
    table = {}
    for task in plan.tasks:
        values = [source.values(task.name, seed) for seed in range(plan.seeds)]
        scale = by_scale.get(task.name)
        if scale is not None and all(v is not None and len(v) >= plan.evaluations for v in values):
            stacked = np.array([v[: plan.evaluations] for v in values if v is not None])
            table[task.name] = scale.regret(stacked)
    return table


def _row(source: Source, plan: Plan, curves: dict[str, dict[str, Array]]) -> Row:
    mine = curves[source.label]
    reference = curves.get(plan.suite.reference, {})
    first, last = plan.window
    families: dict[str, list[float]] = {}
    for task in plan.tasks:
        if task.name in mine and task.family:
            families.setdefault(task.family, []).append(float(mine[task.name][:, -1].mean()))
    every = [run for run in source.runs if run.task in mine]
    timed = [run for run in every if run.proposal_s is not None and run.proposals]
    proposed = sum(run.proposals for run in timed)
    return Row(
        label=source.label,
        kind=source.kind,
        tasks=len(mine),
        window=_figure(mine, reference, first, last, source.label == plan.suite.reference),
        end=_figure(mine, reference, last, last, source.label == plan.suite.reference),
        families={name: _rounded(float(np.mean(ends))) for name, ends in families.items()},
        by_task={
            name: (_rounded(float(c[:, first - 1 :].mean())), _rounded(float(c[:, -1].mean())))
            for name, c in mine.items()
        },
        best={task.name: _best(source, task, plan) for task in plan.tasks if task.name in mine},
        curve=tuple(_rounded(float(v)) for v in _mean_curve(mine)),
        high_curve=high_curve(mine),
        window_tail=tail_of(mine, first, last),
        end_tail=tail_of(mine, last, last),
        cpu_s=round(float(np.mean([run.cpu_s for run in every])), 2) if every else None,
        proposal_ms=round(1000 * sum(run.proposal_s or 0.0 for run in timed) / proposed, 2)
        if proposed
        else None,
        failed=sum(v is None for run in every for v in run.values[: plan.evaluations]),
        evaluations=len(every) * plan.evaluations,
        reaching=reaching(plan.tasks, {name: _values(source, name, plan) for name in mine}, last),
    )


def _values(source: Source, task: str, plan: Plan) -> list[Array]:
    runs = [source.values(task, seed) for seed in range(plan.seeds)]
    return [values[: plan.evaluations] for values in runs if values is not None]


def _best(source: Source, task: BenchTask, plan: Plan) -> float:
    """Best value after the last evaluation, mean over seeds; NaN where a seed has no value at all."""
    sign = 1.0 if task.direction == "maximize" else -1.0
    scores = sign * np.array(_values(source, task.name, plan))
    ends = np.where(np.isfinite(scores), scores, -np.inf).max(axis=1)
    return float(f"{sign * ends.mean():.6g}") if np.isfinite(ends).all() else float("nan")


def _mean_curve(table: dict[str, Array]) -> Array:
    return np.mean([c.mean(axis=0) for c in table.values()], axis=0) if table else np.empty(0)


def _figure(
    mine: dict[str, Array], reference: dict[str, Array], first: int, last: int, is_reference: bool
) -> Figure:
    if not mine:
        return Figure(float("nan"))
    by_seed = np.array([metrics.window_mean(c, first, last) for c in mine.values()])  # (tasks, seeds)
    means = by_seed.mean(axis=1)
    low, high = metrics.mean_interval(means) if len(means) >= LEAST_TASKS else (None, None)
    figure = Figure(
        mean=_rounded(float(means.mean())),
        low=_rounded(low),
        high=_rounded(high),
        seed_sd=_rounded(float(by_seed.mean(axis=0).std(ddof=1))) if by_seed.shape[1] > 1 else None,
    )
    shared = [name for name in mine if name in reference]
    if not shared or is_reference:
        return figure
    here = np.array([float(metrics.window_mean(mine[n], first, last).mean()) for n in shared])
    there = np.array([float(metrics.window_mean(reference[n], first, last).mean()) for n in shared])
    figure = replace(figure, shared=len(shared))
    if there.mean() > 0:
        figure = replace(figure, ratio=_rounded(float(here.mean() / there.mean())))
    if len(shared) >= LEAST_TASKS:
        below, above = metrics.ratio_interval(here, there)
        finite = np.isfinite(above)
        figure = replace(
            figure,
            ratio_low=_rounded(below) if np.isfinite(below) else None,
            ratio_high=_rounded(above) if finite else None,
            no_worse=bool(finite and above <= metrics.NO_WORSE),
        )
    return figure


def _ranked(
    rows: list[Row], curves: dict[str, dict[str, Array]], plan: Plan
) -> tuple[list[Row], Difference | None]:
    """Rows with ranks, among the rows that have finished every task; earlier builds are not ranked."""
    names = [task.name for task in plan.tasks]
    labels = [row.label for row in rows if row.kind != "earlier" and row.tasks == len(names)]
    if len(labels) < 2:
        return rows, None
    # (contenders, tasks, evaluations)
    table = np.array([[curves[label][n].mean(axis=0) for n in names] for label in labels])
    over = np.stack([metrics.ranks(table[:, :, i]) for i in range(table.shape[2])], axis=2)
    final = over[:, :, -1]
    places: dict[str, dict[str, Any]] = {}
    for i, label in enumerate(labels):
        enough = len(names) >= LEAST_TASKS
        low, high = metrics.mean_interval(final[i]) if enough else (None, None)
        places[label] = {
            "rank": _rounded(float(final[i].mean())),
            "rank_low": _rounded(low),
            "rank_high": _rounded(high),
            "rank_curve": tuple(_rounded(float(v)) for v in over[i].mean(axis=0)),
        }
    rows = [replace(row, **places[row.label]) if row.label in places else row for row in rows]
    difference = metrics.critical_difference(final)
    if difference is None:
        return rows, None
    order = sorted(range(len(labels)), key=lambda i: float(final[i].mean()))
    return rows, Difference(
        p=float(f"{difference.p:.3g}"),
        difference=_rounded(difference.difference),
        tasks=len(names),
        ranked=tuple((labels[i], _rounded(float(final[i].mean()))) for i in order),
        groups=tuple(tuple(labels[i] for i in group) for group in difference.groups),
    )


def _notes(
    plan: Plan, rows: list[Row], sources: Sequence[Source], by_scale: dict[str, Scale], damaged: int
) -> list[str]:
    notes = []
    if plan.narrowed:
        notes.append(f"Not the full benchmark: {', '.join(plan.narrowed)}. Too little to judge by.")
    partial = [row.label for row in rows if row.tasks < len(plan.tasks)]
    if partial:
        notes.append(
            f"Not finished on every task, so their absolute figures are of fewer tasks (ratios are of "
            f"shared ones): {', '.join(partial)}."
        )
    stored = [run for source in sources for run in source.runs]
    if stored and not any(row.tasks for row in rows):
        seeds, steps = 1 + max(run.seed for run in stored), max(len(run.values) for run in stored)
        notes.append(
            f"Stored are runs of up to {steps} evaluations and {counted(seeds, 'seed')}; to see "
            f"them: --seeds {seeds} --evaluations {min(steps, plan.evaluations)}."
        )
    against = plan.suite.reference
    if rows and not any(row.label == against for row in rows):
        notes.append(f"No ratios: {against} has no runs here. It takes part if it is among --contenders.")
    earlier = [source.label for source in sources if source.kind == "earlier"]
    if earlier:
        notes.append(
            f"Runs of an earlier build or of an earlier form of a task, not ranked: {', '.join(earlier)}."
        )
    guessed = [name for name, scale in by_scale.items() if scale.guessed]
    if guessed:
        notes.append(
            f"No runs of `random` on {', '.join(guessed)}: regret 1 is the median of all contenders there."
        )
    different = {name: vs for name, vs in _versions(sources).items() if len(vs) > 1 and name != "tunesmith"}
    for name, versions in different.items():
        notes.append(f"Runs of several versions of {name} are compared here: {', '.join(versions)}.")
    faults = [run for source in sources for run in source.runs if run.fault]
    if faults:
        first = faults[0]
        notes.append(
            f"Evaluations that raised, in {len(faults)} runs; the first, {first.contender} on {first.task}: "
            f"{first.fault}"
        )
    notes += broken_winners(plan, sources)
    if damaged:
        notes.append(f"{damaged} lines of the store cannot be read and were not counted.")
    notes += [f"Left out: {reason}." for reason in plan.left_out]
    return notes


def _versions(sources: Sequence[Source]) -> dict[str, tuple[str, ...]]:
    seen: dict[str, set[str]] = {}
    for source in sources:
        for run in source.runs:
            for name, version in run.versions.items():
                seen.setdefault(name, set()).add(version)
    return {name: tuple(sorted(versions)) for name, versions in sorted(seen.items())}


def _rounded(value: float | None) -> Any:
    return None if value is None else round(value, 5)
