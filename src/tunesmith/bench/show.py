"""The summary as tables for a terminal. Names are shown literally; NO_COLOR leaves the bold line out."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TextIO

from tunesmith.bench.by_task import found_text
from tunesmith.bench.metrics import NO_WORSE
from tunesmith.bench.summary import Figure, Row, Summary
from tunesmith.bench.tails import OURS
from tunesmith.text.literal import literal
from tunesmith.text.numbers import DASH, counted, fixed, interval, significant
from tunesmith.text.tables import aligned

MARKS = 6
"""Evaluations in the any-time table."""
FEW_TASKS = 3
"""Up to so many tasks, their values are shown beside the regret."""


def show(summary: Summary, out: TextIO = sys.stdout) -> None:
    """Print the tables."""
    bold = out.isatty() and not os.environ.get("NO_COLOR")
    first, last = summary.window
    sizes = ((summary.tasks, "task"), (summary.seeds, "seed"), (summary.evaluations, "evaluation"))
    counts = ", ".join(counted(number, noun) for number, noun in sizes)
    print(f"{literal(summary.suite)}: {counts}\n{literal(summary.about)}.\n", file=out)
    for note in summary.notes:
        if note.startswith("Not the full benchmark"):
            print(f"{literal(note)}\n", file=out)
    span = f"{first}-{last}" if first < last else f"{last}"
    shown = summary.shown_family
    heads = ["mean normalised regret", span, f"at {last}"]
    heads += [f"{shown} at {last}"] if shown else []
    heads += [f"ratio {span} to {summary.reference}", f"ratio at {last}", "no worse", "tasks"]
    lines = []
    for row in summary.rows:
        cells = [row.label, fixed(row.window.mean), fixed(row.end.mean)]
        cells += [fixed(row.families.get(shown))] if shown else []
        is_reference = row.label == summary.reference
        cells += ["1", "1", DASH] if is_reference else [_ratio(row.window), _ratio(row.end), _verdict(row)]
        cells.append(str(row.tasks or DASH))
        lines.append(cells)
    _table(heads, lines, out, bold)
    print(
        f"\nratio: paired by task, with the 95 % interval by bootstrap over tasks; no worse: its upper limit "
        f"is at most {NO_WORSE:g},\n{span} and at {last}.",
        file=out,
    )
    ours = [row for row in summary.rows if row.kind != "given"]
    if ours:
        print(file=out)
        heads = [
            "",
            f"rank at {last}",
            "[95 %]",
            "regret [95 %]",
            "sd of seeds",
            "s a run",
            "ms a proposal",
            "no value",
        ]
        lines = [
            [
                row.label,
                fixed(row.rank, 2),
                interval(row.rank_low, row.rank_high, 2),
                f"{fixed(row.window.mean)} {interval(row.window.low, row.window.high, 4)}",
                fixed(row.window.seed_sd),
                fixed(row.cpu_s, 1),
                fixed(row.proposal_ms, 1),
                f"{row.failed} ({row.failed / row.evaluations:.0%})" if row.evaluations else DASH,
            ]
            for row in ours
        ]
        _table(heads, lines, out, bold)
    tables = [
        task_table(summary),
        tails_table(ours, span, last),
        curve_table(ours, summary),
        reaching_table(ours),
    ]
    for title, rows in filter(None, [*tables, versus_table(summary)]):
        print(f"\n{title}", file=out)
        _table(rows[0], rows[1:], out, bold)
    if 0 < summary.tasks <= FEW_TASKS and not summary.by_task and any(row.best for row in ours):
        print(f"\nbest value after {last}, mean over seeds", file=out)
        heads = ["", *(f"{task} ({metric})" for task, metric in summary.metrics.items())]
        lines = [[row.label, *(significant(row.best.get(task)) for task in summary.metrics)] for row in ours]
        _table(heads, lines, out, bold)
    if len(summary.families) > 1 and ours:
        print(f"\nregret at {last} by family", file=out)
        heads = ["", *summary.families]
        lines = [[row.label, *(fixed(row.families.get(f)) for f in summary.families)] for row in ours]
        _table(heads, lines, out, bold)
    if (ranking := summary.difference) is not None:
        print(
            f"\ncritical difference of ranks (Nemenyi, 5 %) {ranking.difference:.2f} "
            f"over {ranking.tasks} tasks; Friedman's p = {ranking.p:.2g}. Not told apart:",
            file=out,
        )
        for group in ranking.groups:
            print(f"  {literal(', '.join(group))}", file=out)
    notes = [note for note in summary.notes if not note.startswith("Not the full benchmark")]
    if notes:
        print(file=out)
    for note in notes:
        print(literal(note), file=out)
    if summary.missing:
        print(
            f"\n{summary.missing} runs are missing; the same command without --report makes them.", file=out
        )


Shown = tuple[str, list[list[str]]] | None
"""A title, and lines of cells, the heads first; None where there is nothing to show."""


def tails_table(rows: Sequence[Row], span: str, last: int) -> Shown:
    """Median, 90th percentile and worst run, in the window and at the end."""
    heads = ["", f"median {span}", "90 %", "worst run", f"median at {last}", "90 %", "worst run"]
    lines = []
    for row in rows:
        if row.window_tail is None or row.end_tail is None:
            continue
        cells = [row.label]
        for tail in (row.window_tail, row.end_tail):
            worst = f"{fixed(tail.worst, 3)} ({tail.task}, seed {tail.seed})"
            cells += [fixed(tail.median), fixed(tail.high), worst]
        lines.append(cells)
    return ("spread of regret over runs (a task with a seed)", [heads, *lines]) if lines else None


def curve_table(rows: Sequence[Row], summary: Summary) -> Shown:
    """Mean and 90th percentile of regret at some evaluations."""
    first, last = summary.window
    marks = sorted({round(first + i * (last - first) / (MARKS - 1)) for i in range(MARKS)})
    lines = [
        [row.label, *(f"{fixed(row.curve[at - 1], 3)} / {fixed(row.high_curve[at - 1], 3)}" for at in marks)]
        for row in rows
        if row.curve and row.high_curve
    ]
    if not lines or len(marks) < 2:
        return None
    return "any-time regret, mean / 90th percentile of runs, after", [["", *map(str, marks)], *lines]


def task_table(summary: Summary) -> Shown:
    """Medians over seeds of each contender on each task with several metrics or limits."""
    if not summary.by_task:
        return None
    heads = [
        "",
        "median",
        "[quartiles]",
        "median regret",
        "tunesmith / this [95 %]",
        "none feasible",
        "broken",
    ]
    lines = []
    for found in summary.by_task:
        ratio = f"{fixed(found.ratio, 2)} {interval(found.ratio_low, found.ratio_high, 2)}".strip()
        lines.append(
            [
                f"{found.task} ({summary.metrics[found.task]}): {found.label}",
                found_text(found.median),
                f"[{found_text(found.low)}, {found_text(found.high)}]",
                fixed(found.regret),
                DASH if found.label == OURS else ratio,
                f"{found.without} of {found.seeds}",
                str(found.broken),
            ]
        )
    last = summary.window[1]
    title = f"best feasible value or hypervolume at {last} over seeds; ratio of mean regrets paired by seed"
    return title, [heads, *lines]


def reaching_table(rows: Sequence[Row]) -> Shown:
    """When runs were better than their task's goal."""
    lines = [
        [row.label, f"{found.median:g}", f"{found.high:g}", str(found.never), str(found.runs)]
        for row in rows
        if (found := row.reaching) is not None
    ]
    heads = ["", "median", "90th percentile", "never", "runs"]
    title = "evaluation that first is better than the goal (a plateau's value)"
    return (title, [heads, *lines]) if lines else None


