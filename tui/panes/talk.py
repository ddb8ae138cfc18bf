"""What was said and done in the run, with the answers to what was typed."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding

from tunesmith.tui.panes.base import Hints, Pane
from tunesmith.tui.state import Changes, RunView
from tunesmith.tui.widgets.chat_log import ChatLog


class TalkPane(Pane):
    NAME = "talk"
    TITLE = "Talk"
    HELP = "What happened in the run, what was typed, and the answers. A line may have more under it."

    BINDINGS = [
        Binding("o", "open_all", "open all", show=False),
        Binding("end", "newest", "newest", show=False),
    ]

    def compose(self) -> ComposeResult:
        yield ChatLog(id="chat")

    def show(self, view: RunView, changes: Changes) -> None:
        if changes.chat:
            self.query_one(ChatLog).show(view.chat.items, changes.chat)

    def hints(self) -> Hints:
        return (("↑↓", "choose"), ("⏎", "open"), ("o", "open all"), ("end", "newest"))

    def action_open_all(self) -> None:
        """Open or close what lies under the lines."""
        self.query_one(ChatLog).toggle_all()

    def action_newest(self) -> None:
        """Go to the newest line and stay there."""
        self.query_one(ChatLog).follow()
