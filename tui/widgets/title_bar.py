"""The first line: which run this is, and what it tunes."""

from __future__ import annotations

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

    def compose(self) -> ComposeResult:
        yield Static(
            theme.text((("tunesmith ", "best"), (f" {self._run_name}", "strong"))),
            id="title-name",
            markup=False,
        )
        yield Static(id="title-about", markup=False)

    def tell(self, spans: Spans) -> None:
        """Say on the right what is tuned, and with what."""
        self.query_one("#title-about", Static).update(theme.text(spans))
