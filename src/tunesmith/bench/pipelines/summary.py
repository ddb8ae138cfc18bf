"""What all stored runs say, family by family."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from tunesmith.bench.pipelines.contenders.base import Contender
from tunesmith.bench.pipelines.measures import (
    CHECKPOINTS,
    MARGIN,
    Difference,
    Quartiles,
    Ratio,
    paired_difference,
    quartiles,
    ratio_of_trials,
    regret_at,
    spent_to,
)
from tunesmith.bench.pipelines.runs import PipelineRun
from tunesmith.bench.pipelines.tasks import Family, PipelineBenchTask

REFERENCE = "tpe"
FULL = "agenttts"
"""Whose final choices on the noisy tasks the others' are compared with: every trial on all items."""
EXHAUSTIVE = "exhaustive"
NOTHING = Quartiles(None, None, None)
By = dict[tuple[str, int], float]
"""A number for each (task, seed)."""


@dataclass(frozen=True)
class Row:
    """One contender on one family.

    Attributes:
        trials: Until within epsilon of the optimum, over all tasks and seeds.
        hits: Share of runs that came there within the budget.
        regret: Median at each checkpoint, by trials.
        cost_to, items_to: What was spent until there, units of the cost model and item evaluations.
        ratio: To the reference's trials; None for the reference, and without a common run.
        median_ratio: Ratio of the two medians on the same runs; None where its own is beyond the budget.
        to_full: Ratio to FULL's trials, of its ablations.
        by_task: Median trials on each task.
        items, cost, tried, infeasible, repeated, own_s, calls: Of a whole run, means.
        curve: Share of runs within epsilon after each trial, from 1.
        quality: Of a noisy family: mean true quality of the final choice.
        difference: Of a noisy family: of that quality to FULL's.
        item_share: Of a noisy family: its item evaluations over FULL's.
    """

    contender: str
    about: str
    runs: int
    seeds: int
    items: float
    cost: float
    tried: float
    infeasible: float
    repeated: float
    own_s: float
    calls: float
    trials: Quartiles = NOTHING
    hits: float = 0.0
    regret: dict[int, float] = field(default_factory=dict)
    cost_to: Quartiles = NOTHING
    items_to: Quartiles = NOTHING
    ratio: Ratio | None = None
    median_ratio: float | None = None
    to_full: Ratio | None = None
    by_task: dict[str, float | None] = field(default_factory=dict)
    curve: tuple[float, ...] = ()
    quality: float | None = None
    difference: Difference | None = None
    item_share: float | None = None


@dataclass(frozen=True)
class Table:
    """One family.

    Attributes:
        sizes: Least, median and largest number of feasible allocations.
        optimum_se: Median standard error of the optimum over items; None where it is noisy.
    """

    family: str
    about: str
    noisy: bool
    false: str
    tasks: tuple[str, ...]
    sizes: tuple[int, int, int]
    optimum_se: float | None
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Aim:
    """One sentence of what must be reached, and whether it is.

    Attributes:
        met: None where nothing was run that says so.
    """

    text: str
    found: str
    met: bool | None


@dataclass(frozen=True)
class PipelineSummary:
    """Everything that the pages show."""

    trials: int
    seeds: int
    margin: float
    reference: str
    tables: tuple[Table, ...]
    aims: tuple[Aim, ...]
    notes: tuple[str, ...]

    def row(self, family: str, contender: str) -> Row | None:
        """A row by name."""
        rows = (row for table in self.tables if table.family == family for row in table.rows)
        return next((row for row in rows if row.contender == contender), None)


def summarise(
    tasks: Sequence[PipelineBenchTask],
    contenders: Sequence[Contender],
    runs: Sequence[PipelineRun],
    *,
    seeds: int,
    trials: int,
    notes: Sequence[str] = (),
) -> PipelineSummary:
    """Of the runs of these builds of contenders and tasks, up to so many seeds and trials; without `aims`."""
    versions = {one.name: one.version for one in contenders}
    current = {task.name: task for task in tasks}
    kept = [
        run
        for run in runs
        if run.task in current
        and current[run.task].version == run.setting
        and versions.get(run.contender) == run.version
        and run.seed < seeds
    ]
    tables = []
    for family in dict.fromkeys(task.family for task in tasks):
        names = tuple(task.name for task in tasks if task.family == family)
        of = [run for run in kept if run.task in names]
        if of:
            tables.append(_table(family, names, contenders, of, trials))
    return PipelineSummary(trials, seeds, MARGIN, REFERENCE, tuple(tables), (), tuple(notes))


