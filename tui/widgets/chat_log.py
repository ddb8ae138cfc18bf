"""The log of the run. Draws lines, never widgets: a long run has thousands."""

from __future__ import annotations

from collections.abc import Sequence, Set
from itertools import chain

from rich.text import Text
from textual import events
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

from tunesmith.tui import theme
from tunesmith.tui.chat_view import ChatItem

MARGIN = 3
"""Cells left of the text: a blank, the mark, a blank."""


class ChatLog(ScrollView, can_focus=True):
    """Items under one another, wrapped to the width, following the newest unless scrolled away.

    A click on an item with something under it opens or closes it.
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._items: Sequence[ChatItem] = ()
        self._blocks: dict[int, list[Text]] = {}
        self._lines: list[Text] = []
        self._keys: list[int] = []  # of the item that each line belongs to
        self._open: set[int] = set()
        self._all_open = False
        self._wrapped_at = 0
        self._following = True

    @property
    def room(self) -> int:
        """Characters of a line's text; 0 while it is hidden."""
        return max(self.scrollable_content_region.width - MARGIN, 0)

    def show(self, items: Sequence[ChatItem], changed: Set[int]) -> None:
        """Draw `items`, of which only those with a key in `changed` are new or different."""
        self._items = items
        for key in changed:
            self._blocks.pop(key, None)
        self._lay_out()

    def toggle_all(self) -> None:
        """Open everything, or close everything."""
        self._all_open = not self._all_open
        self._open.clear()
        self._blocks.clear()
        self._lay_out()

    @property
    def allow_select(self) -> bool:
        return True

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        return selection.extract("\n".join(line.plain for line in self._lines)), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        self.refresh()

    def on_resize(self, event: events.Resize) -> None:
        self._lay_out()

    def on_click(self, event: events.Click) -> None:
        line = event.y + self.scroll_offset.y
        if 0 <= line < len(self._keys):
            key = self._keys[line]
            self._open ^= {key}
            self._blocks.pop(key, None)
            self._following = False  # what was clicked stays where it is
            self._lay_out()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._following = self.is_vertical_scroll_end

    def follow(self) -> None:
        """Go to the newest item and stay there."""
        self._following = True
        self.scroll_end(animate=False, x_axis=False)

    def _lay_out(self) -> None:
        width = self.scrollable_content_region.width
        if width <= MARGIN:  # hidden, or not yet laid out; on_resize comes when that changes
            return
        if width != self._wrapped_at:
            self._blocks.clear()
            self._wrapped_at = width
        if self._items and len(self._blocks) > 2 * len(self._items):
            oldest = self._items[0].key
            self._blocks = {key: block for key, block in self._blocks.items() if key >= oldest}
        blocks = [self._block(item, width) for item in self._items]
        self._lines = list(chain.from_iterable(blocks))
        self._keys = [item.key for item, block in zip(self._items, blocks, strict=True) for _ in block]
        self.virtual_size = Size(width, len(self._lines))
        if self._following:
            self.scroll_end(animate=False, x_axis=False)
        self.refresh()

    def _block(self, item: ChatItem, width: int) -> list[Text]:
        block = self._blocks.get(item.key)
        if block is None:
            block = self._blocks[item.key] = self._wrap(item, width)
        return block

    def _wrap(self, item: ChatItem, width: int) -> list[Text]:
        opened = self._all_open != (item.key in self._open)
        mark = theme.text(((f" {item.mark} ", item.role),))
        room = width - MARGIN
        text = theme.text(item.spans)
        if item.one_line and not opened:
            text.truncate(room, overflow="ellipsis")
            pieces = [text]
        else:
            pieces = list(text.wrap(self.app.console, room, overflow="fold")) or [text]
        lines = [
            Text.assemble(mark if i == 0 else " " * MARGIN, piece, end="") for i, piece in enumerate(pieces)
        ]
        if opened and item.body:
            body = theme.text(((item.body, "dim"),)).wrap(self.app.console, room - 2, overflow="fold")
            lines.extend(Text.assemble(" " * (MARGIN + 2), piece, end="") for piece in body)
        if item.gap and item.key != self._items[0].key:
            lines.insert(0, Text("", end=""))
        return lines

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        number = y + self.scroll_offset.y
        base = self.rich_style
        if number >= len(self._lines):
            return Strip.blank(width, base)
        line = self._lines[number]
        if (selection := self.text_selection) is not None and (
            span := selection.get_span(number)
        ) is not None:
            start, end = span
            line = line.copy()
            line.stylize(
                self.screen.get_component_rich_style("screen--selection"),
                start,
                len(line) if end == -1 else end,
            )
        strip = Strip(line.render(self.app.console)).apply_style(base)
        return strip.adjust_cell_length(width, base).apply_offsets(0, number)

    @property
    def text(self) -> str:
        """All lines as text, as they stand."""
        return "\n".join(line.plain.rstrip() for line in self._lines)
