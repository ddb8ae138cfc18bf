"""What may be pressed and typed."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from tunesmith.tui import theme
from tunesmith.tui.requests import HELP
from tunesmith.tui.spans import Span

KEYS: tuple[tuple[str, str], ...] = (
    ("F1 or ?", "this page"),
    ("F2", "to the trials and back; in a narrow window, show them or the log"),
    ("up, down", "in the trials: look at another one; in the line: what was typed before"),
    ("pgup, pgdn", "scroll the log"),
    ("ctrl+o", "open or close what lies under the log's lines (or click one)"),
    ("esc", "back to the line, following the newest"),
    ("ctrl+q", "quit; workers are stopped cleanly if this window started the run"),
)


class HelpScreen(ModalScreen[None]):
    """A page over the app, closed by any of the usual keys."""

    BINDINGS = [Binding("escape,f1,question_mark,q,enter", "dismiss", "Close")]

    def compose(self) -> ComposeResult:
        spans: list[Span] = [("Keys\n", "strong")]
        for key, does in KEYS:
            spans += [(f"  {key:<12}", "accent"), (f"{does}\n", "dim")]
        spans.append(("\nType\n", "strong"))
        for name, does in HELP:
            spans += [(f"  {name:<12}", "accent"), (f"{does}\n", "dim")]
        spans += [
            ("  any words   ", "accent"),
            ("a question or an instruction for the language model", "dim"),
        ]
        with VerticalScroll(id="help"):
            yield Static(theme.text(spans), markup=False)
