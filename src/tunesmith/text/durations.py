"""Lengths of time: read from task files and written back, and shown to people.

Two forms are shown: `duration` for narrow columns of the terminal, `spelled_duration` for reports, where
there is room and a run may have taken less than a second.
"""

from __future__ import annotations

import re

_PARTS = re.compile(r"\s*".join(["", *(rf"(?:(\d+(?:\.\d+)?)\s*{unit})?" for unit in "dhms"), ""]))
_SECONDS = (86_400, 3_600, 60, 1)


def parse_duration(value: object) -> float:
    """Seconds in a number (taken as seconds) or a text such as `1h30m`; ValueError for anything else."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        seconds = float(value) if abs(value) < 1e15 else float("inf")
    else:
        match = (
            _PARTS.fullmatch(value.casefold()) if isinstance(value, str) and 0 < len(value) <= 40 else None
        )
        if match is None or not any(match.groups()):
            raise ValueError("should be seconds, or a time such as 45s, 10m or 1h30m")
        seconds = sum(float(part) * unit for part, unit in zip(match.groups(), _SECONDS, strict=True) if part)
    if not 0 < seconds < float("inf"):
        raise ValueError("should be longer than 0 seconds, and finite")
    return seconds


def write_duration(seconds: float) -> str | float:
    """The shortest form that `parse_duration` reads back to exactly `seconds`."""
    if seconds != int(seconds) or seconds < 60 or seconds > 1e9:
        return seconds
    rest, text = int(seconds), ""
    for unit, letter in zip(_SECONDS, "dhms", strict=True):
        count, rest = divmod(rest, unit)
        text += f"{count}{letter}" if count else ""
    return text


def duration(seconds: float) -> str:
    """`8s`, `1m05`, `2h07`, `3d04h`: at most two units."""
    whole = max(int(seconds), 0)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}"
    if whole < 86_400:
        return f"{whole // 3600}h{whole % 3600 // 60:02d}"
    return f"{whole // 86_400}d{whole % 86_400 // 3600:02d}h"


def spelled_duration(seconds: float) -> str:
    """`0.8 s`, `12 s`, `3 min 05 s`, `2 h 07 min`."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
