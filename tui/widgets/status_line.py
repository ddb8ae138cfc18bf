"""The last line: how the run stands."""

from __future__ import annotations

from rich.text import Text
from textual.widget import Widget

from tunesmith.tui import theme
from tunesmith.tui.status import Segment, fit


class StatusLine(Widget):
    """As many of the given segments as fit."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._segments: list[Segment] = []

    def show(self, segments: list[Segment]) -> None:
        if segments != self._segments:
            self._segments = segments
            self.refresh()

    def render(self) -> Text:
        return theme.text(fit(self._segments, self.content_size.width))
