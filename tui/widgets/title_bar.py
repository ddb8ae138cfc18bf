"""The first line: which run this is, and the keys worth knowing."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Static

from tunesmith.tui import theme
from tunesmith.tui.spans import Spans


class TitleBar(Horizontal):
    """Name on the left, keys on the right."""

    KEYS: Spans = (
        ("F1 ", "accent"), ("help   ", "dim"),
        ("F2 ", "accent"), ("trials   ", "dim"),
        ("^q ", "accent"), ("quit", "dim"),
    )  # fmt: skip

    def __init__(self, name: str, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._run_name = name

    def compose(self) -> ComposeResult:
        yield Static(
            theme.text((("tunesmith ", "best"), (f" {self._run_name}", "strong"))),
            id="title-name",
            markup=False,
        )
        yield Static(theme.text(self.KEYS), id="title-keys", markup=False)
