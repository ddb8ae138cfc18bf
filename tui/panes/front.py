"""The Pareto front of several metrics."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult

from tunesmith.tui.panes.base import Hints, Pane
from tunesmith.tui.state import Changes, RunView
from tunesmith.tui.widgets.front_table import FrontTable


class FrontPane(Pane):
    NAME = "front"
    TITLE = "Pareto front"
    KEY = "f4"
    HELP = "The trials that no other trial beats in every metric, the best primary value first."

    def compose(self) -> ComposeResult:
        yield FrontTable(id="front-table")

    def show(self, view: RunView, changes: Changes) -> None:
        goals = view.facts.goals
        table = self.query_one(FrontTable)
        table.name_metrics(() if goals is None else goals.names)
        if changes.front:
            table.show(view.front_trials, view.facts.short, goals)

    def hints(self) -> Hints:
        return (("↑↓", "choose"),)

    def offered(self, view: RunView) -> bool:
        return view.facts.goals is not None and view.facts.goals.several

    @on(FrontTable.Chosen)
    def _chosen(self, event: FrontTable.Chosen) -> None:
        event.stop()
        self.post_message(self.Choose(event.number))
