"""What openings are worth, as a table for a terminal and as JSON data."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Any, TextIO

from tunesmith.bench.openings.score import Line, Ratio, Worth
from tunesmith.text.literal import literal
from tunesmith.text.numbers import DASH, counted, fixed, interval
from tunesmith.text.tables import aligned


def show(worth: Worth, out: TextIO = sys.stdout) -> None:
    """Print the table and what it says in a sentence."""
    first, last = worth.window
    done = len(worth.lines[0].by_task) if worth.lines else 0
    counts = f"{counted(done, 'task')}, {counted(worth.seeds, 'seed')}, {worth.evaluations} evaluations"
    print(literal(f"{worth.openings} on {worth.suite}: {counts}"), file=out)
    if worth.lines:
        span = f"{first}-{last}"
        heads = [
            "mean normalised regret",
            span,
            f"at {last}",
            f"times without a model, {span}",
            f"at {last}",
            f"times Optuna's GP, {span}",
            f"at {last}",
        ]
        print(file=out)
        for line in aligned([heads, *(_cells(line) for line in worth.lines)]):
            print(line, file=out)
        print(
            "\nBelow 1 is better. In brackets the 95 % interval by bootstrap over tasks, paired by task.",
            file=out,
        )
        if (sentence := _sentence(worth)) is not None:
            print(sentence, file=out)
    for task, reason in worth.without.items():
        print(literal(f"Left out: {task}: {reason}."), file=out)
    if worth.missing:
        print(f"{worth.missing} runs are missing; the same command without --report makes them.", file=out)


def as_document(worth: Worth) -> dict[str, Any]:
    """As plain JSON data; what is unknown is null."""
    document = asdict(worth)
    document["failures"] = [{**asdict(failure.spec), "cause": failure.cause} for failure in worth.failures]
    return document


def _cells(line: Line) -> list[str]:
    pairs = (line.alone, line.classical)
    ratios = [_ratio(ratio) for pair in pairs for ratio in (pair or (None, None))]
    return [line.label, fixed(line.window), fixed(line.end), *ratios]


def _ratio(ratio: Ratio | None) -> str:
    if ratio is None:
        return "1"
    return f"{fixed(ratio.ratio, 2)} {interval(ratio.low, ratio.high, 2)}".strip() or DASH


def _sentence(worth: Worth) -> str | None:
    """Whether the whole opening helped, as far as the interval tells."""
    full = next((line for line in worth.lines if line.contender == "opening:full"), None)
    if full is None or full.alone is None or full.alone[0].high is None or full.alone[0].low is None:
        return None
    window = full.alone[0]
    if window.high is not None and window.high < 1:
        return "This model's opening helps here."
    if window.low is not None and window.low > 1:
        return "This model's opening harms here."
    return "Whether this model's opening helps cannot be told from these tasks."
