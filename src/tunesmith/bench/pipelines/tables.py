"""The tables of the page and the terminal: rows of text, the heads first."""

from __future__ import annotations

from tunesmith.bench.pipelines.measures import Quartiles
from tunesmith.bench.pipelines.summary import PipelineSummary, Row, Table
from tunesmith.text.numbers import DASH, count, fixed, interval, significant

Rows = list[list[str]]


def aims(summary: PipelineSummary) -> Rows:
    """What is to be shown, and what was found."""
    verdict = {True: "yes", False: "no", None: DASH}
    lines = [[aim.text, aim.found, verdict[aim.met]] for aim in summary.aims]
    return [["to be reached", "found", "met"], *lines]


def searches(table: Table, trials: int) -> Rows:
    """How soon each contender finds the optimum."""
    marks = sorted({k for row in table.rows for k in row.regret})
    heads = ["", "trials to .01", "quartiles", f"in {trials}", "ratio to TPE", "of medians"]
    heads += [f"regret at {k}" for k in marks]
    return [heads, *([row.contender, *_search(row, marks, trials)] for row in table.rows)]


def costs(table: Table) -> Rows:
    """What the search itself costs: until the optimum is found, and in the whole run."""
    heads = ["", "items to .01", "cost to .01", "allocations", "items", "cost", "over budget", "repeated"]
    heads += ["own s", "calls", "seeds", "runs"]
    lines = []
    for row in table.rows:
        to = [DASH, DASH] if table.noisy else [_number(row.items_to.median), _number(row.cost_to.median)]
        whole = [f"{row.tried:.0f}", count(round(row.items)), f"{row.cost:.3g}", f"{row.infeasible:.1f}"]
        own = [f"{row.repeated:.1f}", f"{row.own_s:.2f}", f"{row.calls:.1f}", f"{row.seeds}", f"{row.runs}"]
        lines.append([row.contender, *to, *whole, *own])
    return [heads, *lines]


def by_task(table: Table, trials: int) -> Rows | None:
    """Median trials on each setting; None where there is one."""
    if table.noisy or len(table.tasks) < 2:
        return None
    heads = ["median trials", *table.tasks]
    return [
        heads,
        *([row.contender, *(_late(row.by_task.get(t), trials) for t in table.tasks)] for row in table.rows),
    ]


def ablations(table: Table) -> Rows | None:
    """What each insight is worth: trials without it over those with all; None where nothing was run."""
    rows = [row for row in table.rows if row.to_full is not None]
    if not rows:
        return None
    lines = [
        [
            r.contender,
            f"{r.to_full.ratio:.2f}",
            interval(r.to_full.low, r.to_full.high, 2),
            f"{r.to_full.pairs}",
        ]
        for r in rows
        if r.to_full is not None
    ]
    return [["", "trials over those with all insights", "95 %", "runs"], *lines]


def choices(table: Table) -> Rows:
    """What was finally chosen, on the items that the search did not see."""
    heads = ["", "true quality", "less whole evaluations'", "95 %", "item evaluations", "share"]
    lines = []
    for row in table.rows:
        d = row.difference
        lines.append(
            [
                row.contender,
                fixed(row.quality),
                DASH if d is None else f"{d.mean:+.4f}",
                "" if d is None else interval(d.low, d.high, 4),
                count(round(row.items)),
                DASH if row.item_share is None else f"{row.item_share:.0%}",
            ]
        )
    return [heads, *lines]


def _search(row: Row, marks: list[int], trials: int) -> list[str]:
    ratio = (
        DASH if row.ratio is None else f"{row.ratio.ratio:.2f} {interval(row.ratio.low, row.ratio.high, 2)}"
    )
    cells = [_late(row.trials.median, trials), _spread(row.trials, trials), f"{row.hits:.0%}", ratio]
    cells.append(significant(row.median_ratio, 2))
    return cells + [fixed(row.regret.get(k)) for k in marks]


def _spread(of: Quartiles, trials: int) -> str:
    return f"{_late(of.low, trials)} to {_late(of.high, trials)}"


def _late(value: float | None, trials: int) -> str:
    return f">{trials}" if value is None else f"{value:.3g}"


def _number(value: float | None) -> str:
    return DASH if value is None else f"{value:.3g}"
