"""What every pane of the terminal is: a part of the screen that draws one aspect of the run."""

from __future__ import annotations

from typing import ClassVar

from textual.widget import Widget

from tunesmith.tui.state import Changes, RunView


class Pane(Widget):
    """One aspect of a run.

    A pane computes nothing: what it draws comes from a pure function of `RunView` (a module `*_view.py`
    beside this folder, tested without a screen), as spans or cells of literal text.
    """

    NAME: ClassVar[str]
    """In the layout, in styles and in the command palette; lower case, no space."""
    TITLE: ClassVar[str]
    """Shown in the pane's title line."""

    def show(self, view: RunView, changes: Changes) -> None:
        """Draw what changed.

        Called by the app in its own thread, at most ten times a second, and only while the pane is visible; a
        pane that becomes visible is shown with everything as changed.
        """
        raise NotImplementedError

    def hints(self) -> tuple[tuple[str, str], ...]:
        """(key, what it does) of the keys that work while this pane has the focus, for the footer."""
        return ()
