"""A trial's own records: `curve.jsonl` as it grows, and `result.json`, written once."""

from __future__ import annotations

import json
import math
from pathlib import Path

from pydantic import ValidationError

from tunesmith.tools.records.atomic_write import set_aside, write_once
from tunesmith.trial import Outcome, TrialState

RESULT, CURVE, LOG, CHECKPOINTS = "result.json", "curve.jsonl", "log.txt", "checkpoints"


def read_result(folder: Path) -> Outcome | None:
    """What came of the trial in `folder`; None when nothing readable is recorded."""
    try:
        outcome = Outcome.model_validate_json((folder / RESULT).read_bytes())
    except (FileNotFoundError, ValidationError):
        return None
    return None if outcome.state is TrialState.RUNNING else outcome


def settle(folder: Path, outcome: Outcome) -> Outcome:
    """Record durably what came of a trial. The first record stands, whoever writes it.

    Returns:
        What stands: `outcome`, or what was there before it.
    Raises:
        OSError: The disk is full, or the folder is gone.
    """
    path, data = folder / RESULT, outcome.model_dump_json(indent=1).encode()
    if write_once(path, data):
        return outcome
    standing = read_result(folder)
    if standing is not None:
        return standing
    set_aside(path)  # only training code that writes there itself can have left something unreadable
    return outcome if write_once(path, data) else read_result(folder) or outcome


def read_curve(folder: Path) -> tuple[tuple[int, float], ...]:
    """The reported (step, value) pairs in order of step; a last line that was cut is left out."""
    try:
        lines = (folder / CURVE).read_bytes().splitlines()
    except FileNotFoundError:
        return ()
    points: dict[int, float] = {}
    for line in lines:
        try:
            point = json.loads(line)
            step, value = int(point["step"]), float(point["value"])
        except (ValueError, KeyError, TypeError):
            continue  # cut by the worker's death
        if math.isfinite(value):
            points.setdefault(step, value)
    return tuple(sorted(points.items()))
