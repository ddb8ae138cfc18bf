"""The page's own script and the data it reads: nothing else may run, and nothing is fetched.

The policy of the page allows this one script by its digest. Data are in a block of type `application/json`,
which a browser does not run, with every character that could end the block escaped.
"""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from importlib.resources import files
from typing import Any

from tunesmith.tools.report.data import ReportData, TrialLine
from tunesmith.tools.report.shapes import told

ROWS = 400
"""Trials that a page has in full; `report.json` and `tunesmith export` have all."""
TOP_ROWS = 10
"""Trials of the short table."""


@cache
def script() -> str:
    """The script, as it stands between its tags."""
    return files("tunesmith.tools.report").joinpath("report.js").read_text(encoding="utf-8")


@cache
def policy() -> str:
    """Content Security Policy: no request, no form, no frame, no script but `script()`."""
    digest = base64.b64encode(hashlib.sha256(script().encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; "
        "base-uri 'none'; form-action 'none'"
    )


def embedded(value: Any) -> str:
    """JSON that stands in a `<script>` element of a page: it cannot end it, nor open a comment or a tag."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def rows(data: ReportData) -> list[TrialLine]:
    """The trials that the page's table has, by number: all of them, or those that matter most of a large run.

    Of more than ROWS: those that led for a time and the default's, up to a quarter; the best by value, up to
    half; and of the rest the latest.
    """
    if len(data.trials) <= ROWS:
        return list(data.trials)
    led = [line for line in data.trials if line.best_so_far or line.origin == "default"][-ROWS // 4 :]
    chosen = {line.number: line for line in (*led, *ranked(data)[: ROWS // 2])}
    for line in reversed(data.trials):
        if len(chosen) >= ROWS:
            break
        chosen.setdefault(line.number, line)
    return [chosen[number] for number in sorted(chosen)]


def ranked(data: ReportData) -> list[TrialLine]:
    """Completed trials that count, best first, those that break a limit last."""
    sign = -1.0 if data.direction == "maximize" else 1.0
    valued = [line for line in data.trials if line.value is not None and line.counts]
    return sorted(valued, key=lambda line: (bool(line.broken), sign * (line.value or 0.0)))


def columns(data: ReportData) -> list[str]:
    """Names of the cells that the table is sorted and filtered by: trial, state, metrics, by, ..., values."""
    metrics = [line.name for line in data.metrics] or [data.metric]
    return ["trial", "state", *metrics, "predicted", "by", "seconds", *names(data)]


def page_data(data: ReportData) -> str:
    """What the script knows of each trial of the table, as the text of its block."""
    metrics = [line.name for line in data.metrics] or [data.metric]
    known = names(data)
    trials = [
        {
            "n": line.number,
            "text": told(line, data.metric),
            "cells": [
                line.number,
                line.state.replace("_", " "),
                *(_value(line, name, data.metric) for name in metrics),
                line.expected,
                line.origin,
                round(line.seconds, 3),
                *(line.configuration.get(name) for name in known),
            ],
        }
        for line in rows(data)
    ]
    return embedded({"columns": columns(data), "trials": trials})


def names(data: ReportData) -> list[str]:
    """Hyperparameters, of the last search space in its order."""
    if data.pictures is not None:
        return [axis.name for axis in data.pictures.axes]
    return list(dict.fromkeys(name for line in data.trials for name in line.configuration))


def _value(line: TrialLine, name: str, primary: str) -> float | None:
    if name != primary:
        return line.values.get(name)
    return line.value if line.value is not None else line.last_reported
