"""The picture of a report: every trial's value and the best so far. Geometry only; `plot.svg.j2` draws it."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from math import ceil
from typing import NamedTuple

from tunesmith.text.charts import round_ticks, sparkline, thin
from tunesmith.tools.report.data import ReportData, TrialLine
from tunesmith.tools.report.shapes import Scale, has_log, scale_of

WIDTH, HEIGHT = 760.0, 300.0
LEFT, RIGHT, TOP, BOTTOM = 70.0, 745.0, 14.0, 256.0
"""Edges of the frame, pixels, y downwards."""
MOST, STRAY = 0.75, 2.5
"""The vertical axis shows values up to STRAY times as far from the best as the best MOST of them are:
one very poor trial would make the differences among the good ones too small to see."""
MARKS = 800
"""Trials that never led which are drawn."""
LARGEST = sys.float_info.max


@dataclass(frozen=True)
class Mark:
    """One trial in the picture."""

    x: float
    y: float
    kind: str
    """completed, infeasible (completed, and breaks a limit), pruned, failed or unfinished."""
    title: str
    """Text for a pointer or a screen reader."""
    outside: bool
    """Worse than the axis shows, so drawn at its edge."""
    number: int = 0


class Tick(NamedTuple):
    """A label of an axis."""

    at: float
    """Pixels along the axis."""
    text: str


@dataclass(frozen=True)
class Plot:
    """All coordinates in pixels."""

    marks: tuple[Mark, ...]
    best: str
    """The best-so-far staircase, as an SVG polyline wants its points."""
    default: float | None
    """Height of the default's value; None when unknown."""
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    outside: int
    """Marks drawn at the edge."""
    summary: str
    """The picture in a sentence, for a screen reader."""
    left_out: int = 0
    """Trials that are not drawn, of very many."""
    key: str = "plot"
    """What its ids begin with."""
    width: float = WIDTH
    height: float = HEIGHT
    left: float = LEFT
    right: float = RIGHT
    top: float = TOP
    bottom: float = BOTTOM


@dataclass(frozen=True)
class _Axes:
    """Trial numbers and metric values to pixels."""

    first: int
    last: int
    low: float
    high: float
    log: bool = False

    def x(self, number: float) -> float:
        share = (number - self.first) / max(self.last - self.first, 1)
        return round(LEFT + 14 + share * (RIGHT - LEFT - 28), 1)

    def y(self, value: float) -> float:
        if self.log:
            return Scale(self.low, self.high, BOTTOM, TOP, log=True).at(value)
        # Halved before subtracting: the span of two huge values may overflow.
        share = (value / 2 - self.low / 2) / (self.high / 2 - self.low / 2)
        return round(BOTTOM - min(max(share, 0.0), 1.0) * (BOTTOM - TOP), 1)

    def holds(self, value: float) -> bool:
        return self.low <= value <= self.high


def plot(data: ReportData, *, log: bool = False) -> Plot | None:
    """The picture of a run; None while no trial has completed, or where a logarithmic scale has no use."""
    values = _values(data)
    if not values:
        return None
    if log:
        return _logged(data, values)
    axes = _Axes(
        data.trials[0].number, data.trials[-1].number, *value_range(values, data.direction == "maximize")
    )
    if data.best is not None:  # better trials that break a limit may leave the best feasible one far behind
        axes = replace(axes, low=min(axes.low, data.best.value), high=max(axes.high, data.best.value))
    return _on(
        data, axes, values, tuple(Tick(axes.y(v), text) for v, text in round_ticks(axes.low, axes.high))
    )


def _logged(data: ReportData, values: list[float]) -> Plot | None:
    if not has_log(values):
        return None
    scale = scale_of(values, BOTTOM, TOP, log=True)
    axes = _Axes(data.trials[0].number, data.trials[-1].number, scale.low, scale.high, log=True)
    ticks = tuple(Tick(at, text) for at, text in scale.ticks())
    return replace(_on(data, axes, values, ticks), key="plot-log")


