"""What a picture of a report is made of: axes and shapes in pixels, y downwards; for `picture.svg.j2`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import log10
from typing import NamedTuple

from tunesmith.text.charts import round_ticks
from tunesmith.tools.report.data import TrialLine

DECADES = 10.0
"""A logarithmic scale is offered where the largest value is so many times the least."""


class Shape(NamedTuple):
    """One mark; all of them take part in hovering where `number` is a trial."""

    kind: str
    """`dot`, `cross`, `line` (open), `area` (closed) or `bar`."""
    css: str
    x: float = 0.0
    y: float = 0.0
    """Of a dot or cross the centre, of a bar its corner."""
    width: float = 0.0
    height: float = 0.0
    points: str = ""
    """Of a line or area, as SVG wants them."""
    number: int | None = None
    title: str = ""
    """Text for a pointer or a screen reader."""


class Label(NamedTuple):
    """A text in a picture."""

    x: float
    y: float
    text: str
    anchor: str = "middle"
    css: str = "tick"


class Grid(NamedTuple):
    """A thin line across."""

    x1: float
    y1: float
    x2: float
    y2: float
    css: str = "grid"


@dataclass(frozen=True)
class Picture:
    """A picture, its size in pixels and what it says in a sentence."""

    key: str
    title: str
    summary: str
    shapes: tuple[Shape, ...]
    labels: tuple[Label, ...] = ()
    grid: tuple[Grid, ...] = ()
    width: float = 760.0
    height: float = 300.0
    trials: bool = True
    """Whether its shapes are trials, which may be selected."""
    kinds: tuple[str, ...] = ()
    """Classes of shapes that may be shown and hidden."""
    note: str = ""
    """What is drawn and what is left out."""
    logged: Picture | None = None
    """The same on a logarithmic scale, where that makes sense."""


@dataclass(frozen=True)
class Scale:
    """Values to pixels along one axis; those beyond the ends are drawn at the end."""

    low: float
    high: float
    start: float
    """Pixel of `low`."""
    end: float
    log: bool = False

    def at(self, value: float) -> float:
        if self.log:
            share = (log10(max(value, self.low)) - log10(self.low)) / (log10(self.high) - log10(self.low))
        else:  # halved before subtracting: the span of two huge values may overflow
            share = (value / 2 - self.low / 2) / (self.high / 2 - self.low / 2)
        return round(self.start + min(max(share, 0.0), 1.0) * (self.end - self.start), 1)

    def ticks(self) -> list[tuple[float, str]]:
        """(pixel, text) of each."""
        if not self.log:
            return [(self.at(value), text) for value, text in round_ticks(self.low, self.high)]
        first, last = int(log10(self.low)) - 1, int(log10(self.high)) + 1
        steps = [
            factor * 10.0**power for power in range(first, last + 1) for factor in (1, 2, 5) if power > -300
        ]
        inside = [value for value in steps if self.low <= value <= self.high]
        if len(inside) > 6:
            whole = [value for value in inside if f"{value:e}".startswith("1.")]
            inside = whole[:: max(1, -(-len(whole) // 6))] if len(whole) > 1 else inside[::3]
        return [(self.at(value), f"{value:.4g}") for value in inside]


def scale_of(values: Iterable[float], start: float, end: float, *, log: bool = False) -> Scale:
    """From the least to the largest of some finite values with a little air; `values` is not empty."""
    ordered = sorted(values)
    low, high = ordered[0], ordered[-1]
    if log:
        return Scale(low / 1.1, high * 1.1, start, end, log=True)
    air = 0.05 * (high / 2 - low / 2) * 2
    if not air > 1e-12 * max(abs(low), abs(high)):
        air = 0.05 * abs(high) or 1.0
    largest = 1.7e308
    return Scale(max(low - air, -largest), min(high + air, largest), start, end)


def has_log(values: Iterable[float]) -> bool:
    """Whether a logarithmic scale makes sense."""
    found = list(values)
    return bool(found) and min(found) > 1e-300 and DECADES * min(found) <= max(found) < 1e300


def joined(points: Iterable[tuple[float, float]]) -> str:
    """Points as SVG wants them."""
    return " ".join(f"{x:g},{y:g}" for x, y in points)


def kind_of(line: TrialLine) -> str:
    """A trial's class: completed, infeasible (completed, and breaks a limit), pruned, failed, unfinished."""
    if line.value is not None:
        return "infeasible" if line.broken else "completed"
    if line.state == "pruned":
        return "pruned"
    return "unfinished" if line.state in ("running", "queued", "lost") else "failed"


def told(line: TrialLine, metric: str) -> str:
    """A trial in a line, for a pointer."""
    value = line.value if line.value is not None else line.last_reported
    said = "" if value is None else f", {metric} {value:.6g}"
    return f"Trial {line.number}, {line.state.replace('_', ' ')}{said}: {line.shown}"
