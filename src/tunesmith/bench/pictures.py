"""The pictures of a summary, as shapes in pixels; `picture.svg.j2` draws them.

A contender has one colour in all pictures, and a dash pattern once the colours are used up; its name
stands beside its line, so that colours need not be told apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

from tunesmith.bench.summary import Row, Summary
from tunesmith.text.charts import round_ticks
from tunesmith.text.literal import cut

WIDTH = 900.0
COLOURS = 8
NAME_LIMIT = 44
GAP = 14.0
"""Least distance between the base lines of two labels."""


@dataclass(frozen=True)
class Line:
    """A straight line, or with more than two points a polyline. Coordinates x, y in turn."""

    points: tuple[float, ...]
    style: str
    title: str = ""
    clipped: bool = False

    @property
    def path(self) -> str:
        pairs = zip(self.points[::2], self.points[1::2], strict=True)
        return " ".join(f"{x:g},{y:g}" for x, y in pairs)


@dataclass(frozen=True)
class Label:
    x: float
    y: float
    text: str
    style: str = "tick"
    anchor: str = "start"


@dataclass(frozen=True)
class Bar:
    x: float
    y: float
    width: float
    height: float
    style: str
    title: str


@dataclass(frozen=True)
class Picture:
    """One picture.

    Attributes:
        name: Of its file, and of its parts' ids.
        summary: The picture in a sentence, for readers who cannot see it.
        frame: Left, top, right, bottom that clipped lines stay within.
    """

    name: str
    title: str
    summary: str
    height: float
    frame: tuple[float, float, float, float]
    lines: tuple[Line, ...] = ()
    labels: tuple[Label, ...] = ()
    bars: tuple[Bar, ...] = ()
    width: float = WIDTH


def pictures(summary: Summary) -> tuple[Picture, ...]:
    """Those for which there is something to draw."""
    shown = [row for row in summary.rows if row.kind != "given"]
    styles = {row.label: f"c{i % COLOURS} d{i // COLOURS % 3}" for i, row in enumerate(shown)}
    full = [row for row in shown if row.curve and row.tasks == max(r.tasks for r in shown)]
    ranked = [row for row in shown if row.rank_curve]
    start = summary.window[0]
    drawn = [
        _curves(
            "regret", "Mean normalised regret", full, [row.curve for row in full], styles, start, logs=True
        ),
        _curves(
            "tail",
            "90th percentile of normalised regret",
            full,
            [row.high_curve for row in full],
            styles,
            start,
            logs=True,
        ),
        _curves(
            "rank", "Average rank", ranked, [row.rank_curve for row in ranked], styles, start, logs=False
        ),
        _differences(summary, styles),
        _costs([row for row in shown if row.proposal_ms is not None], styles),
    ]
    return tuple(picture for picture in drawn if picture is not None)


def _curves(
    name: str,
    title: str,
    rows: Sequence[Row],
    curves: Sequence[tuple[float, ...]],
    styles: dict[str, str],
    start: int,
    *,
    logs: bool,
) -> Picture | None:
    if not rows or len(curves[0]) < 2:
        return None
    left, top, right, bottom = 64.0, 16.0, 560.0, 384.0
    n = len(curves[0])
    first = start if n > start else 1
    values = [v for curve in curves for v in curve[first - 1 :]]
    low, high = min(values), max(values)
    logs = logs and low > 0 and high > 4 * low
    if logs:
        low, high = log10(low), log10(high)
    pad = 0.05 * (high - low) or 0.5
    low, high = low - pad, high + pad

    def x(evaluation: float) -> float:
        return round(left + (evaluation - first) / max(n - first, 1) * (right - left), 1)

    def y(value: float) -> float:
        at = (log10(value) if value > 0 else low - 1) if logs else value
        return round(bottom - (at - low) / (high - low) * (bottom - top), 1)

    lines, labels = [], []
    for value, text in _log_ticks(low, high) if logs else round_ticks(low, high):
        lines.append(Line((left, y(value), right, y(value)), "grid"))
        labels.append(Label(left - 8, y(value) + 4, text, anchor="end"))
    for evaluation in sorted({round(v) for v, _ in round_ticks(first, n)} | {first, n}):
        if first <= evaluation <= n and (evaluation in (first, n) or n - evaluation > 1 < evaluation - first):
            labels.append(Label(x(evaluation), bottom + 18, str(evaluation), anchor="middle"))
    labels.append(Label((left + right) / 2, bottom + 36, "evaluations", anchor="middle"))
    lines.append(Line((left, bottom, right, bottom), "axis"))
    ends = []
    for row, curve in zip(rows, curves, strict=True):
        points = tuple(c for i in range(first, n + 1) for c in (x(i), max(y(curve[i - 1]), -1e4)))
        style = styles[row.label]
        lines.append(Line(points, f"curve {style}", f"{row.label}: {curve[-1]:.4g} at {n}", clipped=True))
        ends.append((y(curve[-1]), row.label, style, curve[-1]))
    for at, (height, label, style, value) in zip(spread([e[0] for e in ends]), ends, strict=True):
        lines.append(Line((right + 2, height, right + 14, at), f"lead {style}"))
        labels.append(Label(right + 18, at + 4, f"{cut(label, NAME_LIMIT)}  {value:.3g}", f"name {style}"))
    best = min(ends, key=lambda end: end[3])
    text = (
        f"{title} of {len(rows)} contenders from evaluation {first} to {n}; "
        f"lowest at the end: {best[1]}, {best[3]:.4g}"
    )
    lowest = max([bottom + 44, *(label.y + 10 for label in labels)])
    scale = " (log scale)" if logs else ""
    return Picture(
        name, title + scale, text + ".", lowest, (left, top, right, bottom), tuple(lines), tuple(labels)
    )


def spread(heights: Sequence[float]) -> list[float]:
    """Heights moved apart so that labels do not overlap, in the given order."""
    order = sorted(range(len(heights)), key=lambda i: heights[i])
    placed = dict[int, float]()
    below = -1e9
    for i in order:
        placed[i] = below = max(heights[i], below + GAP)
    excess = below - max(heights) if order else 0.0
    shift = min(excess / 2, min(placed.values()) - 10) if order else 0.0
    return [placed[i] - max(shift, 0.0) for i in range(len(heights))]


def _differences(summary: Summary, styles: dict[str, str]) -> Picture | None:
    ranking = summary.difference
    if ranking is None:
        return None
    left, right, k = 250.0, WIDTH - 250.0, len(ranking.ranked)
    axis = 62.0

    def x(rank: float) -> float:
        return round(left + (rank - 1) / (k - 1) * (right - left), 1)

    lines = [Line((left, axis, right, axis), "axis")]
    labels = [Label(x(i), axis - 10, str(i), anchor="middle") for i in range(1, k + 1)]
    lines += [Line((x(i), axis - 5, x(i), axis), "axis") for i in range(1, k + 1)]
    width = min(ranking.difference / (k - 1) * (right - left), WIDTH - left)
    lines.append(Line((left, 20, left + width, 20), "curve ink"))
    lines += [Line((at, 16, at, 24), "axis") for at in (left, left + width)]
    labels.append(Label(left - 8, 24, f"critical difference {ranking.difference:.2f}", anchor="end"))
    base = axis + 16 + 9 * len(ranking.groups)
    half = ceil(k / 2)
    for i, (label, rank) in enumerate(ranking.ranked):
        near = i < half
        row = i if near else k - 1 - i
        height = base + 10 + 20 * row
        end = left - 12 if near else right + 12
        lines.append(Line((x(rank), axis, x(rank), height, end, height), f"lead {styles[label]}"))
        labels.append(
            Label(
                end - 4 if near else end + 4,
                height + 4,
                f"{cut(label, 30)}  {rank:.2f}",
                f"name {styles[label]}",
                "end" if near else "start",
            )
        )
    ranks = dict(ranking.ranked)
    for i, group in enumerate(ranking.groups):
        height = axis + 12 + 9 * i
        ends = (x(min(ranks[g] for g in group)) - 4, x(max(ranks[g] for g in group)) + 4)
        lines.append(Line((ends[0], height, ends[1], height), "bond", f"not told apart: {', '.join(group)}"))
    text = (
        f"Average ranks over {ranking.tasks} tasks with a critical difference of {ranking.difference:.2f}: "
        + ", ".join(f"{label} {rank:.2f}" for label, rank in ranking.ranked)
    )
    title = "Average rank at the end; bars join contenders that cannot be told apart at 5 %"
    height = base + 10 + 20 * half + 6
    return Picture(
        "critical_difference", title, text + ".", height, (0, 0, WIDTH, height), tuple(lines), tuple(labels)
    )


def _costs(rows: Sequence[Row], styles: dict[str, str]) -> Picture | None:
    if not rows:
        return None
    left, right, top = 330.0, WIDTH - 90.0, 30.0
    values = {row.label: max(row.proposal_ms or 0.0, 1e-3) for row in rows}
    low = floor(log10(min(values.values())))
    high = max(ceil(log10(max(values.values()))), low + 1)
    bottom = top + 24 * len(rows)

    def x(value: float) -> float:
        return round(left + (log10(value) - low) / (high - low) * (right - left), 1)

    lines = [Line((x(10.0**p), top - 6, x(10.0**p), bottom), "grid") for p in range(low, high + 1)]
    labels = [Label(x(10.0**p), top - 12, f"{10.0**p:g} ms", anchor="middle") for p in range(low, high + 1)]
    bars = []
    for i, row in enumerate(rows):
        at, value = top + 24 * i + 4, values[row.label]
        title = f"{row.label}: {value:.3g} ms"
        bars.append(Bar(left, at, max(x(value) - left, 1.0), 15, f"bar {styles[row.label]}", title))
        labels.append(Label(left - 8, at + 12, cut(row.label, NAME_LIMIT), "name ink", "end"))
        labels.append(Label(max(x(value), left) + 6, at + 12, f"{value:.3g}"))
    text = "CPU milliseconds of one proposal: " + ", ".join(f"{n} {v:.3g}" for n, v in values.items())
    title = "CPU time of one proposal, one thread (log scale)"
    frame = (left, top, right, bottom)
    return Picture("cost", title, text + ".", bottom + 10, frame, tuple(lines), tuple(labels), tuple(bars))


def _log_ticks(low: float, high: float) -> list[tuple[float, str]]:
    """Ticks at 1, 2, 5 (or all) times powers of ten, for an axis from 10^low to 10^high."""
    powers = range(floor(low), ceil(high) + 1)
    for steps in ((1, 2, 5), tuple(range(1, 10))):
        values = [m * 10.0**p for p in powers for m in steps]
        shown = [(v, f"{v:.3g}") for v in values if low <= log10(v) <= high]
        if len(shown) >= 3:
            break
    return shown
