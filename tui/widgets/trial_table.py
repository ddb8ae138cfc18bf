"""The newest trials, one a row, updated cell by cell."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass

from rich.text import Text
from textual import on
from textual.message import Message
from textual.widgets import DataTable

from tunesmith.tui import theme
from tunesmith.tui.spans import Span
from tunesmith.tui.trial_view import Formatter, TrialView, cells

MOST_ROWS = 500
"""Rows kept; the time to lay a table out grows with its rows."""
COLUMNS: tuple[tuple[str, int], ...] = (
    ("#", 5),
    ("state", 9),
    ("value", 9),
    (" ", 2),
    ("origin", 10),
    ("configuration", 60),
)


class TrialTable(DataTable[Text]):
    """Trials in the order they started; stays at the newest until a row is chosen."""

    BINDINGS = []

    @dataclass
    class Chosen(Message):
        """A trial was chosen."""

        number: int

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, cursor_type="row", cell_padding=0)
        self.cursor_foreground_priority = "renderable"
        self._drawn: dict[int, tuple[Span, ...]] = {}
        self.chosen: int | None = None
        for name, width in COLUMNS:
            self.add_column(Text(name, style=theme.style("dim")), width=width, key=name)

    def show(self, trials: Mapping[int, TrialView], changed: Set[int], write: Formatter) -> None:
        """Draw the trials in `changed`; `trials` holds all of them, `write` formats a configuration."""
        new = [number for number in sorted(changed) if number not in self._drawn]
        if len(new) > MOST_ROWS // 2 or len(self._drawn) + len(new) > MOST_ROWS + 100:
            self._refill(trials, write)
        else:
            for number in sorted(changed):
                self._draw(number, cells(trials[number], write))
        if self.chosen is None and self._drawn:
            self.scroll_end(animate=False, x_axis=False)

    def choose_newest(self) -> None:
        """Put the cursor on the newest trial."""
        if self.row_count:
            self.move_cursor(row=self.row_count - 1)
            self._choose(str(self.coordinate_to_cell_key(self.cursor_coordinate).row_key.value))

    def choose(self, number: int) -> None:
        """Put the cursor on trial `number`, where it is still among the rows."""
        if number in self._drawn:
            self.move_cursor(row=self.get_row_index(str(number)))
            self._choose(str(number))

    def choose_none(self) -> None:
        """Choose nothing, and follow the newest again."""
        self.chosen = None
        self.scroll_end(animate=False, x_axis=False)

    def _refill(self, trials: Mapping[int, TrialView], write: Formatter) -> None:
        # Once at the start of a long run, then once every hundred trials: removing one row costs as much.
        self.clear()
        self._drawn.clear()
        for number in list(trials)[-MOST_ROWS:]:
            self._draw(number, cells(trials[number], write))

    def _draw(self, number: int, row: tuple[Span, ...]) -> None:
        before = self._drawn.get(number)
        if before is None:
            if self._drawn and number < min(self._drawn) and len(self._drawn) >= MOST_ROWS:
                return  # older than what is shown
            self.add_row(*(_cell(span) for span in row), key=str(number))
        else:
            for (column, _), old, new in zip(COLUMNS, before, row, strict=True):
                if old != new:
                    self.update_cell(str(number), column, _cell(new))
        self._drawn[number] = row

    @on(DataTable.RowHighlighted)
    def _moved(self, event: DataTable.RowHighlighted) -> None:
        event.stop()
        if self.has_focus and event.row_key.value is not None:
            self._choose(event.row_key.value)

    @on(DataTable.RowSelected)
    def _selected(self, event: DataTable.RowSelected) -> None:
        event.stop()
        if event.row_key.value is not None:
            self._choose(event.row_key.value)

    def _choose(self, key: str) -> None:
        self.chosen = int(key)
        self.post_message(self.Chosen(self.chosen))


def _cell(span: Span) -> Text:
    cell = theme.text((span,))
    cell.no_wrap, cell.overflow = True, "ellipsis"
    return cell
