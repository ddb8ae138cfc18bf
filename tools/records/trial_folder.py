"""A trial's own folder: its file names, and the only code that writes and reads `result.json`.

    config.json   curve.jsonl   log.txt   result.json   checkpoints/

Workers, executors, engine and report all go through here, so this file imports little.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

from tunesmith.errors import RunError
from tunesmith.outcome import Outcome, TrialState
from tunesmith.tools.records.atomic_write import set_aside, write_once

CONFIG, RESULT = "config.json", "result.json"
CURVE, LOG, CHECKPOINTS = "curve.jsonl", "log.txt", "checkpoints"


def record_outcome(folder: Path, outcome: Outcome) -> Outcome:
    """Record durably how the trial in `folder` ended. The first record is kept, from whichever process.

    A record that cannot be read is set aside: only training code that writes there itself can have left one.

    Returns:
        What is kept: `outcome`, or the one recorded before it.
    Raises:
        OSError: The disk is full, or the folder is gone.
    """
    path, data = folder / RESULT, outcome.to_json().encode()
    if write_once(path, data):
        return outcome
    earlier = recorded_outcome(folder)
    if earlier is not None:
        return earlier
    set_aside(path)
    return outcome if write_once(path, data) else recorded_outcome(folder) or outcome


def read_outcome(folder: Path) -> Outcome | None:
    """How the trial in `folder` ended; None while it has not.

    Raises:
        RunError: The record cannot be read.
    """
    path = folder / RESULT
    try:
        outcome = Outcome.from_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise damaged(path, error) from error
    if outcome.state is TrialState.RUNNING:
        raise damaged(path, ValueError("it says that the trial is running"))
    return outcome


def recorded_outcome(folder: Path) -> Outcome | None:
    """As `read_outcome`, but None also where the record cannot be read."""
    try:
        return read_outcome(folder)
    except RunError:
        return None


def discard_attempt(folder: Path) -> None:
    """Remove the outcome and the curve, so that the folder can be used for another attempt."""
    (folder / RESULT).unlink(missing_ok=True)
    (folder / CURVE).unlink(missing_ok=True)


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


def damaged(path: Path, error: Exception) -> RunError:
    """For a file in a trial's folder that cannot be read."""
    cause = str(error).splitlines()[0]
    return RunError(
        f"{path} cannot be read ({cause}). Restore it, or delete {path.parent} to give that trial up."
    )


def newest_checkpoint(folder: Path) -> Path | None:
    """The file that the trial in `folder` wrote last to its checkpoint folder; None without one."""
    files = [path for path in (folder / CHECKPOINTS).rglob("*") if path.is_file()]
    return max(files, key=lambda path: (path.stat().st_mtime, path.name), default=None)
