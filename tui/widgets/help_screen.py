"""The help page: keys and slash commands."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from tunesmith.steering.lines import help_of
from tunesmith.tui import theme
from tunesmith.tui.spans import Span

KEYS: tuple[tuple[str, str], ...] = (
    ("F1", "this page; ? in a pane: what it shows, and its keys"),
    ("F2", "trials"),
    ("F3", "beliefs: where the optimum is expected, what matters"),
    ("F4", "plots; again: the Pareto front of several metrics"),
    ("F5", "details of the chosen trial; again: its log"),
    ("F6", "incidents and cost"),
    ("ctrl+p", "command palette: every pane, action, theme and command by name"),
    ("ctrl+o", "jump: a letter on each pane, press it to go there"),
    ("tab", "next pane, shift+tab the one before"),
    ("z, x", "in a pane: show it alone, or hide it; its function key brings it back"),
    ("/", "in a pane: go to the prompt with a command"),
    ("ctrl+j", "in the prompt: a new line (shift+enter where the terminal tells it apart)"),
    ("esc", "back to the prompt; in the prompt: choose no trial"),
    ("pgup, pgdn", "scroll"),
    ("ctrl+q", "quit"),
)
FREE_TEXT = ("any text", "a question, or an instruction in plain words")
WIDE = 14


class HelpScreen(ModalScreen[None]):
    """A page over the app, closed by any of the usual keys."""

    BINDINGS = [Binding("escape,f1,question_mark,q,enter", "dismiss", "Close", priority=True)]

    def compose(self) -> ComposeResult:
        spans: list[Span] = []
        for title, rows in (("Keys", KEYS), ("\nType", (*help_of(), FREE_TEXT))):
            spans.append((f"{title}\n", "strong"))
            for key, effect in rows:
                spans += [(f"  {key:<{WIDE}} ", "accent"), (f"{effect}\n", "dim")]
        with VerticalScroll(id="help"):
            yield Static(theme.text(spans), markup=False)


class PaneHelp(ModalScreen[None]):
    """What one pane shows, and its keys."""

    BINDINGS = [Binding("escape,f1,question_mark,q,enter", "dismiss", "Close", priority=True)]

    def __init__(self, title: str, about: str, hints: tuple[tuple[str, str], ...]) -> None:
        super().__init__()
        self._words = (title, about, hints)

    def compose(self) -> ComposeResult:
        title, about, hints = self._words
        spans: list[Span] = [(f"{title}\n", "strong"), (f"{about}\n\n", "")]
        for key, effect in hints:
            spans += [(f"  {key:<8}", "accent"), (f"{effect}\n", "dim")]
        with VerticalScroll(id="help"):
            yield Static(theme.text(spans), markup=False)
