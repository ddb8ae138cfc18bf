"""The first line: which run this is, and what it tunes."""

from __future__ import annotations

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Static

from tunesmith.tui import theme
from tunesmith.tui.spans import Spans


class TitleBar(Horizontal):
    """Name on the left, the task on the right."""

    def __init__(self, name: str, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._run_name = name
        self._told: Text | None = None

    def compose(self) -> ComposeResult:
        yield Static(
            theme.text((("tunesmith ", "best"), (f" {self._run_name}", "strong"))),
            id="title-name",
            markup=False,
        )
        yield Static(id="title-about", markup=False)

    def tell(self, spans: Spans) -> None:
        """Say on the right what is tuned, and with what."""
        told = theme.text(spans)
        if told != self._told:  # an update lays the screen out anew
            self._told = told
            self.query_one("#title-about", Static).update(told)
