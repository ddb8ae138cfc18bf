"""What the suite is to show of our method, each with what was found."""

from __future__ import annotations

from tunesmith.bench.pipelines.summary import FULL, Aim, PipelineSummary, Row, Table
from tunesmith.text.numbers import interval, significant

RACING = "agenttts-racing"
MEDIAN, HITS, REPAIR_RATIO, FALSE_RATIO, ITEM_SHARE = 10.0, 0.98, 0.4, 1.1, 0.4


def aims_of(summary: PipelineSummary) -> tuple[Aim, ...]:
    """Of the families that have runs of ours."""
    found: list[Aim] = []
    for table in summary.tables:
        mine = summary.row(table.family, RACING if table.noisy else FULL)
        if mine is None:
            continue
        if table.noisy:
            found += _noisy(table, mine, summary.margin)
        elif table.false:
            found += _ratio(table, mine, FALSE_RATIO)
        elif table.family == "link2":
            found += _soon(table, mine, summary.trials)
        else:
            found += _ratio(table, mine, REPAIR_RATIO)
    return tuple(found)


def _soon(table: Table, mine: Row, trials: int) -> list[Aim]:
    median = mine.trials.median
    shown = f"{median:.3g}" if median is not None else f"more than {trials}"
    return [
        Aim(
            f"{table.family}: median trials until within .01 of the optimum at most {MEDIAN:g}",
            shown,
            median is not None and median <= MEDIAN,
        ),
        Aim(
            f"{table.family}: found within {trials} trials in at least {HITS:.0%} of the runs",
            f"{mine.hits:.1%} of {mine.runs}",
            mine.hits >= HITS,
        ),
    ]


def _ratio(table: Table, mine: Row, most: float) -> list[Aim]:
    """Once of medians and once of means, in which a run that never came there weighs the most."""
    medians = f"{table.family}: median trials at most {most:g} times those of TPE"
    means = f"{table.family}: mean trials at most {most:g} times those of TPE"
    if mine.ratio is None:
        return [Aim(medians, "TPE was not run", None), Aim(means, "TPE was not run", None)]
    shown = "a median is beyond the budget" if mine.median_ratio is None else f"{mine.median_ratio:.2f}"
    met = None if mine.median_ratio is None else mine.median_ratio <= most
    of_means = f"{mine.ratio.ratio:.2f} {interval(mine.ratio.low, mine.ratio.high, 2)}"
    return [Aim(medians, shown, met), Aim(means, of_means, mine.ratio.ratio <= most)]


def _noisy(table: Table, mine: Row, margin: float) -> list[Aim]:
    no_worse = f"{table.family}: racing is no worse than whole evaluations, by a margin of {margin:g}"
    less = f"{table.family}: racing takes at most {ITEM_SHARE:.0%} of the item evaluations"
    if mine.difference is None or mine.item_share is None:
        return [Aim(no_worse, "whole evaluations were not run", None), Aim(less, "not run", None)]
    d = mine.difference
    return [
        Aim(no_worse, f"{significant(d.mean, 2)} {interval(d.low, d.high, 4)}", d.low >= -margin),
        Aim(less, f"{mine.item_share:.0%}", mine.item_share <= ITEM_SHARE),
    ]
