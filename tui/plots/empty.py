"""What a plot without data says."""

from __future__ import annotations

from tunesmith.text.literal import one_line
from tunesmith.tui.canvas.chart import fitted
from tunesmith.tui.spans import Spans


def empty(size: tuple[int, int], *sentences: str) -> list[Spans]:
    """One sentence a line, in the box."""
    return fitted([((one_line(text, 400), "dim"),) for text in sentences], max(size[0], 1), max(size[1], 1))
