"""How much longer a search will take, by the trials that have ended; see `Progress` for where it is shown."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from tunesmith.history import History
from tunesmith.trial import Origin, TrialState

LATEST = 30
"""Ended trials that the mean length is taken over."""


def mean_seconds(history: History) -> float | None:
    """Mean length of the latest trials of this run that ended by themselves; None while there is none."""
    lengths = [
        t.seconds
        for t in history.every
        if t.finished and t.state is not TrialState.LOST and t.proposal.origin is not Origin.PREVIOUS
    ][-LATEST:]
    return sum(lengths) / len(lengths) if lengths else None


def seconds_left(
    history: History, *, to_start: int, running_s: Sequence[float], workers: int
) -> float | None:
    """Seconds until the last trial ends; None while no trial has ended.

    Args:
        to_start: Trials that the budget still has room for.
        running_s: For how long each of the running trials has run.
    """
    mean = mean_seconds(history)
    if mean is None:
        return None
    begun = [max(mean - seconds, 0.0) for seconds in running_s]
    at_once = max(1, min(workers, to_start + len(begun)))
    return max((to_start * mean + sum(begun)) / at_once, *begun, mean if to_start else 0.0)


def about(seconds: float) -> str:
    """`a few seconds`, `40 s`, `3 min`, `2 h 10 min`, `3 days`: as precise as an estimate deserves."""
    if seconds < 7.5:
        return "a few seconds"
    if seconds < 90:
        return f"{5 * round(seconds / 5)} s"
    minutes = seconds / 60
    if minutes < 57.5:
        return f"{round(minutes) if minutes < 20 else 5 * round(minutes / 5)} min"
    if minutes < 600:
        hours, rest = divmod(10 * round(minutes / 10), 60)
        return f"{hours} h" + (f" {rest} min" if rest else "")
    if minutes < 48 * 60:
        return f"{round(minutes / 60)} h"
    return f"{ceil(minutes / 1440 - 0.5)} days"


def roughly(seconds: float) -> str:
    """`about 3 min`; `a few seconds` is rough enough by itself."""
    text = about(seconds)
    return text if text.startswith("a ") else f"about {text}"
