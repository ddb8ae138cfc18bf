"""What the run has spent, what is left, and what the rest will cost."""

from __future__ import annotations

import time

from rich.text import Text
from textual import events
from textual.binding import Binding

from tunesmith.tui import theme
from tunesmith.tui.cost_view import cost_lines
from tunesmith.tui.panes.base import Hints, Pane
from tunesmith.tui.spans import joined
from tunesmith.tui.state import Changes, RunView

DRAW_EVERY_S = 1.0


class CostPane(Pane, can_focus=True):
    NAME = "cost"
    TITLE = "Cost"
    KEY = "f6"
    HELP = (
        "Time, trials, calls, tokens and dollars that are spent and left; what the search and what the "
        "conversation spent, each of its own budget; what a trial takes and what the rest comes to at that "
        "rate; the trials that took most."
    )
    DEFAULT_CSS = "CostPane { padding: 0 1; }"

    BINDINGS = [
        Binding("up,k", "scroll_lines(-1)", "up", show=False),
        Binding("down,j", "scroll_lines(1)", "down", show=False),
        Binding("pageup", "scroll_lines(-10)", "up", show=False),
        Binding("pagedown", "scroll_lines(10)", "down", show=False),
        Binding("home", "scroll_lines(-1000)", "first", show=False),
        Binding("end", "scroll_lines(1000)", "last", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._view: RunView | None = None
        self._over = False
        self._top = 0

    def on_mount(self) -> None:
        self.set_interval(DRAW_EVERY_S, self._tick)

    def show(self, view: RunView, changes: Changes) -> None:
        over = view.over
        if view is not self._view or changes.cost or changes.trials or changes.facts or over != self._over:
            self._view, self._over = view, over
            self.refresh()

    def hints(self) -> Hints:
        return (("↑↓", "scroll"),)

    def _tick(self) -> None:
        """Time goes on without events."""
        if self.display and self._view is not None and self._view.runs:
            self.refresh()

    def render(self) -> Text:
        if self._view is None:
            return Text()
        size = self.content_size
        lines = cost_lines(self._view, time.time(), size.width)
        self._top = max(0, min(self._top, len(lines) - size.height))
        shown = lines[self._top : self._top + size.height]
        if self._top + size.height < len(lines) and shown:
            shown[-1] = ((f"… {len(lines) - self._top - size.height + 1} more lines (↓)", "dim"),)
        return theme.text(joined(shown))

    def action_scroll_lines(self, lines: int) -> None:
        """Scroll."""
        self._top += lines
        self.refresh()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self.action_scroll_lines(1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self.action_scroll_lines(-1)