def versus_table(summary: Summary) -> Shown:
    """Ours against each other contender at the checkpoints."""
    lines = [
        [
            f"{found.label} at {found.evaluation}",
            fixed(found.ours),
            fixed(found.theirs),
            f"{fixed(found.ratio, 2)} {interval(found.low, found.high, 2)}".strip(),
            str(found.tasks),
        ]
        for found in summary.versus
    ]
    heads = ["", "ours", "theirs", "ratio [95 %]", "tasks"]
    return ("mean regret of tunesmith against each other", [heads, *lines]) if lines else None


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], out: TextIO, bold: bool) -> None:
    first, *lines = aligned([heads, *rows])
    print(first, file=out)
    for row, line in zip(rows, lines, strict=True):
        print(f"\x1b[1m{line}\x1b[0m" if bold and row[0] == OURS else line, file=out)


def _ratio(figure: Figure) -> str:
    if figure.ratio is None:
        return DASH
    return f"{figure.ratio:.2f} {interval(figure.ratio_low, figure.ratio_high, 2)}".strip()


def _verdict(row: Row) -> str:
    words = {True: "yes", False: "no", None: DASH}
    pair = (words[row.window.no_worse], words[row.end.no_worse])
    return DASH if pair == (DASH, DASH) else "/".join(pair)
