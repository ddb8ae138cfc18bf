"""What every pane of the terminal is: a part of the screen that draws one aspect of the run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widget import Widget

from tunesmith.tui import theme
from tunesmith.tui.spans import Spans
from tunesmith.tui.state import Changes, RunView

MOST_MARKED = 8
"""Trials marked for comparison at once; more curves than that cannot be told apart."""
Hints = tuple[tuple[str, str], ...]
"""(key, what it does)."""


@dataclass
class Selection:
    """Which trials the person looks at; all panes share it."""

    chosen: int | None = None
    """Trial under the cursor of a table; None while nobody chose one: panes show the best then."""
    marked: tuple[int, ...] = ()
    """Trials marked for comparison, in the order they were marked."""

    def trial(self, view: RunView) -> int | None:
        """The trial that a pane about one trial shows: the chosen one, else the best."""
        return view.best if self.chosen is None or self.chosen not in view.trials else self.chosen


class Pane(Widget):
    """One aspect of a run.

    A pane computes nothing: what it draws comes from a pure function of `RunView` (a module `*_view.py`
    beside this folder, tested without a screen), as spans or cells of literal text. It may contain other
    widgets; the first of them that takes the focus has it when the pane is focused, else the pane itself
    where it sets `can_focus`.
    """

    NAME: ClassVar[str]
    """In the layout, in styles and in the command palette; lower case, no space."""
    TITLE: ClassVar[str]
    """Shown in the pane's title line."""
    KEY: ClassVar[str] = ""
    """Function key that opens it, such as `f2`; two panes with the same key take turns at it."""
    HELP: ClassVar[str] = ""
    """What is to be seen in it, in a sentence or two, for `?`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("z", "zoom", "zoom", show=False),
        Binding("x", "hide", "hide", show=False),
        Binding("question_mark", "pane_help", "help", show=False),
    ]

    @dataclass
    class Choose(Message):
        """Show trial `number` in the panes about one trial; None: the best again."""

        number: int | None

    @dataclass
    class Mark(Message):
        """Mark trial `number` for comparison, or no longer."""

        number: int

    @dataclass
    class Open(Message):
        """Bring the pane `name` to sight and focus it."""

        name: str

    @dataclass
    class HintsChanged(Message):
        """Other keys work in the pane now."""

    @dataclass
    class Fill(Message):
        """Put `text` into the prompt, for the person to go on with."""

        text: str

    @dataclass
    class Zoom(Message):
        """Show the pane `name` alone, or all of them again."""

        name: str

    @dataclass
    class Hide(Message):
        """Take the pane `name` out of the layout, until its key opens it again."""

        name: str

    def __init__(self) -> None:
        super().__init__(id=self.NAME, classes="pane")
        self.selection = Selection()
        """The app's; set before the pane is mounted."""
        self._title: tuple[Spans, Spans] = (((self.TITLE, "strong"),), ())
        self._caption = ""

    def show(self, view: RunView, changes: Changes) -> None:
        """Draw what changed.

        Called by the app in its own thread, at most ten times a second, and only while the pane is visible; a
        pane that becomes visible is shown with everything as changed.
        """
        raise NotImplementedError

    def hints(self) -> Hints:
        """(key, what it does) of the keys that work while this pane has the focus, for the footer."""
        return ()

    def offered(self, view: RunView) -> bool:
        """Whether this run has anything to be shown here; a pane that is not offered takes no room."""
        return True

    def caption(self, text: str) -> None:
        """Say more behind the title, such as which trial or metric is shown; literal text."""
        if text != self._caption:
            self._caption = text
            self.set_title(*self._title)

    def set_title(self, before: Spans, after: Spans) -> None:
        """Draw the title line; the caption stands between the two. For the frame."""
        self._title = (before, after)
        caption: Spans = ((f" {self._caption}", ""),) if self._caption else ()
        self.border_title = theme.text((*before, *caption, *after))

    def entered(self) -> None:
        """The pane was given the focus by a key."""

    def action_zoom(self) -> None:
        """Show this pane alone, or all of them again."""
        self.post_message(self.Zoom(self.NAME))

    def action_hide(self) -> None:
        """Take this pane out of the layout."""
        self.post_message(self.Hide(self.NAME))

    def action_pane_help(self) -> None:
        """Say what this pane shows and which keys work in it."""
        from tunesmith.tui.widgets.help_screen import PaneHelp

        self.app.push_screen(PaneHelp(self.TITLE, self.HELP, (*self.hints(), *COMMON_HINTS)))


COMMON_HINTS: Hints = (("z", "zoom"), ("x", "hide"), ("/", "command"), ("esc", "prompt"))
"""Of every pane, after its own."""
