"""Metrics, limits and costs in words: one wording for terminal, report and Python. Names are made literal.

aims(goals)                 Maximize val_accuracy and minimize latency_ms, with latency_ms <= 20
measured(goals, values)     latency_ms 23.1 (breaks <= 20), params_m 4
none_feasible(history)      6 trials completed, none keeps latency_ms <= 20; the closest is trial 4 with 23.1
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tunesmith.goals import Goals, Limit
from tunesmith.history import History
from tunesmith.text.literal import one_line
from tunesmith.text.numbers import DASH, counted, metric

NAME_WIDTH = 40
"""Characters of a metric's name in a sentence."""


class Measured(NamedTuple):
    """What a trial has of one metric."""

    name: str
    """Literal, and cut."""
    value: float | None
    broken: tuple[Limit, ...]
    """The limits that it does not keep."""

    @property
    def number(self) -> str:
        return DASH if self.value is None else metric(self.value)

    @property
    def mark(self) -> str:
        """`breaks <= 20`; empty where every limit is kept."""
        return f"breaks {' and '.join(limit.comparison for limit in self.broken)}" if self.broken else ""

    @property
    def text(self) -> str:
        """`latency_ms 23.1000 (breaks <= 20)`."""
        return f"{self.name} {self.number}" + (f" ({self.mark})" if self.broken else "")


def measured(goals: Goals, values: Mapping[str, float], *, width: int = NAME_WIDTH) -> list[Measured]:
    """Every metric that is optimised or has a limit, the primary one first."""
    broken = goals.broken(values)
    return [
        Measured(one_line(name, width), values.get(name), tuple(x for x in broken if x.metric == name))
        for name in goals.names
    ]


def limit_text(limit: Limit) -> str:
    """`latency_ms <= 20`."""
    return f"{one_line(limit.metric, NAME_WIDTH)} {limit.comparison}"


def aims(goals: Goals) -> str:
    """What is looked for; with one metric without limits `Maximize val_accuracy`."""
    wanted = _listed([f"{goal.direction} {one_line(goal.metric, NAME_WIDTH)}" for goal in goals.objectives])
    kept = f", with {_listed([limit_text(limit) for limit in goals.limits])}" if goals.limits else ""
    return f"{wanted[:1].upper()}{wanted[1:]}{kept}"


def none_feasible(history: History) -> str:
    """That no completed trial keeps the limits, and which comes closest; empty where this is not so."""
    closest = history.closest
    if closest is None:
        return ""
    limits = [limit_text(limit) for limit in history.limits]
    done = len(history.completed)
    head = (
        "1 trial completed, and does not keep"
        if done == 1
        else f"{counted(done, 'trial')} completed, none keeps"
    )
    if len(limits) == 1:
        value = closest.values.get(history.limits[0].metric)
        shown = DASH if value is None else metric(value)
        tail = f" with {shown}" if done == 1 else f"; the closest is trial {closest.number} with {shown}"
        return f"{head} {limits[0]}{tail}"
    broken = "; ".join(m.text for m in measured(history.goals, closest.values) if m.broken)
    tail = f"; {broken}" if done == 1 else f"; the closest is trial {closest.number}: {broken}"
    return f"{head} all of {_listed(limits)}{tail}"


def _listed(parts: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)
