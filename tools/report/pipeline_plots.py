"""The pictures of a pipeline's report: allocations, scaling curves, cost against quality. Geometry only."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, log2
from typing import NamedTuple

from tunesmith.text.charts import round_ticks
from tunesmith.text.numbers import readable
from tunesmith.tools.report.pipeline_data import AllocationLine, CurveLine, PipelinePart, StageLine
from tunesmith.tools.report.plot import LEFT, RIGHT, WIDTH, Tick

COLOURS = 8
"""Classes c0 to c7 of the page; further stages and models begin again."""
ROW, BAR = 44.0, 20.0
"""Height of a row of the allocation chart and of its bar, pixels."""
NARROWEST = 60.0
"""Width of a bar that has room for words."""
PANEL_HEIGHT = 190.0
MOST_PANELS = 3
"""Scaling panels side by side."""
LETTER = 6.6
"""Width of a letter of the labels, pixels."""


class Segment(NamedTuple):
    """One stage's part of a bar."""

    x: float
    width: float
    colour: int
    label: str
    """Empty where there is no room for it."""
    title: str


class Bar(NamedTuple):
    """One allocation."""

    y: float
    head: str
    segments: tuple[Segment, ...]
    best: bool


@dataclass(frozen=True)
class AllocationPlot:
    """Bars whose lengths are costs for one item, a colour a stage."""

    bars: tuple[Bar, ...]
    legend: tuple[tuple[int, str, float], ...]
    """(colour, stage, x)."""
    budget: float | None
    """Place of the item budget; None where it is beyond the picture or there is none."""
    summary: str
    width: float
    height: float
    bar: float = BAR


def allocation_plot(part: PipelinePart) -> AllocationPlot | None:
    """None while no trial completed."""
    if not part.allocations:
        return None
    left, right, top = 4.0, RIGHT, 34.0
    costs = [sum(map(_spent, line.stages)) for line in part.allocations]
    longest = max(*costs, part.item_budget or 0.0) if (part.item_budget or 0) < 4 * max(costs) else max(costs)
    longest = longest or 1.0  # where all is free, as on a server of one's own
    stages = list(dict.fromkeys(s.stage for line in part.allocations for s in line.stages))
    bars = [
        _bar(line, top + place * ROW, left, (right - left) / longest, stages)
        for place, line in enumerate(part.allocations)
    ]
    legend, x = [], left
    for place, stage in enumerate(stages):
        legend.append((place % COLOURS, stage[:24], round(x, 1)))
        x += 28 + LETTER * min(len(stage), 24)
    budget = part.item_budget
    return AllocationPlot(
        bars=tuple(bars),
        legend=tuple(legend),
        budget=round(left + budget * (right - left) / longest, 1)
        if budget is not None and budget <= longest
        else None,
        summary="; ".join(_told(line) for line in part.allocations),
        width=WIDTH,
        height=top + ROW * len(bars) + 6,
    )


def _bar(line: AllocationLine, y: float, left: float, scale: float, stages: list[str]) -> Bar:
    x, segments = left, []
    for stage in line.stages:
        cost = _spent(stage)
        width = round(cost * scale, 1)
        room = int(width / LETTER)
        label = stage.text if len(stage.text) <= room else ""
        if not label and width >= NARROWEST:
            label = stage.text[: max(room - 1, 1)] + "…"
        title = f"{stage.stage}: {stage.text}, cost {readable(cost, 4)}"
        segments.append(Segment(round(x, 1), width, stages.index(stage.stage) % COLOURS, label, title))
        x += width
    words = [f"trial {line.trial}" + " ★ best" * line.best]
    words += ["the default"] * line.default + ["on the front"] * line.on_front
    return Bar(
        y=y,
        head=f"{', '.join(words)}: quality {readable(line.quality, 3)}, cost {readable(line.cost, 4)}",
        segments=tuple(segments),
        best=line.best,
    )


def _spent(stage: StageLine) -> float:
    """Measured cost, else the known one."""
    return stage.known_cost if stage.cost is None else stage.cost


