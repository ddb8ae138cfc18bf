"""One trial in full: why it was tried, what was expected, what came of it."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from tunesmith.tui import theme
from tunesmith.tui.spans import Spans


class TrialDetails(VerticalScroll):
    """Lines of details, scrolled when a traceback is long."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._shown: list[Spans] = []

    def compose(self) -> ComposeResult:
        yield Static(id="details-text", markup=False)

    def show(self, lines: list[Spans]) -> None:
        """Draw these lines; none hides nothing, it leaves the pane empty."""
        if lines == self._shown:
            return
        self._shown = lines
        joined = theme.text(())
        for number, spans in enumerate(lines):
            if number:
                joined.append("\n")
            joined.append_text(theme.text(spans))
        self.query_one("#details-text", Static).update(joined)
