"""The help page: keys and slash commands."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from tunesmith.tui import theme
from tunesmith.tui.spans import Span
from tunesmith.tui.typed_lines import HELP

KEYS: tuple[tuple[str, str], ...] = (
    ("F1 or ?", "this page"),
    ("F2", "to the trials and back; in a narrow window, show them or the log"),
    ("F3", "to the Pareto front of several metrics and back"),
    ("up, down", "in the trials: show another one; in the line: earlier lines"),
    ("pgup, pgdn", "scroll the log"),
    ("ctrl+o", "open or close what lies under the log's lines (or click one)"),
    ("esc", "back to the line, and follow the newest trial"),
    ("ctrl+q", "quit; workers are stopped cleanly if this window started the run"),
)
FREE_TEXT = ("any text", "a question or an instruction for the language model")


class HelpScreen(ModalScreen[None]):
    """A page over the app, closed by any of the usual keys."""

    BINDINGS = [Binding("escape,f1,question_mark,q,enter", "dismiss", "Close")]

    def compose(self) -> ComposeResult:
        spans: list[Span] = []
        for title, rows in (("Keys", KEYS), ("\nType", (*HELP, FREE_TEXT))):
            spans.append((f"{title}\n", "strong"))
            for key, effect in rows:
                spans += [(f"  {key:<12}", "accent"), (f"{effect}\n", "dim")]
        with VerticalScroll(id="help"):
            yield Static(theme.text(spans), markup=False)
