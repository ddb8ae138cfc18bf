"""What failed, was tried again, pruned or left out, grouped and counted."""

from __future__ import annotations

from rich.text import Text
from textual import events
from textual.binding import Binding

from tunesmith.tui import theme
from tunesmith.tui.incident_view import detail_lines, group_lines, shown_incidents
from tunesmith.tui.incidents import Group, Incident, Incidents
from tunesmith.tui.panes.base import Hints, Pane
from tunesmith.tui.spans import joined
from tunesmith.tui.state import Changes, RunView


class IncidentsPane(Pane, can_focus=True):
    NAME = "incidents"
    TITLE = "Incidents"
    KEY = "f6"
    HELP = (
        "What failed, was tried again, pruned, rejected or missed its prediction: a line for each cause, the "
        "latest first, with how often it happened. Enter shows each of them: its cause, what was done, the "
        "trial and the end of its traceback; enter again opens the trial, l its log."
    )
    DEFAULT_CSS = "IncidentsPane { padding: 0 1; }"

    BINDINGS = [
        Binding("up,k", "move(-1)", "up", show=False),
        Binding("down,j", "move(1)", "down", show=False),
        Binding("home", "move(-1000)", "first", show=False),
        Binding("end", "move(1000)", "last", show=False),
        Binding("enter,right", "open", "details", show=False),
        Binding("left,backspace", "back", "back", show=False),
        Binding("pagedown", "scroll_text(5)", "scroll", show=False),
        Binding("pageup", "scroll_text(-5)", "scroll", show=False),
        Binding("l", "log", "log", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._incidents = Incidents()
        self._chosen: Group | None = None
        """The group under the cursor, which stays there when others have newer incidents; None: the first."""
        self._open = False
        self._incident: Incident | None = None
        """The one under the cursor of an open group; None: the latest."""
        self._top = 0

    def show(self, view: RunView, changes: Changes) -> None:
        if changes.incidents:
            self._incidents = view.incidents
            total = view.incidents.total
            self.caption(f"{total:,}" if total else "none")
            self.refresh()

    def hints(self) -> Hints:
        if self._open:
            return (("↑↓", "choose"), ("⏎", "trial"), ("l", "log"), ("←", "all causes"))
        return (("↑↓", "choose"), ("⏎", "each of them"), ("l", "log"))

    def _place(self) -> int:
        """Where the cursor is among the groups."""
        groups = self._incidents.groups
        return next((at for at, group in enumerate(groups) if group is self._chosen), 0)

    def _incident_place(self, group: Group) -> int:
        kept = shown_incidents(group)
        return next((at for at, each in enumerate(kept) if each is self._incident), 0)

    def render(self) -> Text:
        size = self.content_size
        if self._open and self._chosen is not None:
            lines = detail_lines(
                self._chosen, size.width, size.height, self._incident_place(self._chosen), self._top
            )
        else:
            lines = group_lines(self._incidents, size.width, size.height, self._place())
        return theme.text(joined(lines))

    def action_move(self, step: int) -> None:
        """Go to another cause; in one, to another incident."""
        self._top = 0
        if self._open and self._chosen is not None:
            kept = shown_incidents(self._chosen)
            at = self._incident_place(self._chosen)
            self._incident = kept[max(0, min(at + step, len(kept) - 1))]
        elif groups := self._incidents.groups:
            self._chosen = groups[max(0, min(self._place() + step, len(groups) - 1))]
        self.refresh()

    def action_open(self) -> None:
        """Show the cause under the cursor in full; from there the trial."""
        if self._open:
            self._go("details")
        elif groups := self._incidents.groups:
            self._chosen, self._open, self._top = groups[self._place()], True, 0
            self._incident = self._chosen.latest
            self.refresh()
            self.post_message(self.HintsChanged())

    def action_back(self) -> None:
        """Show all causes again."""
        self._open = False
        self.refresh()
        self.post_message(self.HintsChanged())

    def action_log(self) -> None:
        """The log of the trial under the cursor."""
        self._go("log")

    def action_scroll_text(self, lines: int) -> None:
        """Scroll what is said of the incident under the cursor."""
        self._top = max(0, self._top + lines)
        self.refresh()

    def _go(self, name: str) -> None:
        """Open a pane about the trial of the incident under the cursor, where it has one."""
        groups = self._incidents.groups
        if not groups:
            return
        group = self._chosen if self._open and self._chosen is not None else groups[self._place()]
        incident = shown_incidents(group)[self._incident_place(group) if self._open else 0]
        if incident.trial is None:
            self.app.bell()
            return
        self.post_message(self.Choose(incident.trial))
        self.post_message(self.Open(name))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self.action_move(1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self.action_move(-1)
