"""A drawing with axes: a title line, ticks at the left and below, a legend under it, in exactly its box."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from rich.cells import cell_len, set_cell_size

from tunesmith.text.literal import literal, one_line
from tunesmith.tui.canvas.canvas import Canvas, Dot
from tunesmith.tui.canvas.scale import Scale, Tick
from tunesmith.tui.spans import Role, Span, Spans

LEAST_WIDTH, LEAST_HEIGHT = 16, 5
"""Of the box: below it there is no room for axes, and only the drawing is shown."""
WIDEST_GUTTER = 12
LEGEND_SHARE = 4
"""The legend takes at most one of so many lines."""


@dataclass(frozen=True)
class Axes:
    """What is on the axes."""

    x: Scale
    y: Scale
    x_name: str = ""
    y_name: str = ""
    note: str = ""
    """Said beside the name of the y axis, such as how many points are off the scale."""


@dataclass(frozen=True)
class Plane:
    """A canvas with scales: takes values, not dots."""

    canvas: Canvas
    x: Scale
    y: Scale

    def dot(self, x: float, y: float) -> Dot | None:
        """Where a point is; None where it is outside."""
        across, up = self.canvas.dots
        at = self.x.place(x, across), self.y.place(y, up)
        return None if at[0] is None or at[1] is None else Dot(at[0], at[1])

    def clipped(self, x: float, y: float) -> Dot | None:
        """Where a point is, at the edge for one that is outside; None for NaN."""
        across, up = self.canvas.dots
        at = self.x.clipped(x, across), self.y.clipped(y, up)
        return None if at[0] is None or at[1] is None else Dot(at[0], at[1])

    def mark(self, x: float, y: float, character: str, role: Role = "") -> bool:
        """Put a mark at a point; False where that is outside."""
        at = self.dot(x, y)
        if at is not None:
            self.canvas.mark(at.x, at.y, character, role)
        return at is not None

    def marks(self, points: Sequence[tuple[float, float]], character: str, role: Role = "") -> None:
        """Put the same mark at many points; those outside get none."""
        if not points:
            return
        across, up = self.canvas.dots
        values = np.array(points, dtype=np.float64)
        x, y = self.x.places(values[:, 0], across), self.y.places(values[:, 1], up)
        inside = (x >= 0) & (y >= 0)
        # One of each cell: ten thousand points have far fewer.
        cells = np.unique((y[inside] >> 2) * across + (x[inside] >> 1))
        for cell in cells.tolist():
            self.canvas.mark(2 * (cell % across), 4 * (cell // across), character, role)

    def path(self, points: Sequence[tuple[float, float]], role: Role = "", every: int = 1) -> list[Dot]:
        """Lines from point to point, along the edge where they are outside; returns the dots passed."""
        dots = [at for x, y in points if (at := self.clipped(x, y)) is not None]
        self.canvas.path(dots, role, every)
        return dots


def chart(
    size: tuple[int, int], axes: Axes, draw: Callable[[Plane], None], legend: Sequence[Spans] = ()
) -> list[Spans]:
    """Draw on a plane with axes.

    Args:
        size: Columns and rows of the box, which the result fills exactly.
        draw: Draws on the plane that it is given.
        legend: What the marks and lines mean, an entry each; put on as many lines as there is room for.
    """
    width, height = max(size[0], 1), max(size[1], 1)
    if width < LEAST_WIDTH or height < LEAST_HEIGHT:
        canvas = Canvas(width, height)
        draw(Plane(canvas, axes.x, axes.y))
        return fitted(canvas.rows(), width, height)
    legend = [tuple((_drawn(text), role) for text, role in entry) for entry in legend]
    below = _flowed(legend, width)[: max(1, height // LEGEND_SHARE)] if height >= LEAST_HEIGHT + 2 else []
    rows = height - 3 - len(below)
    gutter = min(WIDEST_GUTTER, max((cell_len(text[:WIDEST_GUTTER]) for _, text in axes.y.ticks), default=0))
    gutter = min(gutter, width // 3)
    canvas = Canvas(width - gutter - 1, rows)
    draw(Plane(canvas, axes.x, axes.y))
    at_rows = _tick_rows(axes.y, rows)
    lines: list[Spans] = [_head(axes)]
    for row, drawn in enumerate(canvas.rows()):
        text = at_rows.get(row, "")
        edge = "┤" if text else "│"
        lines.append(((right(text, gutter), "dim"), (edge, "dim"), *drawn))
    lines += _foot(axes, gutter, canvas.width)
    return fitted([*lines, *below], width, height)


def fitted(lines: Sequence[Spans], width: int, height: int) -> list[Spans]:
    """Exactly `height` lines of exactly `width` cells each."""
    kept = [_line(line, width) for line in lines[:height]]
    return kept + [((" " * width, ""),)] * (height - len(kept))


def _line(spans: Spans, width: int) -> Spans:
    kept: list[Span] = []
    room = width
    for text, role in spans:
        length = cell_len(text)
        if length > room:
            text, length = set_cell_size(text, room), room
        if text:
            kept.append((text, role))
        room -= length
        if room <= 0:
            break
    return (*kept, (" " * room, "")) if room > 0 else tuple(kept)


def right(text: str, width: int) -> str:
    """Exactly `width` cells, the text at the right."""
    return " " * max(width - cell_len(text), 0) + set_cell_size(text, min(cell_len(text), width))


def _head(axes: Axes) -> Spans:
    head: list[Span] = [(one_line(axes.y_name, 60), "strong")]
    if axes.y.log:
        head.append((" (log scale)", "dim"))
    if axes.note:
        head.append((f"  {one_line(axes.note, 200)}", "dim"))
    return tuple(head)


def _tick_rows(scale: Scale, rows: int) -> dict[int, str]:
    """Which row has which tick's text, from the top; the cell is that of the dot where the value is."""
    found: dict[int, str] = {}
    for value, text in scale.ticks:
        place = scale.place(value, 4 * rows)
        row = None if place is None else rows - 1 - place // 4
        if row is not None and row not in found:
            found[row] = one_line(text, WIDEST_GUTTER)
    return found


