"""One trial in full: why it was tried, what was expected, how it ended."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from tunesmith.tui import theme
from tunesmith.tui.spans import Spans, joined


class TrialDetails(VerticalScroll):
    """Lines of details, scrolled when a traceback is long."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._shown: list[Spans] = []

    def compose(self) -> ComposeResult:
        yield Static(id="details-text", markup=False)

    def show(self, lines: list[Spans]) -> None:
        """Draw these lines; without any the pane is empty."""
        if lines == self._shown:
            return
        self._shown = lines
        self.query_one("#details-text", Static).update(theme.text(joined(lines)))
