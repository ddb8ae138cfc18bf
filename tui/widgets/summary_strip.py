"""The lines under the title: how good, what the run believes, what next."""

from __future__ import annotations

from rich.text import Text
from textual.widget import Widget

from tunesmith.tui import theme
from tunesmith.tui.spans import Spans


class SummaryStrip(Widget):
    """Each line is cut at the margin."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lines: list[Spans] = []

    def show(self, lines: list[Spans]) -> None:
        if lines != self._lines:
            if len(lines) != len(self._lines):
                self.styles.height = len(lines)
            self._lines = lines
            self.refresh()

    def render(self) -> Text:
        width = self.content_size.width
        drawn = [theme.text(line) for line in self._lines]
        for line in drawn:
            line.truncate(width, overflow="ellipsis")
        return Text("\n", end="").join(drawn)
