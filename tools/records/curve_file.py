"""`curve.jsonl` of a trial: one line a report, rewritten thinner whenever it has grown too long.

    {"step": 3, "value": 0.91, "seconds": 12.5, "n": 3}

`n` counts the reports; a file of before 0.3 has none, and all of its reports. The latest reports are always
in it, so that a worker that is killed leaves its last and its best value.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from tunesmith.tools.records.bounds import legal_step
from tunesmith.tools.records.plain_files import create_plain, read_plain
from tunesmith.tools.records.thinning import GrowingCurve, Point

CURVE = "curve.jsonl"
LARGEST = 64 << 20
"""Bytes that are read of one; those of before 0.3 were not thinned."""


class CurveFile:
    """Writes the file of one trial; its size is bounded. Used under a lock of its caller's.

    Raises:
        OSError: It cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / CURVE
        self.curve = GrowingCurve()
        self._file = open(create_plain(self._path), "w", encoding="utf-8")  # a retry starts its curve anew

    def add(self, step: int, value: float, seconds: float) -> None:
        """Append a report; in the file when this returns."""
        thinnings = self.curve.thinnings
        point = self.curve.add(step, value, seconds)
        if self.curve.thinnings == thinnings:
            self._file.write(_line(point))
            self._file.flush()
            return
        text = "".join(map(_line, self.curve.held))
        thinner = self._path.with_name(f".{CURVE}.new")
        try:
            fresh = open(create_plain(thinner), "w", encoding="utf-8")
            fresh.write(text)
            fresh.flush()
            thinner.replace(self._path)  # a reader finds the old file or the new one, whole
        except OSError:  # training code took the folder away, or put something in the file's place
            self._file.seek(0)
            self._file.truncate()
            self._file.write(text)
            self._file.flush()
            return
        self._file.close()
        self._file = fresh


def read_curve_file(folder: Path) -> GrowingCurve:
    """What is recorded of a trial's curve; a line that cannot be read is left out, as one that was cut is."""
    curve = GrowingCurve()
    try:
        lines = read_plain(folder / CURVE, LARGEST).splitlines()
    except OSError:
        return curve  # there is none, or training code put something else in its place
    for line in lines:
        try:
            point = json.loads(line)
            step, value = int(point["step"]), float(point["value"])
            ordinal = int(point.get("n", curve.reports))
        except (ValueError, KeyError, TypeError, OverflowError, AttributeError, RecursionError):
            continue
        if math.isfinite(value) and legal_step(step) and legal_step(ordinal):
            curve.restore(Point(ordinal, step, value))
    return curve


def recorded_curve(folder: Path) -> dict[str, Any]:
    """`curve` and `reports` of an `Outcome`, as recorded."""
    curve = read_curve_file(folder)
    points = curve.points
    return {"curve": points, "reports": curve.reports if curve.reports > len(points) else 0}


def _line(point: Point) -> str:
    stored = {"step": point.step, "value": point.value, "seconds": point.seconds, "n": point.ordinal}
    return json.dumps(stored) + "\n"
