"""What the run believes: where each best value is expected, what matters, whether to go on."""

from __future__ import annotations

from rich.text import Text
from textual import events
from textual.binding import Binding

from tunesmith.beliefs import Beliefs
from tunesmith.tui import theme
from tunesmith.tui.belief_view import detail_lines, pane_lines
from tunesmith.tui.panes.base import Hints, Pane
from tunesmith.tui.spans import joined
from tunesmith.tui.state import Changes, RunView


class BeliefsPane(Pane, can_focus=True):
    NAME = "beliefs"
    TITLE = "Beliefs"
    KEY = "f3"
    HELP = (
        "A line for each hyperparameter, those that matter most first: its share of the variance, where the "
        "best value is, the value expected and the range that holds 80 % of the belief. Enter shows one in "
        "full: before and now, where it comes from, how it moved, the predicted metric along it. "
        "What each figure means: docs/beliefs.md."
    )

    BINDINGS = [
        Binding("up,k", "move(-1)", "up", show=False),
        Binding("down,j", "move(1)", "down", show=False),
        Binding("enter,right", "open", "details", show=False),
        Binding("left,backspace", "back", "back", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._beliefs: Beliefs | None = None
        self._chosen = ""
        """Name of the hyperparameter under the cursor; rows change places as importance does."""
        self._open = False
        self._top = 0

    def show(self, view: RunView, changes: Changes) -> None:
        if changes.beliefs and view.beliefs is not self._beliefs:
            self._beliefs = view.beliefs
            if view.beliefs is not None:
                self.caption(f"after {view.beliefs.finished} trials")
            self.refresh()

    def hints(self) -> Hints:
        if self._open:
            return (("↑↓", "scroll"), ("←", "all of them"))
        return (("↑↓", "choose"), ("⏎", "in full"))

    @property
    def _at(self) -> int:
        """Place of the row under the cursor."""
        names = [p.name for p in self._beliefs.parameters] if self._beliefs is not None else []
        return names.index(self._chosen) if self._chosen in names else 0

    def render(self) -> Text:
        size, beliefs = self.content_size, self._beliefs
        if beliefs is None or not beliefs.parameters or not self._open:
            lines = pane_lines(beliefs, size.width, size.height, self._at)
            return theme.text(joined(lines))
        lines = detail_lines(beliefs.parameters[self._at], beliefs, size.width)
        self._top = max(0, min(self._top, len(lines) - size.height))
        return theme.text(joined(lines[self._top : self._top + size.height]))

    def action_move(self, step: int) -> None:
        """Go to the next hyperparameter; in one, scroll."""
        if self._open:
            self._top += step
        elif self._beliefs is not None and self._beliefs.parameters:
            last = len(self._beliefs.parameters) - 1
            self._chosen = self._beliefs.parameters[max(0, min(self._at + step, last))].name
        self.refresh()

    def action_open(self) -> None:
        """Show the hyperparameter under the cursor in full."""
        if self._beliefs is not None and self._beliefs.parameters:
            self._chosen = self._beliefs.parameters[self._at].name
            self._open, self._top = True, 0
            self.refresh()
            self._tell_keys()

    def action_back(self) -> None:
        """Show all of them again."""
        self._open = False
        self.refresh()
        self._tell_keys()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self.action_move(1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self.action_move(-1)

    def _tell_keys(self) -> None:
        self.post_message(self.HintsChanged())
