"""The panes, side by side and under one another as `layout.arrange` says; all stay mounted."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from textual.geometry import NULL_OFFSET, Region, Size, Spacing
from textual.layout import ArrangeResult, Layout, WidgetPlacement
from textual.widget import Widget

from tunesmith.tui.layout import Arrangement, Placed, arrange
from tunesmith.tui.panes.base import Pane
from tunesmith.tui.spans import Span, Spans


class PaneLayout(Layout):
    """Places children where their Body planned them."""

    name = "panes"

    def arrange(
        self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True
    ) -> ArrangeResult:
        assert isinstance(parent, Body)
        places = {placed.name: placed for placed in parent.plan((size.width, size.height))}
        return [
            WidgetPlacement(
                Region(place.x, place.y, place.width, place.height), NULL_OFFSET, Spacing(), child
            )
            for child in children
            if (place := places.get(child.id or "")) is not None
        ]


class Body(Widget):
    """All panes, of which those that have room and are not hidden are shown.

    Args:
        panes: In the order that tab goes through them.
        appeared: Called with panes that have become visible, and have to be drawn.
    """

    def __init__(self, panes: Sequence[Pane], appeared: Callable[[Sequence[Pane]], None]) -> None:
        super().__init__(id="body")
        self.panes = {pane.NAME: pane for pane in panes}
        self.arrangement = Arrangement()
        self.offered: frozenset[str] = frozenset(self.panes)
        self._appeared = appeared
        self._own_layout = PaneLayout()
        self._visible: tuple[str, ...] = ()
        self.letters: dict[str, str] = {}
        """Of each visible pane, its key in jump mode; empty outside of it."""

    @property
    def layout(self) -> Layout:
        return self._own_layout

    def compose(self) -> list[Widget]:
        return list(self.panes.values())

    def plan(self, size: tuple[int, int]) -> tuple[Placed, ...]:
        """Where panes are in a body of this size."""
        window = self.app.size
        names = [name for name in self.panes if name in self.offered]
        return arrange((window.width, window.height), size, names, self.arrangement)

    @property
    def visible_panes(self) -> list[Pane]:
        """Those that are shown, in the order that tab goes through them."""
        return [pane for name, pane in self.panes.items() if name in self._visible]

    def offer(self, names: Collection[str]) -> None:
        """Which panes this run has anything for."""
        if frozenset(names) != self.offered:
            self.offered = frozenset(names)
            self.replan()

    def rearrange(self, arrangement: Arrangement) -> None:
        """Take another choice of what is open, hidden and zoomed."""
        self.arrangement = arrangement
        self.replan()

    def on_mount(self) -> None:
        self.replan()

    def on_resize(self) -> None:
        self.replan()

    def replan(self) -> None:
        """Show and hide panes for the size there is now."""
        size = self.content_size
        places = self.plan((size.width or self.app.size.width, size.height or self.app.size.height))
        before, self._visible = self._visible, tuple(place.name for place in places)
        for name, pane in self.panes.items():
            pane.display = name in self._visible
        for place in places:
            pane = self.panes[place.name]
            pane.set_class(place.x > 0, "-beside")
            pane.set_title(*self._title(place))
        self.refresh(layout=True)
        self._appeared([self.panes[name] for name in self._visible if name not in before])

    def _title(self, place: Placed) -> tuple[Spans, Spans]:
        """The pane's own title, and the names of those that take turns there."""
        pane = self.panes[place.name]
        own: list[Span] = [(pane.TITLE, "strong")]
        if letter := self.letters.get(place.name):
            own.insert(0, (f"[{letter}] ", "best"))
        others: list[Span] = []
        room = place.width - len(pane.TITLE) - 12
        for other in (self.panes[name] for name in place.tabs if name != place.name):
            word = f"  {other.KEY.upper()} {other.TITLE}" if other.KEY else f"  {other.TITLE}"
            room -= len(word)
            if room < 0:
                break
            others.append((word, "dim"))
        return tuple(own), tuple(others)
