"""Lengths of time as people write them: 90, 45s, 10m, 1h30m, 2d."""

from __future__ import annotations

import re

_PARTS = re.compile(r"\s*".join(["", *(rf"(?:(\d+(?:\.\d+)?)\s*{unit})?" for unit in "dhms"), ""]))
_SECONDS = (86_400, 3_600, 60, 1)


def parse_duration(given: object) -> float:
    """Seconds in a number (taken as seconds) or a text such as `1h30m`; ValueError for anything else."""
    if isinstance(given, int | float) and not isinstance(given, bool):
        seconds = float(given) if abs(given) < 1e15 else float("inf")
    else:
        match = (
            _PARTS.fullmatch(given.casefold()) if isinstance(given, str) and 0 < len(given) <= 40 else None
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
