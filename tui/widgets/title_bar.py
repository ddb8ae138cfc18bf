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

    FRONT: Spans = (("F3 ", "accent"), ("front   ", "dim"))

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

    def offer_front(self, offered: bool) -> None:
        """Name the key of the Pareto front, or not."""
        keys = (*self.KEYS[:4], *self.FRONT, *self.KEYS[4:]) if offered else self.KEYS
        self.query_one("#title-keys", Static).update(theme.text(keys))
