"""The log of the run. Draws lines, never widgets: a long run has thousands."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence, Set
from dataclasses import dataclass
from itertools import accumulate, chain

from rich.cells import cell_len
from rich.text import Text
from textual import events
from textual.binding import Binding
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

from tunesmith.tui import theme
from tunesmith.tui.chat_view import ChatItem

MARGIN = 3
"""Cells left of the text: a blank, the mark, a blank."""
MOST_WRAPPED = 200
"""Items whose lines are kept; more than any screen shows."""


@dataclass
class _Block:
    """An item at a width. Its height is counted at once; its lines are made when they are in sight."""

    item: ChatItem
    height: int
    lines: list[Text] | None = None


class ChatLog(ScrollView, can_focus=True):
    """Items under one another, wrapped to the width, following the newest unless scrolled away.

    A click on an item with something under it opens or closes it; so does enter on the chosen one.
    """

    BINDINGS = [
        Binding("up,k", "choose(-1)", "up", show=False),
        Binding("down,j", "choose(1)", "down", show=False),
        Binding("enter", "open", "open", show=False),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._items: Sequence[ChatItem] = ()
        self._blocks: dict[int, _Block] = {}
        self._shown: list[_Block] = []
        self._with_lines: list[_Block] = []
        self._ends: list[int] = []  # of each block shown: the line after its last
        self._chosen: int | None = None  # key of an item
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
        return selection.extract("\n".join(line.plain for line in self._every_line())), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        self.refresh()

    def on_resize(self, event: events.Resize) -> None:
        self._lay_out()

    def on_click(self, event: events.Click) -> None:
        line = event.y + self.scroll_offset.y
        if 0 <= line < self._height:
            self._chosen = self._shown[bisect_right(self._ends, line)].item.key
            self.action_open()

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def action_choose(self, step: int) -> None:
        """Choose the next item, or scroll where the chosen one goes on outside what is in sight."""
        if not self._shown:
            return
        top, height = self.scroll_offset.y, max(self.size.height, 1)
        bottom = min(top + height, self._height)  # the line after the last one in sight
        at = self._place
        if at is None or not (self._start(at) < bottom and self._ends[at] > top):  # none, or out of sight
            self._move_to(bisect_right(self._ends, bottom - 1 if step < 0 else top))
            return
        ahead = self._start(at) < top if step < 0 else self._ends[at] > bottom
        if ahead:
            self.scroll_to(y=top + step, animate=False, immediate=True)
        elif 0 <= at + step < len(self._shown):
            self._move_to(at + step)

    def action_open(self) -> None:
        """Open or close what lies under the chosen item."""
        at = self._place
        if at is None:
            return
        key = self._shown[at].item.key
        self._open ^= {key}
        self._blocks.pop(key, None)
        self._following = False  # what was chosen stays where it is
        self._lay_out()

    @property
    def _place(self) -> int | None:
        """Of the chosen item among those shown; None where there is none, or where it is kept no longer."""
        at = -1 if self._chosen is None or not self._shown else self._chosen - self._shown[0].item.key
        return at if 0 <= at < len(self._shown) else None

    @property
    def _height(self) -> int:
        """Lines of all items."""
        return self._ends[-1] if self._ends else 0

    def _start(self, at: int) -> int:
        return self._ends[at - 1] if at else 0

    def _move_to(self, at: int) -> None:
        self._chosen = self._shown[at].item.key
        top, height = self.scroll_offset.y, max(self.size.height, 1)
        if self._start(at) < top:
            self.scroll_to(y=max(self._start(at), self._ends[at] - height), animate=False, immediate=True)
        elif self._ends[at] > top + height:
            self.scroll_to(y=min(self._start(at), self._ends[at] - height), animate=False, immediate=True)
        self.refresh()

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
        if self._items and len(self._blocks) > len(self._items):
            oldest = self._items[0].key
            self._blocks = {key: block for key, block in self._blocks.items() if key >= oldest}
        self._shown = [self._block(item, width) for item in self._items]
        self._ends = list(accumulate(block.height for block in self._shown))
        self.virtual_size = Size(width, self._height)
        if self._following:
            self.scroll_end(animate=False, x_axis=False)
        self.refresh()

    def _block(self, item: ChatItem, width: int) -> _Block:
        block = self._blocks.get(item.key)
        if block is None:
            block = self._blocks[item.key] = _Block(item, self._count(item, width))
        return block

    def _lines_of(self, block: _Block) -> list[Text]:
        found = block.lines
        if found is None:
            lines = self._wrap(block.item, self._wrapped_at)
            block.lines = found = lines + [Text("", end="")] * (block.height - len(lines))
            self._with_lines.append(block)
            if len(self._with_lines) > MOST_WRAPPED:
                for each in self._with_lines[: MOST_WRAPPED // 2]:
                    each.lines = None
                del self._with_lines[: MOST_WRAPPED // 2]
        return found

    def _every_line(self) -> list[Text]:
        return list(chain.from_iterable(map(self._lines_of, self._shown)))

    def _is_open(self, item: ChatItem) -> bool:
        return self._all_open != (item.key in self._open)

    def _count(self, item: ChatItem, width: int) -> int:
        """How many lines `_wrap` makes of an item."""
        opened, room = self._is_open(item), width - MARGIN
        words = "".join(words for words, _ in item.spans)
        lines = 1 if item.one_line and not opened else self._wrapped(words, room)
        if opened and item.body:
            lines += self._wrapped(item.body, room - 2)
        return lines + (item.gap and item.key != self._items[0].key)

    def _wrapped(self, text: str, room: int) -> int:
        """How many lines a text takes; to wrap is slow, and most lines need none."""
        return sum(
            1 if cell_len(line) <= room else len(Text(line).wrap(self.app.console, room, overflow="fold"))
            for line in text.expandtabs(8).split("\n")
        )

    def _wrap(self, item: ChatItem, width: int) -> list[Text]:
        opened = self._is_open(item)
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
        if number >= self._height:
            return Strip.blank(width, base)
        at = bisect_right(self._ends, number)
        lines, row = self._lines_of(self._shown[at]), number - self._start(at)
        line = lines[row]
        if self.has_focus and at == self._place and row == (not lines[0].plain and len(lines) > 1):
            line = line.copy()
            line.stylize("reverse", 0, MARGIN)
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
        return "\n".join(line.plain.rstrip() for line in self._every_line())