def _table(
    family: Family,
    names: tuple[str, ...],
    contenders: Sequence[Contender],
    runs: Sequence[PipelineRun],
    trials: int,
) -> Table:
    by = {one.name: [run for run in runs if run.contender == one.name] for one in contenders}
    sizes = sorted({(run.task, run.seed): run.size for run in runs}.values())
    errors = [run.optimum_se for run in runs if run.optimum_se is not None]
    rows = [_row(family, one, by, names, trials) for one in contenders if by[one.name]]
    return Table(
        family.name,
        family.about,
        family.noisy,
        family.false,
        names,
        (sizes[0], sizes[len(sizes) // 2], sizes[-1]),
        float(np.median(errors)) if errors else None,
        tuple(rows),
    )


def _row(
    family: Family,
    one: Contender,
    by: dict[str, list[PipelineRun]],
    names: tuple[str, ...],
    trials: int,
) -> Row:
    runs = by[one.name]
    row = Row(
        contender=one.name,
        about=one.about,
        runs=len(runs),
        seeds=len({run.seed for run in runs}),
        items=_mean([run.items for run in runs]),
        cost=_mean([run.cost for run in runs]),
        tried=_mean([run.tried for run in runs]),
        infeasible=_mean([run.infeasible for run in runs]),
        repeated=_mean([run.repeated for run in runs]),
        own_s=_mean([run.own_s for run in runs]),
        calls=_mean([run.calls for run in runs]),
    )
    if family.noisy:
        return _with_choices(row, runs, by.get(FULL, []))
    most = trials if one.name != EXHAUSTIVE else max(run.size for run in runs)
    spent = {(run.task, run.seed): spent_to(run, most) for run in runs}
    taken = {key: of.trials for key, of in spent.items()}
    other = {(run.task, run.seed): spent_to(run, trials).trials for run in by.get(REFERENCE, [])}
    full = {(run.task, run.seed): spent_to(run, trials).trials for run in by.get(FULL, [])}
    compared = one.name not in (REFERENCE, EXHAUSTIVE)
    return replace(
        row,
        trials=quartiles(list(taken.values())),
        hits=float(np.isfinite(list(taken.values())).mean()),
        regret={k: float(np.median([regret_at(run, k) for run in runs])) for k in CHECKPOINTS if k <= trials},
        cost_to=quartiles([of.cost for of in spent.values()]),
        items_to=quartiles([of.items for of in spent.values()]),
        ratio=ratio_of_trials(taken, other, trials) if compared else None,
        median_ratio=_median_ratio(taken, other, trials) if compared else None,
        to_full=ratio_of_trials(taken, full, trials) if one.name.startswith(f"{FULL}-no-") else None,
        by_task={name: quartiles([v for (t, _), v in taken.items() if t == name]).median for name in names},
        curve=tuple(float(np.mean([v <= k for v in taken.values()])) for k in range(1, trials + 1)),
    )


def _with_choices(row: Row, runs: Sequence[PipelineRun], full: Sequence[PipelineRun]) -> Row:
    mine, other = _chosen(runs), _chosen(full)
    common = set(mine) & set(other)
    spent = [sum(run.items for run in of if (run.task, run.seed) in common) for of in (runs, full)]
    return replace(
        row,
        quality=_mean(list(mine.values())),
        difference=paired_difference(mine, other),
        item_share=spent[0] / spent[1] if common else None,
    )


def _chosen(runs: Sequence[PipelineRun]) -> By:
    return {(run.task, run.seed): run.changes[-1].quality if run.changes else run.start for run in runs}


def _median_ratio(mine: By, other: By, trials: int) -> float | None:
    """A reference's median beyond the budget counts as one more, so that the ratio is at most this."""
    common = sorted(set(mine) & set(other))
    if not common:
        return None
    top, bottom = (quartiles([of[key] for key in common]).median for of in (mine, other))
    return None if top is None else top / (trials + 1 if bottom is None else bottom)


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))