def _foot(axes: Axes, gutter: int, columns: int) -> list[Spans]:
    """The x axis with its ticks, and their texts with the axis' name at the right end."""
    name = one_line(axes.x_name, 40) + (" (log scale)" if axes.x.log else "")
    name = name if cell_len(name) <= columns // 2 else ""
    line, texts, used = ["─"] * columns, [" "] * columns, -1
    room = columns - (cell_len(name) + 2 if name else 0)
    for column, text in _columns(axes.x, columns):
        length = cell_len(text)
        start = min(max(column - length // 2, 0), columns - length)
        if start <= used or start + length > room:
            continue
        line[column] = "┬"
        texts[start : start + length] = [text, *[""] * (length - 1)]
        used = start + length
    edge: Span = (right("", gutter) + "└" + "".join(line), "dim")
    below = right("", gutter + 1) + set_cell_size("".join(texts), room)
    return [(edge,), ((below, "dim"), ("  " if name else "", ""), (name, "dim"))]


def _drawn(text: str) -> str:
    """Text on one line with nothing in it that a terminal acts upon; its blanks stay."""
    return literal(text, limit=400).replace("\n", " ")


def _columns(scale: Scale, columns: int) -> list[tuple[int, str]]:
    """(column, text) of each tick, from the left."""
    ticks: list[Tick] = sorted(scale.ticks)
    placed = [(scale.place(value, 2 * columns), one_line(text, columns)) for value, text in ticks]
    return [(place // 2, text) for place, text in placed if place is not None and cell_len(text) <= columns]


def _flowed(entries: Sequence[Spans], width: int) -> list[Spans]:
    """Entries side by side with two spaces between them, on as many lines as they need."""
    lines: list[list[Span]] = []
    used = width
    for entry in entries:
        length = sum(cell_len(text) for text, _ in entry)
        if lines and used + 2 + length <= width:
            lines[-1] += [("  ", ""), *entry]
            used += 2 + length
        else:
            lines.append(list(entry))
            used = length
    return [tuple(line) for line in lines]
