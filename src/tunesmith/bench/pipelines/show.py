"""The summary for a terminal. Names are shown literally."""

from __future__ import annotations

import sys
from typing import TextIO

from tunesmith.bench.pipelines import tables
from tunesmith.bench.pipelines.summary import PipelineSummary
from tunesmith.text.literal import literal
from tunesmith.text.numbers import counted
from tunesmith.text.tables import aligned


def show(summary: PipelineSummary, out: TextIO = sys.stdout) -> None:
    """Print the tables."""
    sizes = f"{counted(summary.seeds, 'seed')}, {counted(summary.trials, 'trial')}"
    print(f"pipeline: {sizes}, within .01 of the exhaustive optimum\n", file=out)
    for note in summary.notes:
        print(f"{literal(note)}\n", file=out)
    for table in summary.tables:
        print(f"{literal(table.family)}: {literal(table.about)}", file=out)
        _print(tables.choices(table) if table.noisy else tables.searches(table, summary.trials), out)
        settings = tables.by_task(table, summary.trials)
        if settings:
            print(file=out)
            _print(settings, out)
        without = tables.ablations(table)
        if without:
            print(file=out)
            _print(without, out)
        print(file=out)
        _print(tables.costs(table), out)
        print(file=out)
    if summary.aims:
        _print(tables.aims(summary), out)
    if not summary.tables:
        print("no runs are stored yet", file=out)


def _print(rows: tables.Rows, out: TextIO) -> None:
    for line in aligned(rows):
        print(f"  {line}", file=out)
