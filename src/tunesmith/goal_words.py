"""Metrics and limits in words, for the terminal and Python. Names are made literal.

aims(goals)                 Maximize val_accuracy and minimize latency_ms, with latency_ms <= 20
measured(goals, values)     latency_ms 23.1 (breaks <= 20), params_m 4
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from tunesmith.goals import Goals, Limit
from tunesmith.text.literal import one_line
from tunesmith.text.numbers import DASH, beyond, counted, readable, whole
from tunesmith.text.numbers import metric as shown
from tunesmith.text.tables import aligned

NAME_WIDTH = 40
"""Characters of a metric's name in a sentence."""


class Measured(NamedTuple):
    """What a trial has of one metric."""

    metric: str
    name: str
    """Literal, and cut."""
    value: float | None
    broken: tuple[Limit, ...]
    """The limits that it does not keep."""

    def number(self, *, as_whole: bool = False) -> str:
        """For a column; `as_whole` where all of it are whole numbers."""
        return DASH if self.value is None else shown(self.value, as_whole=as_whole)

    @property
    def mark(self) -> str:
        """`breaks <= 20`; empty where every limit is kept."""
        return f"breaks {' and '.join(limit.comparison for limit in self.broken)}" if self.broken else ""

    @property
    def text(self) -> str:
        """`latency_ms 23.1 (breaks <= 20)`."""
        return f"{self.name} {self.exact}" + (f" ({self.mark})" if self.broken else "")

    @property
    def exact(self) -> str:
        """The value, told from the bound of a limit that it breaks by a hair."""
        if self.broken and self.value is not None:
            return max((beyond(self.value, limit.bound) for limit in self.broken), key=len)
        return readable(self.value)


def measured(goals: Goals, values: Mapping[str, float], *, width: int = NAME_WIDTH) -> list[Measured]:
    """Every metric that is optimised or has a limit, the primary one first."""
    broken = goals.broken(values)
    return [
        Measured(name, one_line(name, width), values.get(name), tuple(x for x in broken if x.metric == name))
        for name in goals.names
    ]


def primary(goals: Goals | None, value: float) -> str:
    """A value of the primary metric by itself: with several metrics or limits a count is whole."""
    counts = goals is not None and not goals.plain and value not in (0, 1) and whole([value])
    return shown(value, as_whole=counts)


def whole_metrics(trials: Iterable[Mapping[str, float]]) -> frozenset[str]:
    """The metrics that have only whole numbers, and so are shown as such."""
    names: set[str] = set()
    fractional: set[str] = set()
    for values in trials:
        names.update(values)
        fractional.update(name for name, value in values.items() if not whole([value]))
    return frozenset(names - fractional)


def limit_text(limit: Limit) -> str:
    """`latency_ms <= 20`."""
    return f"{one_line(limit.metric, NAME_WIDTH)} {limit.comparison}"


def aims(goals: Goals) -> str:
    """What is looked for; with one metric without limits `Maximize val_accuracy`."""
    wanted = _listed([f"{goal.direction} {one_line(goal.metric, NAME_WIDTH)}" for goal in goals.objectives])
    kept = f", with {_listed([limit_text(limit) for limit in goals.limits])}" if goals.limits else ""
    return f"{wanted[:1].upper()}{wanted[1:]}{kept}"


def table(
    goals: Goals, trials: Sequence[tuple[int, Mapping[str, float], str]], *, width: int, most: int
) -> list[str]:
    """Trials as an aligned table of plain text, a line each below its head: number, metrics, configuration.

    Args:
        trials: (number, metrics, configuration in words) of each.
        width: Characters of a line; the configuration is cut.
        most: Trials shown; how many more there are is a line of its own.
    """
    room = max((width - 30) // len(goals.names) - 2, 7)
    heads = [one_line(name, min(room, 20)) for name in goals.names]
    counts = whole_metrics([values for _, values, _ in trials])
    rows = [
        [
            f"#{number}",
            *(m.number(as_whole=m.metric in counts) + "!" * bool(m.broken) for m in measured(goals, values)),
            text,
        ]
        for number, values, text in trials[:most]
    ]
    lines = aligned([["trial", *heads, "configuration"], *rows], width=width)
    more = len(trials) - most
    return lines + ([f"and {counted(more, 'more', 'more')}"] if more > 0 else [])


def _listed(parts: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)
