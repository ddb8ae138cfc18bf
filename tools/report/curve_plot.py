"""Learning curves of a report, one over another."""

from __future__ import annotations

from dataclasses import replace

from tunesmith.text.numbers import counted
from tunesmith.tools.report.data import ReportData
from tunesmith.tools.report.plot import value_range
from tunesmith.tools.report.shapes import (
    Grid,
    Label,
    Picture,
    Scale,
    Shape,
    has_log,
    joined,
    kind_of,
    scale_of,
    told,
)

LEFT, RIGHT, TOP, BOTTOM = 70.0, 745.0, 14.0, 256.0


def curve_plot(data: ReportData) -> Picture | None:
    """None where no trial reported more than one value."""
    curves = [] if data.pictures is None else [c for c in data.pictures.curves if c.points]
    if not any(len(curve.points) > 1 for curve in curves):
        return None
    picture = _drawn(data, log=False)
    if has_log([value for curve in curves for _, value in curve.points]):
        return replace(picture, logged=_drawn(data, log=True))
    return picture


def _drawn(data: ReportData, *, log: bool) -> Picture:
    assert data.pictures is not None
    curves = [curve for curve in data.pictures.curves if curve.points]
    lines = {line.number: line for line in data.trials}
    values = [value for curve in curves for _, value in curve.points]
    steps = [step for curve in curves for step, _ in curve.points]
    x = scale_of([float(step) for step in steps], LEFT, RIGHT)
    if log:
        y = scale_of(values, BOTTOM, TOP, log=True)
    else:
        low, high = value_range(values, data.direction == "maximize")
        y = Scale(low, high, BOTTOM, TOP)
    best = None if data.best is None else data.best.trial
    shapes = []
    for curve in sorted(curves, key=lambda curve: curve.number == best):  # the best is drawn last, on top
        line = lines.get(curve.number)
        if line is None:
            continue
        points = [(x.at(step), y.at(value)) for step, value in curve.points]
        css = f"curve {kind_of(line)}{' leading' if curve.number == best else ''}"
        title = told(line, data.metric)
        shapes.append(Shape("line", css, points=joined(points), number=curve.number, title=title))
        end_x, end_y = points[-1]
        dot = Shape("dot", f"end {kind_of(line)}", end_x, end_y, 3.0, number=curve.number, title=title)
        shapes.append(dot)
    left = data.pictures.curves_left
    kinds = tuple(dict.fromkeys(kind_of(lines[c.number]) for c in curves if c.number in lines))
    note = f"{data.metric} as reported, by step; the thick line is the best trial."
    if not log and (min(values) < y.low or max(values) > y.high):
        note += " Values far worse than most are drawn at the edge."
    if left:
        note += f" {counted(left, 'further curve')} left out: all are in the trials' folders."
    return Picture(
        key="curves",
        title="Learning curves",
        summary=f"{counted(len(curves), 'curve')} of {data.metric} by step",
        shapes=tuple(shapes),
        labels=tuple(
            [Label(at, BOTTOM + 20, text) for at, text in x.ticks()]
            + [Label(LEFT - 8, at + 4, text, "end") for at, text in y.ticks()]
            + [Label((LEFT + RIGHT) / 2, BOTTOM + 38, "step")]
        ),
        grid=tuple(Grid(LEFT, at, RIGHT, at) for at, _ in y.ticks()),
        kinds=kinds,
        note=note,
    )
