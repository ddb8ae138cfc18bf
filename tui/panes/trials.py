"""The trials, one a row."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult

from tunesmith.tui.panes.base import Hints, Pane
from tunesmith.tui.state import Changes, RunView
from tunesmith.tui.widgets.trial_table import TrialTable


class TrialsPane(Pane):
    NAME = "trials"
    TITLE = "Trials"
    KEY = "f2"
    HELP = "Every trial, one a row. The row under the cursor is shown in the details."

    def compose(self) -> ComposeResult:
        yield TrialTable(id="trial-table")

    def show(self, view: RunView, changes: Changes) -> None:
        table = self.query_one(TrialTable)
        table.name_metrics(view.facts.others)
        if changes.trials:
            table.show(view.trials, changes.trials, view.facts.short, view.facts.goals)
        if changes.selection:
            if self.selection.chosen is None:
                table.choose_none()
            elif self.selection.chosen != table.chosen:
                table.choose(self.selection.chosen)

    def hints(self) -> Hints:
        return (("↑↓", "choose"), ("enter", "details"))

    def entered(self) -> None:
        if self.selection.chosen is None:
            self.query_one(TrialTable).choose_newest()

    @on(TrialTable.Chosen)
    def _chosen(self, event: TrialTable.Chosen) -> None:
        event.stop()
        self.post_message(self.Choose(event.number))

    @on(TrialTable.RowSelected)
    def _selected(self, event: TrialTable.RowSelected) -> None:
        self.post_message(self.Open("details"))
