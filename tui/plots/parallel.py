"""Parallel coordinates: an upright axis a hyperparameter, one for the metric, and a line a trial across."""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size

from tunesmith.text.literal import one_line
from tunesmith.text.numbers import counted
from tunesmith.text.numbers import metric as write
from tunesmith.tools.analysis.parallel import Parallel, ParallelAxis, ParallelLine
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
    # The names begin at their axes, the last one too: there is room for it beside the drawing.
    last = [one_line(text, LEAST_GAP + 4) for text in (metric, *map(write, data.limits))]
    canvas = Canvas(width - max(cell_len(text) for text in last) + 1, height - 4)
    shown = min(len(data.axes), max((canvas.width - 1) // LEAST_GAP, 1))
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
    names = [one_line(axis.name, 40) + (" log" if axis.log else "") for axis in data.axes[:shown]] + [last[0]]
    for x, axis in zip(at, data.axes[:shown], strict=False):
        _inner_ticks(canvas, x, axis, gap)
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
    """Texts that begin at their axes."""
    line = ""
    for text, x, after in zip(texts, at, [*at[1:], 2 * width + 2], strict=True):
        line = set_cell_size(line, x // 2) + one_line(text, max(after // 2 - x // 2 - 1, 1))
    return ((line, role),)


def _inner_ticks(canvas: Canvas, x: int, axis: ParallelAxis, gap: int) -> None:
    """The choices between the ends, beside the axis where no star is."""
    for where, text in axis.ticks[1:-1] if axis.listed else ():
        y = round(where * (canvas.dots[1] - 1))
        for k, letter in enumerate(one_line(text, max(min(gap // 2 - 2, 8), 1)), 1):
            if cell_len(letter) == 1 and not canvas.marked(x + 2 * k, y):
                canvas.mark(x + 2 * k, y, letter, "dim")


def _legend(data: Parallel, hidden: int) -> Spans:
    best = sum(line.best for line in data.lines)
    words = f" the best {best}   " if best > 1 else " the best   "
    hint = f"  {counted(hidden, 'hyperparameter')} more: widen or zoom" if hidden else ""
    tail = f"   {counted(data.left_out, 'trial')} not drawn" if data.left_out else ""
    return (
        ("★", "best"),
        (" best", "dim"),
        (hint, "warn"),
        ("  ⠒⠒", "accent"),
        (words, "dim"),
        ("⠂⠠", "dim"),
        (" others" + tail, "dim"),
    )
