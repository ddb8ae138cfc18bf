"""The newest trials, one a row, updated cell by cell."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass

from rich.text import Text
from textual import on
from textual.message import Message
from textual.widgets import DataTable

from tunesmith.goal_words import whole_metrics
from tunesmith.goals import Goals
from tunesmith.text.literal import one_line
from tunesmith.tui import theme
from tunesmith.tui.spans import Span
from tunesmith.tui.trial_view import Formatter, TrialView, cells

OTHER_WIDTH = 10
"""Of a further metric's column."""
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
        self._others: tuple[str, ...] = ()
        self._goals: Goals | None = None
        self._seen: set[str] = set()
        self._fractional: set[str] = set()  # metrics seen, and those that were no whole number once
        self._keys: tuple[str, ...] = ()
        self._add_columns()

    def name_metrics(self, others: tuple[str, ...]) -> None:
        """Give further metrics a column each, in place of the origin; all trials have to be shown again."""
        if others != self._others:
            self._others = others
            self._drawn.clear()
            self.clear(columns=True)
            self._add_columns()

    def _add_columns(self) -> None:
        further = [(one_line(name, OTHER_WIDTH - 1), OTHER_WIDTH) for name in self._others]
        columns = [*COLUMNS[:4], *(further or COLUMNS[4:5]), *COLUMNS[5:]]
        self._keys = tuple(map(str, range(len(columns))))  # names of metrics are anything
        for key, (name, width) in zip(self._keys, columns, strict=True):
            self.add_column(Text(name, style=theme.style("dim")), width=width, key=key)

    def show(
        self,
        trials: Mapping[int, TrialView],
        changed: Set[int],
        write: Formatter,
        goals: Goals | None = None,
    ) -> None:
        """Draw the trials in `changed`; `trials` holds all of them, `write` formats a configuration."""
        self._goals = goals
        values = [trials[number].values for number in changed if trials[number].values]
        fractional = {name for each in values for name in each} - whole_metrics(values)
        if goals is not None and not fractional <= self._fractional:
            self._fractional |= fractional
            changed = changed | self._drawn.keys()  # whole numbers so far, from now on with decimals
        self._seen |= {name for each in values for name in each}
        new = [number for number in sorted(changed) if number not in self._drawn]
        if len(new) > MOST_ROWS // 2 or len(self._drawn) + len(new) > MOST_ROWS + 100:
            self._refill(trials, write)
        else:
            for number in sorted(changed):
                self._draw(number, self._cells(trials[number], write))
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
            self._draw(number, self._cells(trials[number], write))

    def _cells(self, trial: TrialView, write: Formatter) -> tuple[Span, ...]:
        return cells(trial, write, self._goals, len(self._others), self._seen - self._fractional)

    def _draw(self, number: int, row: tuple[Span, ...]) -> None:
        before = self._drawn.get(number)
        if before is None:
            if self._drawn and number < min(self._drawn) and len(self._drawn) >= MOST_ROWS:
                return  # older than what is shown
            self.add_row(*(cell(span) for span in row), key=str(number))
        else:
            for column, old, new in zip(self._keys, before, row, strict=True):
                if old != new:
                    self.update_cell(str(number), column, cell(new))
        self._drawn[number] = row

    @on(DataTable.RowHighlighted)
    def _moved(self, event: DataTable.RowHighlighted) -> None:
        event.stop()
        if self.has_focus and event.row_key.value is not None:
            self._choose(event.row_key.value)

    def _choose(self, key: str) -> None:
        self.chosen = int(key)
        self.post_message(self.Chosen(self.chosen))


def cell(span: Span) -> Text:
    """One cell, cut where it is too long."""
    text = theme.text((span,))
    text.no_wrap, text.overflow = True, "ellipsis"
    return text