def _on(data: ReportData, axes: _Axes, values: list[float], y_ticks: tuple[Tick, ...]) -> Plot:
    counting = [line for line in data.trials if line.counts]
    led = [line for line in counting if line.best_so_far]
    others = thin([line for line in counting if not line.best_so_far], MARKS)
    drawn = sorted((*led, *others), key=lambda line: line.number)
    marks = tuple(_mark(line, data.metric, axes) for line in drawn)
    whole = sorted({round(value) for value, _ in round_ticks(axes.first, max(axes.last, axes.first + 1))})
    return Plot(
        marks=marks,
        best=_staircase(data.trials, axes),
        default=None if data.default_value is None else axes.y(data.default_value),
        x_ticks=tuple(Tick(axes.x(n), str(n)) for n in whole if axes.first <= n <= axes.last),
        y_ticks=y_ticks,
        outside=sum(mark.outside for mark in marks),
        summary=_summary(data, values),
        left_out=len(counting) - len(drawn),
    )


def sparklines(data: ReportData) -> tuple[str, str]:
    """(value of each completed trial, best feasible so far after each), one character a trial, on one scale.

    Values worse than the picture's axis shows are drawn as its worst, so that differences among the
    good ones can be seen.
    """
    values = _values(data)
    if not values:
        return "", ""
    better = max if data.direction == "maximize" else min
    kept = [line.value for line in _valued(data) if line.value is not None and not line.broken]
    best = [better(kept[: i + 1]) for i in range(len(kept))]
    low, high = value_range(values, data.direction == "maximize")
    drawn = sparkline([min(max(value, low), high) for value in (*values, *best)])
    each, best_drawn = drawn[: len(values)], iter(drawn[len(values) :])
    so_far, shown = "", " "
    for line in _valued(data):
        shown = shown if line.broken else next(best_drawn)
        so_far += shown
    return each, so_far


def limits_kept(data: ReportData) -> str:
    """For each completed trial `+` where it keeps every limit, else `x`; empty where the task has none."""
    return "".join("x" if line.broken else "+" for line in _valued(data)) if data.limits else ""


def _valued(data: ReportData) -> list[TrialLine]:
    """Completed trials that count."""
    return [line for line in data.trials if line.value is not None and line.counts]


def _values(data: ReportData) -> list[float]:
    return [line.value for line in _valued(data) if line.value is not None]


def value_range(values: list[float], maximize: bool) -> tuple[float, float]:
    """Axis from the best value to the worst one worth showing, with a little air; low < high."""
    ordered = sorted(values, reverse=maximize)  # best first
    best = ordered[0]
    behind = [abs(best / 2 - value / 2) for value in ordered]  # halved: huge values must not overflow
    usual = behind[ceil(MOST * len(ordered)) - 1]
    span, worst = max(
        (b, value) for b, value in zip(behind, ordered, strict=True) if not usual or b <= STRAY * usual
    )
    air = 0.12 * span if span > 1e-12 * abs(best) else 0.05 * abs(best) or 1.0
    return max(min(best, worst) - air, -LARGEST), min(max(best, worst) + air, LARGEST)


def _mark(line: TrialLine, metric: str, axes: _Axes) -> Mark:
    x, state = axes.x(line.number), line.state.replace("_", " ")
    value = line.value if line.value is not None else line.last_reported if line.state == "pruned" else None
    if value is None:
        kind = "unfinished" if line.state in ("running", "lost") else "failed"
        return Mark(x, BOTTOM, kind, f"Trial {line.number}: {state}", False, line.number)
    title = f"Trial {line.number}: {metric} {value:.6g}"
    if line.state == "pruned":
        title = f"Trial {line.number}: stopped early at {metric} {value:.6g}"
    kind = "pruned" if line.state == "pruned" else "infeasible" if line.broken else "completed"
    if line.broken:
        title += f", breaks the limit on {' and '.join(line.broken)}"
    return Mark(x, axes.y(value), kind, title, not axes.holds(value), line.number)


def _staircase(lines: tuple[TrialLine, ...], axes: _Axes) -> str:
    points: list[tuple[float, float]] = []
    for line in lines:
        if line.best_so_far and line.value is not None:
            x, y = axes.x(line.number), axes.y(line.value)
            points += [(x, points[-1][1]), (x, y)] if points else [(x, y)]
    if points:  # no trial may be feasible
        points.append((RIGHT, points[-1][1]))
    return " ".join(f"{x:g},{y:g}" for x, y in points)


def _summary(data: ReportData, values: list[float]) -> str:
    best = f"the best with {data.best.value:.6g}" if data.best is not None else "none of them feasible"
    text = f"{data.metric} of {len(data.trials)} trials; {len(values)} completed, {best}"
    return text + ("." if data.default_value is None else f"; the default had {data.default_value:.6g}.")
