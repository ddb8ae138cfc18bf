"""The lines over the prompt."""

from __future__ import annotations

from rich.text import Text
from textual.widget import Widget

from tunesmith.tui import theme
from tunesmith.tui.spans import Spans, joined


class PromptStrip(Widget):
    """As many rows as there is something to say; none takes no room."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lines: list[Spans] = []
        self.display = False

    def show(self, lines: list[Spans]) -> None:
        if lines != self._lines:
            self._lines = lines
            self.display = bool(lines)
            self.refresh(layout=True)

    def render(self) -> Text:
        text = theme.text(joined(self._lines))
        text.overflow = "ellipsis"
        return text
