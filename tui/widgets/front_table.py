"""The Pareto front of several metrics, one trial a row, drawn anew when it has changed."""

from __future__ import annotations

from collections.abc import Sequence
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
from tunesmith.tui.trial_view import Formatter, TrialView
from tunesmith.tui.widgets.trial_table import OTHER_WIDTH, cell

MOST_METRICS = 5
"""Columns of metrics."""


class FrontTable(DataTable[Text]):
    """Trials of the front, the best primary value first; posts `Chosen` for the row of the cursor."""

    BINDINGS = []

    @dataclass
    class Chosen(Message):
        """A trial was chosen."""

        number: int

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, cursor_type="row", cell_padding=0)
        self.cursor_foreground_priority = "renderable"
        self._metrics: tuple[str, ...] = ()

    def name_metrics(self, metrics: tuple[str, ...]) -> None:
        """Give each metric a column; where they are others than before, the trials have to be shown again."""
        if metrics[:MOST_METRICS] == self._metrics:
            return
        self._metrics = metrics[:MOST_METRICS]
        self.clear(columns=True)
        others = [(one_line(name, OTHER_WIDTH - 1), OTHER_WIDTH) for name in self._metrics]
        for key, (name, width) in enumerate([("#", 5), *others, ("configuration", 60)]):
            self.add_column(Text(name, style=theme.style("dim")), width=width, key=str(key))

    def show(self, front: Sequence[TrialView], write: Formatter, goals: Goals | None) -> None:
        """Draw these trials; `write` formats a configuration."""
        at = self.cursor_row
        self.clear()
        counts = whole_metrics([trial.values for trial in front])
        for trial in front:
            found = trial.measured(goals)[: len(self._metrics)]
            row: list[Span] = [(str(trial.number), "dim")]
            row += [
                (each.number(as_whole=each.metric in counts), "best" if trial.best and not place else "")
                for place, each in enumerate(found)
            ]
            row.append((trial.configuration(write), "best" if trial.best else ""))
            self.add_row(*map(cell, row), key=str(trial.number))
        if self.row_count:
            self.move_cursor(row=min(at, self.row_count - 1))

    @on(DataTable.RowHighlighted)
    def _moved(self, event: DataTable.RowHighlighted) -> None:
        event.stop()
        if self.has_focus and event.row_key.value is not None:
            self.post_message(self.Chosen(int(event.row_key.value)))
