"""What the search of a pipeline really spent, from the file of its samples."""

from __future__ import annotations

import os
import stat
from math import isfinite
from pathlib import Path

from tunesmith.tools.pipelines.store import SAMPLES, SampleStore, Spend
from tunesmith.tools.report.anonymous import Anonymous
from tunesmith.tools.report.pipeline_data import SpendLine


def spend_lines(folder: Path, text: Anonymous) -> tuple[SpendLine, ...]:
    """The trials' spend and that of the comparison at the end, by stage and model; empty without the file.

    Args:
        folder: The run's.
    """
    path = folder / SAMPLES
    try:
        plain = stat.S_ISREG(os.lstat(path).st_mode)
    except OSError:
        return ()
    if not plain:
        return ()
    store = SampleStore(path, read_only=True)
    try:
        rows = store.spent()
    finally:
        store.close()
    grouped: dict[tuple[str, str, str], list[Spend]] = {}
    for row in rows:
        grouped.setdefault((row.part, row.stage, row.model), []).append(row)
    return tuple(
        SpendLine(
            part="search" if part == "trials" else text(part, 40),
            stage=text(stage, 100),
            model=text(model, 100),
            calls=sum(row.made for row in rows),
            reused=sum(row.stored for row in rows),
            failed=sum(row.failed for row in rows),
            tokens=_total([row.prompt_tokens + row.completion_tokens for row in rows]),
            cost=_total([row.cost for row in rows]),
            seconds=_total([row.seconds for row in rows]),
        )
        for (part, stage, model), rows in grouped.items()
    )


def _total(numbers: list[float]) -> float:
    return sum(number for number in numbers if isfinite(number))
