"""A box of characters, drawn line by line: for plots, which are made anew as a whole."""

from __future__ import annotations

from collections.abc import Callable

from rich.segment import Segment
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from tunesmith.tui import theme
from tunesmith.tui.spans import Spans

Draw = Callable[[tuple[int, int]], list[Spans]]
"""Makes the lines for so many columns and rows."""


class Drawing(Widget):
    """Shows what `draw` makes for its size; made once for each content and size, and painted from then on."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._draw: Draw | None = None
        self._made: tuple[tuple[int, int], list[Spans]] | None = None

    def show(self, draw: Draw) -> None:
        """Draw something else from now on."""
        self._draw, self._made = draw, None
        self.refresh()

    @property
    def lines(self) -> list[Spans]:
        """What is drawn now."""
        size = (self.size.width, self.size.height)
        if self._made is None or self._made[0] != size:
            self._made = size, [] if self._draw is None or 0 in size else self._draw(size)
        return self._made[1]

    def render_line(self, y: int) -> Strip:
        base = self.rich_style
        if y >= len(self.lines):
            return Strip.blank(self.size.width, base)
        pieces = [Segment(text, base + theme.style(role)) for text, role in self.lines[y] if text]
        return Strip(pieces).adjust_cell_length(self.size.width, base)

    def get_content_width(self, container: Size, viewport: Size) -> int:
        return container.width

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return container.height
