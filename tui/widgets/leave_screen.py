"""The question that leaving asks about a run that goes on: stop it, let it run, or stay."""

from __future__ import annotations

from typing import Literal

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tunesmith.tui import theme
from tunesmith.tui.spans import Spans

Choice = Literal["keep", "stop"]
ROWS: tuple[tuple[str, str, str], ...] = (
    ("keep", "b", "leave it running in the background"),
    ("stop", "s", "stop it; the same command continues it"),
    ("stay", "esc", "stay here"),
)


class LeaveScreen(ModalScreen[Choice | None]):
    """Asks once. Dismissed with the choice; None: stay."""

    BINDINGS = [
        Binding("b,k,ctrl+q", "choose('keep')", "Leave it running"),
        Binding("s", "choose('stop')", "Stop it"),
        Binding("escape,n", "choose('stay')", "Stay"),
    ]
    DEFAULT_CSS = """
    LeaveScreen { align: center middle; background: $background 60%; }
    LeaveScreen > Vertical {
        width: 60; max-width: 100%; height: auto; max-height: 100%;
        padding: 1 2; border: round $primary; background: $surface;
    }
    LeaveScreen OptionList { height: auto; border: none; padding: 0; margin: 1 0 0 0; background: $surface; }
    """

    def __init__(self, how_back: str) -> None:
        super().__init__()
        self._how_back = how_back

    def compose(self) -> ComposeResult:
        question: Spans = (("The run goes on. What should become of it?", "strong"),)
        with Vertical():
            yield Static(theme.text(question), markup=False)
            yield OptionList(*(Option(theme.text(_row(key, text)), id=name) for name, key, text in ROWS))
            yield Static(theme.text(((f"Come back with: {self._how_back}", "dim"),)), markup=False)

    def on_mount(self) -> None:
        self.query_one(OptionList).focus()

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.action_choose(event.option_id or "stay")

    def action_choose(self, name: str) -> None:
        self.dismiss("stop" if name == "stop" else "keep" if name == "keep" else None)


def _row(key: str, text: str) -> Spans:
    return ((f"{key:>4}  ", "accent"), (text, ""))
