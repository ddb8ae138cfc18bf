"""The last line: the keys that work now."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.widget import Widget

from tunesmith.tui import theme
from tunesmith.tui.hints import hint_line

Hints = Sequence[tuple[str, str]]


class FooterLine(Widget):
    """As many of the given hints as fit; some stand at the end always."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._shown: tuple[Hints, Hints] = ((), ())

    def show(self, hints: Hints, last: Hints) -> None:
        if (hints, last) != self._shown:
            self._shown = (hints, last)
            self.refresh()

    def render(self) -> Text:
        hints, last = self._shown
        return theme.text(hint_line(hints, self.content_size.width, last))