def _told(line: AllocationLine) -> str:
    stages = ", ".join(f"{stage.stage} {stage.text}" for stage in line.stages)
    return f"trial {line.trial}: {stages}; quality {readable(line.quality, 4)}, cost {readable(line.cost, 4)}"


class Dot(NamedTuple):
    """A point of a scaling curve."""

    x: float
    y: float
    alike: bool
    title: str


class Line(NamedTuple):
    """One model in a panel."""

    colour: int
    model: str
    points: str
    band: str
    """Outline of the 95 % interval as an SVG polygon wants its points; empty without one."""
    dots: tuple[Dot, ...]


class Panel(NamedTuple):
    """One stage."""

    stage: str
    left: float
    right: float
    top: float
    bottom: float
    lines: tuple[Line, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    legend: tuple[tuple[int, str, float], ...]
    """(colour, model, y)."""


@dataclass(frozen=True)
class ScalingPlot:
    """Quality over the number of samples (logarithmic), a panel a stage, a line a model."""

    panels: tuple[Panel, ...]
    summary: str
    width: float
    height: float


def scaling_plot(part: PipelinePart) -> ScalingPlot | None:
    """None while no trial completed."""
    if not part.curves:
        return None
    stages = list(dict.fromkeys(curve.stage for curve in part.curves))
    across = min(MOST_PANELS, len(stages))
    models = list(dict.fromkeys(curve.model for curve in part.curves))
    colours = {model: place % COLOURS for place, model in enumerate(models)}
    values = [p.quality for curve in part.curves for p in curve.points]
    ends = [end for curve in part.curves for p in curve.points for end in (p.low, p.high) if end is not None]
    low, high = min(values + ends), max(values + ends)
    low, high = (low, high) if high > low else (low - 0.05, high + 0.05)
    slot = (RIGHT - LEFT + 40) / across
    most = max(len([c for c in part.curves if c.stage == stage]) for stage in stages)
    tall = PANEL_HEIGHT + 16 * most
    panels = []
    for place, stage in enumerate(stages):
        left = LEFT - 20 + slot * (place % across)
        top = 26 + (tall + 60) * (place // across)
        frame = (left, left + slot - 52, top, top + PANEL_HEIGHT)
        curves = [c for c in part.curves if c.stage == stage]
        panels.append(_panel(stage, curves, colours, frame, low, high))
    rows = ceil(len(stages) / across)
    return ScalingPlot(tuple(panels), _scaling_told(part.curves), WIDTH, (tall + 60) * rows)


def _panel(
    stage: str,
    curves: list[CurveLine],
    colours: dict[str, int],
    frame: tuple[float, float, float, float],
    low: float,
    high: float,
) -> Panel:
    """Lines and bands go through points that are alike only: between others more than samples changes."""
    left, right, top, bottom = frame
    samples = sorted({p.samples for curve in curves for p in curve.points})
    first, last = log2(max(samples[0], 1)), log2(max(samples[-1], 1))

    def x(count: int) -> float:
        share = 0.5 if last == first else (log2(max(count, 1)) - first) / (last - first)
        return round(left + 8 + share * (right - left - 16), 1)

    def y(value: float) -> float:
        return round(bottom - (value - low) / (high - low) * (bottom - top), 1)

    lines = []
    for curve in curves:
        banded = [p for p in curve.points if p.alike and p.low is not None and p.high is not None]
        upper = [f"{x(p.samples)},{y(p.high)}" for p in banded if p.high is not None]
        lower = [f"{x(p.samples)},{y(p.low)}" for p in reversed(banded) if p.low is not None]
        if len(banded) == 1:  # a bar a few pixels wide
            p = banded[0]
            assert p.low is not None and p.high is not None
            at = x(p.samples)
            upper = [f"{at - 2:g},{y(p.high)}", f"{at + 2:g},{y(p.high)}"]
            lower = [f"{at + 2:g},{y(p.low)}", f"{at - 2:g},{y(p.low)}"]
        dots = tuple(
            Dot(
                x(p.samples),
                y(p.quality),
                p.alike,
                f"Trial {p.trial}: {curve.model} x {p.samples}, quality {readable(p.quality, 4)}",
            )
            for p in curve.points
        )
        lines.append(
            Line(
                colours[curve.model],
                curve.model[:30],
                " ".join(f"{dot.x},{dot.y}" for dot in dots if dot.alike),
                " ".join(upper + lower),
                dots,
            )
        )
    ticks, taken = [], -100.0
    for count in samples:
        if x(count) - taken >= 24:
            taken = x(count)
            ticks.append(Tick(taken, str(count)))
    return Panel(
        stage[:40],
        left,
        right,
        top,
        bottom,
        tuple(lines),
        tuple(ticks),
        tuple(Tick(y(value), text) for value, text in round_ticks(low, high)),
        tuple((line.colour, line.model, bottom + 40 + 16 * place) for place, line in enumerate(lines)),
    )


def _scaling_told(curves: tuple[CurveLine, ...]) -> str:
    told = []
    for curve in curves:
        points = ", ".join(f"{readable(p.quality, 3)} at {p.samples}" for p in curve.points[:8])
        told.append(f"{curve.stage} {curve.model}: {points}")
    return "Best quality by number of samples. " + "; ".join(told)


@dataclass(frozen=True)
class CostPlot:
    """Quality over cost for one item (logarithmic where costs differ by more than tenfold)."""

    points: tuple[tuple[float, float, str, str], ...]
    """(x, y, kind, title); kind is best, front or completed."""
    front: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    budget: float | None
    summary: str
    width: float = WIDTH
    height: float = 300.0
    left: float = LEFT
    right: float = RIGHT
    top: float = 14.0
    bottom: float = 246.0


def cost_plot(part: PipelinePart) -> CostPlot | None:
    """None while no trial completed."""
    if not part.points:
        return None
    costs = [p.cost for p in part.points]
    values = [p.quality for p in part.points]
    low, high = min(values), max(values)
    pad = 0.06 * (high - low) or 0.05
    low, high = low - pad, high + pad
    logs = min(costs) > 0 and max(costs) > 10 * min(costs)
    start, end = (log2(min(costs)), log2(max(costs))) if logs else (min(costs), max(costs))
    widened = 0.03 * (end - start) or 0.5
    start, end = start - widened, end + widened

    def x(cost: float) -> float:
        share = ((log2(cost) if logs else cost) - start) / (end - start)
        return round(CostPlot.left + share * (CostPlot.right - CostPlot.left), 1)

    def y(value: float) -> float:
        share = (value - low) / (high - low)
        return round(CostPlot.bottom - share * (CostPlot.bottom - CostPlot.top), 1)

    marks, steps = [], []
    last_y: float | None = None
    for p in part.points:
        kind = "best" if p.trial == part.best else "front" if p.on_front else "completed"
        title = f"Trial {p.trial}: quality {readable(p.quality, 4)}, cost {readable(p.cost, 4)}"
        marks.append((x(p.cost), y(p.quality), kind, title))
        if p.on_front:
            steps += [f"{x(p.cost)},{last_y}"] * (last_y is not None) + [f"{x(p.cost)},{y(p.quality)}"]
            last_y = y(p.quality)
    ticks = (
        [Tick(x(2.0**k), readable(2.0**k, 3)) for k in range(ceil(start), int(end) + 1)]
        if logs
        else [Tick(x(value), text) for value, text in round_ticks(start, end)]
    )
    every = max(1, ceil(len(ticks) / 8))
    budget = part.item_budget
    within = budget is not None and budget > 0 and start <= (log2(budget) if logs else budget) <= end
    front = [p for p in part.points if p.on_front]
    told = "; ".join(f"trial {p.trial} {readable(p.quality, 3)} at {readable(p.cost, 4)}" for p in front[:8])
    return CostPlot(
        points=tuple(sorted(marks, key=lambda mark: ("completed", "front", "best").index(mark[2]))),
        front=" ".join(steps),
        x_ticks=tuple(ticks[::every]),
        y_ticks=tuple(Tick(y(value), text) for value, text in round_ticks(low, high)),
        budget=x(budget) if within and budget is not None else None,
        summary=f"Quality over cost of {len(part.points)} completed trials. On the front: {told}.",
    )
