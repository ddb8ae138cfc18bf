"""The trials, one a row: sorted, filtered, grouped, with actions on each."""

from __future__ import annotations

from dataclasses import replace

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.widgets import Input, Static

from tunesmith.tui import theme
from tunesmith.tui.panes.base import Hints, Pane
from tunesmith.tui.state import Changes, RunView
from tunesmith.tui.trial_filter import FilterError
from tunesmith.tui.trial_table_view import Order, group_text, try_line
from tunesmith.tui.widgets.trial_table import TrialTable


class TrialsPane(Pane):
    NAME = "trials"
    TITLE = "Trials"
    KEY = "f2"
    HELP = (
        "Every trial, one a row, a column for each hyperparameter; the last line says what the short names "
        "stand for. The row under the cursor is shown in other panes. A filter has one or more of: a word, "
        "state=pruned, who=model, lr<0.01, optimizer=adam, value>=0.9, trial>100, name~part."
    )

    BINDINGS = [
        Binding("s", "sort", "sort", show=False),
        Binding("S,upper_s", "reverse", "reverse", show=False),
        Binding("f", "filter", "filter", show=False),
        Binding("g", "group", "group", show=False),
        Binding("l", "log", "log", show=False),
        Binding("c", "mark", "compare", show=False),
        Binding("y", "copy", "copy", show=False),
        Binding("escape", "close_filter", "close", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._view: RunView | None = None
        self._fault = ""
        self._legend = ""

    def compose(self) -> ComposeResult:
        yield TrialTable(id="trial-table")
        yield Static(id="trial-legend", markup=False)
        yield Input(id="trial-filter", placeholder="state=pruned lr<0.01 who=model", compact=True)

    @property
    def table(self) -> TrialTable:
        return self.query_one(TrialTable)

    def on_mount(self) -> None:
        self.query_one(Input).display = False

    def show(self, view: RunView, changes: Changes) -> None:
        self._view = view
        table = self.table
        if changes.selection:
            table.marked = frozenset(self.selection.marked)
            if self.selection.chosen is None and table.chosen is not None:
                table.choose_none()
            elif self.selection.chosen is not None and self.selection.chosen != table.chosen:
                table.choose(self.selection.chosen)
            table.refresh()
        if changes.trials or changes.facts:
            table.show(view, changes.trials, facts=changes.facts)
            self._tell()
            self._explain()

    def _explain(self) -> None:
        """Say under the table what its headings stand for."""
        legend = "  ".join(f"{short} {name}" for short, name in self.table.legend)
        if legend != self._legend:  # an update lays the pane out anew
            self._legend = legend
            static = self.query_one("#trial-legend", Static)
            static.display = bool(legend)
            static.update(theme.text(((legend, "dim"),)))

    def hints(self) -> Hints:
        return (
            ("enter", "details"),
            ("←→ s", "sort"),
            ("S", "reverse"),
            ("f", "filter"),
            ("g", "group"),
            ("l", "log"),
            ("c", "compare"),
            ("y", "try again"),
        )

    def entered(self) -> None:
        if self.selection.chosen is None:
            self.table.choose_newest()

    def action_sort(self) -> None:
        """Sort by the column of the column cursor; where that is so already, by the next one."""
        table = self.table
        if table.sort_key() == table.order.column:
            table.move_column(1)
        self._arrange(replace(table.order, column=table.sort_key(), reverse=False))

    def action_reverse(self) -> None:
        """The other way round."""
        self._arrange(replace(self.table.order, reverse=not self.table.order.reverse))

    def action_group(self) -> None:
        """Group by state, or no longer."""
        self._arrange(replace(self.table.order, grouped=not self.table.order.grouped))

    def action_filter(self) -> None:
        """Open the line of the filter."""
        line = self.query_one(Input)
        line.display = True
        line.value = self.table.order.filter
        line.focus()

    def action_close_filter(self) -> None:
        """Close the line of the filter, which stays as it was; else go on to the prompt."""
        line = self.query_one(Input)
        if line.has_focus:
            self._close()
        else:
            self.app.action_to_prompt()  # type: ignore[attr-defined]

    def action_log(self) -> None:
        """The log of the trial under the cursor."""
        self.post_message(self.Open("log"))

    def action_mark(self) -> None:
        """Mark the trial under the cursor for comparison, or no longer."""
        if self.selection.chosen is not None:
            self.post_message(self.Mark(self.selection.chosen))

    def action_copy(self) -> None:
        """Put the configuration under the cursor into the prompt."""
        number = self.selection.chosen
        if self._view is not None and number is not None and number in self._view.trials:
            self.post_message(self.Fill(try_line(self._view.trials[number])))

    @on(Input.Submitted)
    def _filter(self, event: Input.Submitted) -> None:
        event.stop()
        if self._arrange(replace(self.table.order, filter=event.value.strip())):
            self._close()

    @on(Input.Changed)
    def _forgive(self, event: Input.Changed) -> None:
        event.stop()
        if self._fault:
            self._fault = ""
            self._tell()

    @on(TrialTable.Chosen)
    def _chosen(self, event: TrialTable.Chosen) -> None:
        event.stop()
        self.post_message(self.Choose(event.number))

    @on(TrialTable.Selected)
    def _selected(self, event: TrialTable.Selected) -> None:
        event.stop()
        self.post_message(self.Open("details"))

    def _close(self) -> None:
        self._fault = ""
        self.query_one(Input).display = False
        self.table.focus()
        self._tell()

    def _arrange(self, order: Order) -> bool:
        """Whether the order could be followed; else the title says why not."""
        try:
            self.table.arrange_by(order)
            self._fault = ""
        except FilterError as error:
            self._fault = str(error)
        self._tell()
        return not self._fault

    def _tell(self) -> None:
        """Say in the title which trials are shown."""
        table, order = self.table, self.table.order
        if self._fault:
            self.caption(f"! {self._fault}")
            return
        total = 0 if self._view is None else len(self._view.trials)
        words = []
        if order.filter:
            words.append(f"{table.row_count:,} of {total:,}: {order.filter}")
        if order.grouped and self._view is not None:
            words.append(group_text(self._view.trials, table.shown))
        self.caption("; ".join(words))
