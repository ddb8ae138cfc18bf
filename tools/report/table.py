"""The trials of a run as a table for other programs: CSV and JSON. A column keeps its name and meaning.

Columns, in this order: those of `COLUMNS`, then `values_METRIC` for every metric in the task's order, then
`params_NAME` for every hyperparameter of the last search space and of those before it. An empty cell is a
value that is not there: no result, a hyperparameter that is not active, nothing predicted.
"""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from tunesmith.text.literal import literal
from tunesmith.tools.report.data import ReportData, TrialLine

COLUMNS = (
    "number",  # of the trial, from 0
    "state",  # completed, pruned, crashed, ...
    "value",  # the primary metric of a completed trial
    "best_so_far",  # true where it led when it ended
    "feasible",  # false where a completed trial breaks a limit
    "expected",  # predicted before it ran
    "spread",  # of that prediction, one standard deviation
    "by",  # who proposed it
    "seed",
    "seconds",
    "cost",  # known before it ran, in units of the problem
    "reports",  # values it reported
    "last_reported",
    "space",  # search space it was made for, from 1
    "counts",  # false for a trial of an earlier space that has no place in the last
    "reason",
    "message",  # why it failed or was stopped
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a spreadsheet takes for the start of a formula."""


def columns(data: ReportData) -> list[str]:
    """Names of the columns."""
    return [*COLUMNS, *(f"values_{name}" for name in _metrics(data)), *(f"params_{n}" for n in _names(data))]


def records(data: ReportData) -> list[list[Any]]:
    """A row a trial, by number, in the order of `columns`."""
    metrics, names = _metrics(data), _names(data)
    return [
        [
            line.number,
            line.state,
            line.value,
            line.best_so_far,
            None if line.value is None else not line.broken,
            line.expected,
            line.spread,
            line.origin,
            line.seed,
            line.seconds,
            line.cost,
            line.steps,
            line.last_reported,
            line.space,
            line.counts,
            line.reason,
            line.message,
            *(_measured(line, name, data.metric) for name in metrics),
            *(line.configuration.get(name) for name in names),
        ]
        for line in data.trials
    ]


def to_csv(data: ReportData) -> str:
    """As RFC 4180 has it, with line feeds; numbers at full precision, no text that is a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([cell(name) for name in columns(data)])
    writer.writerows([cell(value) for value in row] for row in records(data))
    return out.getvalue()


def to_json(data: ReportData) -> str:
    """One document: what the run is, the columns, and an object a trial with its columns by name."""
    names = columns(data)
    document = {
        "schema_version": 1,
        "name": data.name,
        "metric": data.metric,
        "direction": data.direction,
        "status": data.status,
        "columns": names,
        "trials": [dict(zip(names, row, strict=True)) for row in records(data)],
    }
    return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def cell(value: Any) -> str:
    """A value as a cell of a spreadsheet: text that it would calculate gets an apostrophe in front.

    Numbers, also those that are texts such as `-1`, stay as they are. What a terminal acts on is left out.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    text = literal(value)
    raw = str(value)
    if text.lstrip().startswith(_FORMULA) or raw.startswith(_FORMULA):
        try:
            float(text)
        except ValueError:
            return f"'{text}"
    return text


def _metrics(data: ReportData) -> list[str]:
    return [line.name for line in data.metrics] or [data.metric]


def _names(data: ReportData) -> list[str]:
    """Hyperparameters: of the last space in its order, then of what trials before had."""
    axes = [] if data.pictures is None else [axis.name for axis in data.pictures.axes]
    return list(dict.fromkeys([*axes, *(name for line in data.trials for name in line.configuration)]))


def _measured(line: TrialLine, name: str, primary: str) -> float | None:
    return line.value if name == primary else line.values.get(name)
