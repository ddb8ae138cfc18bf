"""Parallel coordinates: an upright axis a hyperparameter, one for the metric, and a line a trial across."""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size

from tunesmith.text.literal import one_line
from tunesmith.text.numbers import metric as write
from tunesmith.tools.analysis.parallel import Parallel, ParallelLine
from tunesmith.tui.canvas.canvas import Canvas, Dot
from tunesmith.tui.canvas.chart import fitted
from tunesmith.tui.plots.empty import empty
from tunesmith.tui.spans import Role, Spans

LEAST_GAP = 12
"""Columns between two axes; with more hyperparameters than fit the last ones are left out."""


def parallel_plot(data: Parallel, metric: str, best: int | None, size: tuple[int, int]) -> list[Spans]:
    """Lines of the best share are drawn through, others are dotted; the incumbent has stars on its axes."""
    width, height = max(size[0], 1), max(size[1], 1)
    if not data.lines:
        return empty(size, "no trial has completed yet")
    if width < 2 * LEAST_GAP or height < 6:
        return empty(size, "too small for parallel coordinates: zoom with z")
    shown = min(len(data.axes), max(width // LEAST_GAP - 1, 1))
    canvas = Canvas(width, height - 4)
    gap = (canvas.dots[0] - 1) // shown
    at = [k * gap for k in range(shown + 1)]
    for x in at:
        for y in range(0, canvas.dots[1], 2):
            canvas.dot(x, y, "dim")
    for line in data.lines:
        if line.number != best:
            _draw(canvas, line, data, at, "accent" if line.best else "dim", every=1 if line.best else 4)
    for line in data.lines:
        if line.number == best:
            for dot in _draw(canvas, line, data, at, "best", every=1):
                canvas.mark(dot.x, dot.y, "★", "best")
    names = [one_line(axis.name, 40) for axis in data.axes[:shown]] + [one_line(metric, 40)]
    ends = [axis.ticks for axis in data.axes[:shown]]
    tops = [ticks[-1][1] if ticks else "" for ticks in ends] + [write(data.limits[1])]
    bottoms = [ticks[0][1] if ticks else "" for ticks in ends] + [write(data.limits[0])]
    lines = [_texts(names, at, width, "strong"), _texts(tops, at, width, "dim")]
    lines += [*canvas.rows(), _texts(bottoms, at, width, "dim"), _legend(data, len(data.axes) - shown)]
    return fitted(lines, width, height)


def _draw(
    canvas: Canvas, line: ParallelLine, data: Parallel, at: list[int], role: Role, every: int
) -> list[Dot]:
    """A line through its places; broken where a hyperparameter is inactive. Returns the places."""
    low, high = data.limits
    end = (min(max(line.value, low), high) / 2 - low / 2) / (high / 2 - low / 2) if high > low else 0.5
    places: list[Dot | None] = [
        None if where is None else Dot(x, round(where * (canvas.dots[1] - 1)))
        for x, where in zip(at, (*line.positions[: len(at) - 1], end), strict=True)
    ]
    for start, stop in zip(places, places[1:], strict=False):
        if start is not None and stop is not None:
            canvas.line(start, stop, role, every)
    return [place for place in places if place is not None]


def _texts(texts: list[str], at: list[int], width: int, role: Role) -> Spans:
    """Texts at their axes: the last one ends there, the others begin there."""
    last = one_line(texts[-1], LEAST_GAP + 4)
    end = width - cell_len(last)
    line = ""
    for text, x, after in zip(texts, at, at[1:], strict=False):
        room = min(after // 2, end) - x // 2 - 1
        line = set_cell_size(line, x // 2) + one_line(text, max(room, 1))
    return ((set_cell_size(line, end) + last, role),)


def _legend(data: Parallel, hidden: int) -> Spans:
    best = sum(line.best for line in data.lines)
    words = f" the best {best}   " if best > 1 else " the best   "
    tail = "".join(
        (
            f"   {data.left_out} trials are not drawn" if data.left_out else "",
            f"   {hidden} less important hyperparameters do not fit" if hidden else "",
        )
    )
    return (
        ("★", "best"),
        (" best", "dim"),
        ("  ⠒⠒", "accent"),
        (words, "dim"),
        ("⠂⠠", "dim"),
        (" others" + tail, "dim"),
    )
