"""The metric along one hyperparameter: what is predicted, with its band, and the trials that were run."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from tunesmith.beliefs import Beliefs, ParameterBelief
from tunesmith.tools.analysis.parallel import fenced
from tunesmith.tui.canvas.chart import Axes, Plane, chart, fitted
from tunesmith.tui.canvas.scale import Scale
from tunesmith.tui.plots.empty import empty
from tunesmith.tui.spans import Span, Spans

CELL_WIDTH, CELL_HEIGHT = 48, 12
"""Least room of one slice; as many as fit are shown side by side."""
MOST_POINTS = 2_000
"""The newest ones of the trials."""
LISTED = ("categorical", "bool", "ordinal")
Observed = dict[str, Sequence[tuple[float, float]]]
"""(position in [0, 1], value) of completed trials by hyperparameter."""


def per_page(size: tuple[int, int]) -> tuple[int, int]:
    """Columns and rows of slices that fit."""
    return max(size[0] // CELL_WIDTH, 1), max(size[1] // CELL_HEIGHT, 1)


def slices_plot(
    beliefs: Beliefs | None,
    observed: Observed,
    metric: str,
    size: tuple[int, int],
    first: int = 0,
    logs: Collection[str] = (),
) -> list[Spans]:
    """Slices side by side, the most important hyperparameter first.

    Args:
        first: Which hyperparameter is the first one shown, counted around.
        logs: Hyperparameters whose range is on a logarithmic scale.
    """
    width, height = max(size[0], 1), max(size[1], 1)
    names = [each.name for each in beliefs.parameters] if beliefs is not None else list(observed)
    if not names:
        return empty(size, "no trial has completed yet")
    known = {each.name: each for each in beliefs.parameters} if beliefs is not None else {}
    columns, rows = per_page((width, height))
    first %= len(names)
    shown = (names[first:] + names[:first])[: min(columns * rows, len(names))]
    columns = min(columns, len(shown))
    rows = -(-len(shown) // columns)
    # One scale for all, so that a flat slice looks flat beside a steep one.
    y = _shared_scale([known[name] for name in names if name in known], observed)
    lines: list[Spans] = []
    for row in range(rows):
        part = shown[row * columns : (row + 1) * columns]
        tall = height // rows if row < rows - 1 else height - (rows - 1) * (height // rows)
        cells = [
            _slice(
                name,
                known.get(name),
                observed.get(name, ()),
                metric,
                y,
                (width // columns, tall),
                "log scale" if name in logs else "",
            )
            for name in part
        ]
        lines += [tuple(span for cell in cells for span in cell[k]) for k in range(tall)]
    return fitted(lines, width, height)


def _shared_scale(beliefs: Sequence[ParameterBelief], observed: Observed) -> Scale:
    measured = [value for pairs in observed.values() for _, value in pairs]
    means = [v for each in beliefs if each.slice for v in each.slice.mean]
    return Scale.of(fenced(measured, means) if measured or means else ())


def _slice(
    name: str,
    belief: ParameterBelief | None,
    points: Sequence[tuple[float, float]],
    metric: str,
    y: Scale,
    size: tuple[int, int],
    scale: str = "",
) -> list[Spans]:
    # A column of blanks keeps neighbours apart.
    width, height = max(size[0] - 1, 1), size[1]
    listed = belief is not None and belief.kind in LISTED
    count = len(belief.ticks) if belief is not None else 0
    texts = belief.ticks if belief is not None else ()
    # Choices as on the axes of other pictures, with half of their distance beside the outer ones.
    places = [k / (count - 1) if count > 1 else 0.5 for k in range(count)] if listed else [0.0, 0.5, 1.0]
    room = 0.5 / max(count - 1, 1) if listed else 0.02
    ticks = tuple(zip(places, texts, strict=False))
    drawn = belief.slice if belief is not None else None
    across = drawn.positions if drawn is not None else ()
    if listed and count:
        across = tuple(position / max(count - 1, 1) if count > 1 else 0.5 for position in across)
    notes = [f"{belief.importance:.0%} of variance"] if belief and belief.importance is not None else []
    notes += [scale] if scale else []
    notes += ["flat"] if belief is not None and belief.flat else []
    axes = Axes(Scale(-room, 1.0 + room, ticks=ticks), y, y_name=f"{metric} by {name}", note=", ".join(notes))

    def draw(plane: Plane) -> None:
        for position, value in points[-MOST_POINTS:]:
            plane.mark(position, value, "·", "accent")
        if drawn is None:
            return
        if listed:
            for position, low, mean, high in zip(across, drawn.low, drawn.mean, drawn.high, strict=False):
                plane.path(((position, low), (position, high)), "dim")
                plane.mark(position, mean, "◆", "best")
            return
        for edge in (drawn.low, drawn.high):
            plane.path(tuple(zip(across, edge, strict=False)), "dim", every=3)
        plane.path(tuple(zip(across, drawn.mean, strict=False)), "best")

    line: Span = ("◆" if listed else "⠤⠤", "best")
    legend: list[Spans] = [(line, (" predicted", "dim")), (("·", "accent"), (" a trial", "dim"))]
    if drawn is not None:
        legend.insert(1, (("⠂⠂", "dim"), (" 68 % band", "dim")))
    else:
        legend = legend[1:]
    return [(*line, (" " * (size[0] - width), "")) for line in chart((width, height), axes, draw, legend)]
