"""What a trial may put into the records: the one place that says how much, and cuts what is more.

A run's study may be in any Optuna storage, so the narrowest one decides: a step is a 4-byte integer in
PostgreSQL and MySQL, an attribute of a trial has 65,535 bytes in MySQL, and no text of PostgreSQL holds a
NUL.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

MAX_STEP = 2**31 - 1
"""Largest step of a report."""
MOST_METRICS = 100
"""Metrics that one trial keeps beside the task's own."""
LONGEST_NAME = 100
"""Characters of a metric's name."""
MOST_POINTS = 1000
"""Points of a learning curve; a longer one is thinned."""
MOST_NOTES, LONGEST_NOTE = 8, 400
"""Remarks on how a trial's value was read, and their characters."""
MOST_ATTRIBUTE_BYTES = 60_000
"""Bytes of the JSON of a trial's attribute in a study."""


def legal_step(step: int) -> bool:
    return 0 <= step <= MAX_STEP


def kind_of(note: str) -> str:
    """A remark without its numbers, so that the same one on many trials is known to be the same."""
    return re.sub(r"[-+]?\d[\d.,e+-]*|\bnan\b|\binf\b", "#", note)


def bounded_metrics(values: Mapping[str, float], *metrics: str) -> tuple[dict[str, float], str]:
    """The task's metrics and as many others as are kept, in order.

    Returns:
        The metrics, and a sentence on what was left out; empty where nothing was.
    """
    kept = {metric: values[metric] for metric in metrics if metric in values}
    left = 0
    for name, value in values.items():
        if name in metrics:
            continue
        if len(kept) <= MOST_METRICS + len(metrics) - 1 and len(name) <= LONGEST_NAME and name.isprintable():
            kept[name] = value
        else:
            left += 1
    if not left:
        return kept, ""
    return kept, (
        f"{left:,} further metrics were left out: a trial keeps {MOST_METRICS} beside {metrics[0]}, with "
        f"printable names of at most {LONGEST_NAME} characters."
    )
