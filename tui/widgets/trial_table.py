"""The trials as a table. Draws the lines that are in sight, never a widget or a stored cell a trial."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from time import monotonic

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tunesmith.goal_words import whole_metrics
from tunesmith.tui import theme
from tunesmith.tui.facts import Facts
from tunesmith.tui.spans import Span
from tunesmith.tui.state import RunView
from tunesmith.tui.trial_table_view import Order, Table, ordered, plain_order, table

OTHER_WIDTH = 10
"""Of a further metric's column."""
MOST_DRAWN = 200
"""Rows kept as they were drawn."""


class TrialTable(ScrollView, can_focus=True):
    """Trials in the order a person chose; at the newest until a row is chosen.

    Rows are made of the data when they come into sight, so ten thousand trials cost what fifty do; sort and
    filter act on the data.
    """

    COMPONENT_CLASSES = {"trial-table--cursor", "trial-table--heading"}
    BINDINGS = [
        Binding("up", "move(-1)", show=False),
        Binding("down", "move(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("home", "to(0)", show=False),
        Binding("end", "to(-1)", show=False),
        Binding("left", "column(-1)", show=False),
        Binding("right", "column(1)", show=False),
        Binding("enter", "select", show=False),
    ]

    @dataclass
    class Chosen(Message):
        """A trial was chosen."""

        number: int

    @dataclass
    class Selected(Message):
        """Enter was pressed on a trial, or it was clicked twice."""

        number: int

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.chosen: int | None = None
        self.order = Order()
        self.at_column = 0
        """Index of the column that `s` sorts by."""
        self.shown: list[int] = []
        """Numbers of the trials, from top to bottom."""
        self.marked: Set[int] = frozenset()
        self._table: Table = table(Facts())
        self._view: RunView | None = None
        self._rest = False
        self._lines: dict[int, list[tuple[str, Style]]] = {}  # rows as they were drawn, while they hold
        self._drawn_for: tuple[object, ...] = ()
        self._sorted_at = self._sort_took = 0.0
        self._stale = False
        self._seen: set[str] = set()
        self._fractional: set[str] = set()  # metrics seen, and those that were no whole number once

    @property
    def legend(self) -> tuple[tuple[str, str], ...]:
        """(abbreviation, what it stands for) of the headings."""
        return self._table.legend

    @property
    def row_count(self) -> int:
        """Trials that are shown."""
        return len(self.shown)

    def row(self, number: int) -> list[str]:
        """The cells of a trial as text."""
        return [text for text, _ in self._row(number)]

    def headings(self) -> list[str]:
        """Of the columns, from left to right."""
        return [column.heading for column in self._table.columns]

    def show(self, view: RunView, changed: Set[int], *, facts: bool = False) -> None:
        """Draw the trials in `changed`; `facts`: the task file is another one."""
        first, self._view = self._view is None, view
        known = set(self._table.parameters)
        rest = self._rest or (
            bool(known)
            and any(
                (proposal := view.trials[number].proposal) is not None
                and not known.issuperset(proposal.configuration)
                for number in changed
            )
        )
        for number in changed:
            self._lines.pop(number, None)
        if first or facts or rest != self._rest:
            self._lines.clear()
            self._rest = rest and not facts
            self._table = table(view.facts, rest=self._rest)
            if facts and known != set(self._table.parameters):
                self.show(view, frozenset(view.trials))
                return
        values = [view.trials[number].values for number in changed if view.trials[number].values]
        self._fractional |= {name for each in values for name in each} - whole_metrics(values)
        self._seen |= {name for each in values for name in each}
        self._arrange(changed)

    def arrange_by(self, order: Order) -> None:
        """Show the trials in another order, or others.

        Raises:
            FilterError: The filter cannot be followed; nothing has changed then.
        """
        if self._view is not None:
            self.shown = ordered(self._view.trials, self._table, order)
        self.order = order
        self._lay_out()
        if self.chosen is not None:
            self._into_sight()

    def sort_key(self) -> str:
        """Key of the column that the column cursor is on."""
        return self._table.columns[min(self.at_column, len(self._table.columns) - 1)].key

    def move_column(self, step: int) -> None:
        """Put the column cursor on another column."""
        self.at_column = (self.at_column + step) % len(self._table.columns)
        left = sum(column.width for column in self._table.columns[: self.at_column])
        width = self._table.columns[self.at_column].width
        self.scroll_to_region(Region(left, self.scroll_offset.y, width, 1), animate=False, force=True)
        self.refresh()

    def choose(self, number: int) -> None:
        """Put the cursor on a trial, where it is among those shown."""
        self.chosen = number
        self._into_sight()
        self.refresh()

    def choose_newest(self) -> None:
        """Put the cursor on the last row."""
        if self.shown:
            self._choose(self.shown[-1])

    def choose_none(self) -> None:
        """Choose nothing, and follow the newest again."""
        self.chosen = None
        self._lay_out()

    # -- drawing ---------------------------------------------------------------------------------

    def _arrange(self, changed: Set[int]) -> None:
        assert self._view is not None
        if plain_order(self.order):
            if len(self.shown) != len(self._view.trials):
                self.shown = sorted(self._view.trials)
        elif changed:
            now = monotonic()
            if now - self._sorted_at >= 10 * self._sort_took:
                self._sort()
            elif not self._stale:  # thousands of trials, and curves that change ten times a second
                self._stale = True
                self.set_timer(10 * self._sort_took, self._sort_again)
        self._lay_out()

    def _sort(self) -> None:
        assert self._view is not None
        self._stale = False
        begun = monotonic()
        self.shown = ordered(self._view.trials, self._table, self.order)
        self._sorted_at = monotonic()
        self._sort_took = self._sorted_at - begun

    def _sort_again(self) -> None:
        if self._stale and self._view is not None:
            self._sort()
            self._lay_out()

    def _lay_out(self) -> None:
        width = sum(column.width for column in self._table.columns)
        self.virtual_size = Size(width, len(self.shown) + 1)
        if self.chosen is None and plain_order(self.order):
            self.scroll_end(animate=False, x_axis=False)
        self.refresh()

    def _row(self, number: int) -> tuple[Span, ...]:
        assert self._view is not None
        best = None if self._view.best is None else self._view.trials[self._view.best].value
        whole = self._seen - self._fractional
        return self._table.row(self._view.trials[number], best, self.marked, whole)

    def render_line(self, y: int) -> Strip:
        width, base = self.size.width, self.rich_style
        scroll_x, scroll_y = self.scroll_offset
        at = scroll_y + y - 1
        if y == 0:
            line, style = self._heading(), base
        elif at >= len(self.shown):
            return Strip.blank(width, base)
        else:
            number = self.shown[at]
            chosen = number == self.chosen
            style = self.get_component_rich_style("trial-table--cursor") if chosen else base
            line = self._drawn_row(number)
        strip = Strip(Segment(text, style + own) if own else Segment(text, style) for text, own in line).crop(
            scroll_x, scroll_x + width
        )
        return strip.extend_cell_length(width, style)

    def _drawn_row(self, number: int) -> list[tuple[str, Style]]:
        assert self._view is not None
        # What every row depends on, beside its own trial.
        now = (self._view.best, self.marked, len(self._seen - self._fractional), theme.style("dim"))
        if now != self._drawn_for or len(self._lines) > MOST_DRAWN:
            self._drawn_for = now
            self._lines.clear()
        line = self._lines.get(number)
        if line is None:
            line = self._lines[number] = self._line(
                [(text, theme.style(role)) for text, role in self._row(number)]
            )
        return line

    def _heading(self) -> list[tuple[str, Style]]:
        dim, strong = theme.style("dim"), theme.style("strong")
        cells: list[tuple[str, Style]] = []
        for at, column in enumerate(self._table.columns):
            arrow = ""
            if column.key == self.order.column and not (column.key == "#" and not self.order.reverse):
                arrow = "▼" if self.order.reverse else "▲"
            style = theme.style("accent") if arrow else dim
            if at == self.at_column and self.has_focus:
                style = style + strong + Style(underline=True)
            cells.append((column.heading[: column.width - 1 - len(arrow)] + arrow, style))
        return self._line(cells)

    def _line(self, cells: Sequence[tuple[str, Style]]) -> list[tuple[str, Style]]:
        """Cells at the widths of their columns, one blank between."""
        line: list[tuple[str, Style]] = []
        for column, (words, style) in zip(self._table.columns, cells, strict=True):
            room = column.width - 1
            if words.isascii() and len(words) <= room:
                line.append((words.ljust(column.width), style))
                continue
            text = Text(words)
            text.truncate(room, overflow="ellipsis", pad=True)
            line.append((f"{text.plain} ", style))
        return line

    # -- keys ------------------------------------------------------------------------------------

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def on_resize(self) -> None:
        self._lay_out()

    def on_click(self, event: events.Click) -> None:
        at = event.y + self.scroll_offset.y - 1
        if event.y == 0 or not 0 <= at < len(self.shown):
            return
        self._choose(self.shown[at])
        if event.chain > 1:
            self.action_select()

    def action_move(self, step: int) -> None:
        """Up or down by rows."""
        if not self.shown:
            return
        if self.chosen not in self.shown:
            self._choose(self.shown[-1])
            return
        at = self.shown.index(self.chosen) + step
        self._choose(self.shown[min(max(at, 0), len(self.shown) - 1)])

    def action_page(self, pages: int) -> None:
        """Up or down by what is in sight."""
        self.action_move(pages * max(self.size.height - 2, 1))

    def action_to(self, row: int) -> None:
        """To the first or the last row."""
        if self.shown:
            self._choose(self.shown[row])

    def action_column(self, step: int) -> None:
        """Put the column cursor on the next column."""
        self.move_column(step)

    def action_select(self) -> None:
        """Show the trial of the cursor in full."""
        if self.chosen is not None:
            self.post_message(self.Selected(self.chosen))

    def _choose(self, number: int) -> None:
        self.choose(number)
        self.post_message(self.Chosen(number))

    def _into_sight(self) -> None:
        if self.chosen not in self.shown:
            return
        at, height = self.shown.index(self.chosen), max(self.size.height - 1, 1)
        top = self.scroll_offset.y
        if not top <= at < top + height:
            self.scroll_to(y=at if at < top else at - height + 1, animate=False, force=True)


def cell(span: Span) -> Text:
    """One cell of a DataTable, cut where it is too long."""
    text = theme.text((span,))
    text.no_wrap, text.overflow = True, "ellipsis"
    return text
