"""The picture of a search for two metrics: every completed trial, and the Pareto front. Geometry only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from tunesmith.text.charts import round_ticks
from tunesmith.text.numbers import counted, readable
from tunesmith.tools.report.data import ReportData
from tunesmith.tools.report.goal_data import MetricLine
from tunesmith.tools.report.plot import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Tick, value_range

MOST_TOLD = 8
"""Points of the front that the text for a screen reader has; the table has all."""


class Point(NamedTuple):
    """One trial in the picture, pixels."""

    x: float
    y: float
    kind: Literal["front", "completed", "infeasible"]
    default: bool
    number: int
    """Of the trial."""
    title: str
    """Text for a pointer or a screen reader."""


@dataclass(frozen=True)
class FrontPlot:
    """All coordinates in pixels."""

    x_name: str
    y_name: str
    points: tuple[Point, ...]
    """The front last, so that it is drawn above the others."""
    front: str
    """The edge of what the front dominates, as an SVG polyline wants its points."""
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    x_limits: tuple[float, ...]
    """Places of limits on the metric to the right, as far as the axis has them."""
    y_limits: tuple[float, ...]
    outside: int
    """Points beyond an axis, drawn at its end."""
    summary: str
    """The picture in words."""
    width: float = WIDTH
    height: float = HEIGHT
    left: float = LEFT
    right: float = RIGHT
    top: float = TOP
    bottom: float = BOTTOM


@dataclass(frozen=True)
class _Axis:
    """Metric values to pixels."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        inside = min(max(value, self.low), self.high)
        share = (inside / 2 - self.low / 2) / (self.high / 2 - self.low / 2)
        return round(self.start + share * (self.end - self.start), 1)

    def holds(self, value: float) -> bool:
        return self.low <= value <= self.high

    @property
    def ticks(self) -> tuple[Tick, ...]:
        return tuple(Tick(self.at(value), text) for value, text in round_ticks(self.low, self.high))


def front_plot(data: ReportData) -> FrontPlot | None:
    """The primary metric over the other one; None unless the task optimises two and a trial completed."""
    goals = [metric for metric in data.metrics if metric.direction is not None]
    if len(goals) != 2:
        return None
    name_y, name_x = goals[0].name, goals[1].name
    lines = [
        (line, x, y)
        for line in data.trials
        if line.counts and (x := line.values.get(name_x)) is not None
        if (y := line.values.get(name_y)) is not None
    ]
    if not lines:
        return None
    on_front = {row.trial for row in data.front if row.on_front}
    kept = [(x, y) for line, x, y in lines if line.number in on_front]
    x_range = _range([x for _, x, _ in lines], [x for x, _ in kept], goals[1])
    y_range = _range([y for _, _, y in lines], [y for _, y in kept], goals[0])
    x_axis, y_axis = _Axis(*x_range, LEFT, RIGHT), _Axis(*y_range, BOTTOM, TOP)
    default = {row.trial for row in data.front if row.default}
    points = []
    for line, x, y in lines:
        kind: Literal["front", "completed", "infeasible"]
        kind = "front" if line.number in on_front else "infeasible" if line.broken else "completed"
        title = f"Trial {line.number}: {name_y} {y:.6g}, {name_x} {x:.6g}"
        if line.broken:
            title += f", breaks the limit on {' and '.join(line.broken)}"
        elif kind == "front":
            title += ", on the front"
        if line.number in default:
            title += ", the default"
        points.append(Point(x_axis.at(x), y_axis.at(y), kind, line.number in default, line.number, title))
    sign = 1.0 if goals[0].direction == "maximize" else -1.0
    edge = sorted((sign * y, y, x) for line, x, y in lines if line.number in on_front)
    return FrontPlot(
        x_name=name_x,
        y_name=name_y,
        points=tuple(sorted(points, key=lambda point: point.kind == "front")),
        front=_edge([(x_axis.at(x), y_axis.at(y)) for _, y, x in edge]),
        x_ticks=x_axis.ticks,
        y_ticks=y_axis.ticks,
        x_limits=_bounds(data, name_x, x_axis),
        y_limits=_bounds(data, name_y, y_axis),
        outside=sum(not (x_axis.holds(x) and y_axis.holds(y)) for _, x, y in lines),
        summary=_summary(data, name_x, name_y, len(lines)),
    )


def _range(values: list[float], front: list[float], metric: MetricLine) -> tuple[float, float]:
    """As in the picture of the search, and with all of the front."""
    low, high = value_range(values, metric.direction == "maximize")
    if not front or (low <= min(front) and max(front) <= high):
        return low, high
    wide = value_range(front, metric.direction == "maximize")
    return min(low, min(front), wide[0]), max(high, max(front), wide[1])


def _bounds(data: ReportData, name: str, axis: _Axis) -> tuple[float, ...]:
    return tuple(axis.at(x.bound) for x in data.limits if x.metric == name and axis.holds(x.bound))


def _edge(points: list[tuple[float, float]]) -> str:
    """A staircase through the front's points, which come with the worst primary value first.

    A corner has the worse value of both its neighbours in either metric: both dominate it.
    """
    steps: list[tuple[float, float]] = []
    for x, y in points:
        steps += [(x, steps[-1][1]), (x, y)] if steps else [(x, y)]
    return " ".join(f"{x:g},{y:g}" for x, y in steps)


def _summary(data: ReportData, name_x: str, name_y: str, count: int) -> str:
    rows = [row for row in data.front if row.on_front]
    told = [
        f"trial {row.trial} with {name_y} {readable(row.values[name_y])} and {name_x} "
        f"{readable(row.values[name_x])}"
        for row in rows[:MOST_TOLD]
    ]
    text = f"{name_y} over {name_x} of {counted(count, 'completed trial')}. "
    if not told:
        return text + "None of them is feasible."
    left = f" and {len(rows) - len(told)} more" if len(rows) > len(told) else ""
    return text + f"On the Pareto front: {'; '.join(told)}{left}."
