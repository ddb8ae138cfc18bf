"""One trial in full: the chosen one, else the best."""

from __future__ import annotations

from textual.app import ComposeResult

from tunesmith.tui.panes.base import Hints, Pane
from tunesmith.tui.state import Changes, RunView
from tunesmith.tui.trial_view import details
from tunesmith.tui.widgets.trial_details import TrialDetails


class TrialDetailsPane(Pane):
    NAME = "details"
    TITLE = "Details"
    KEY = "f5"
    HELP = (
        "The trial under the cursor of a table, else the best: configuration, why it was tried, how it ended."
    )

    def compose(self) -> ComposeResult:
        yield TrialDetails(id="details-scroll")

    def show(self, view: RunView, changes: Changes) -> None:
        if not (changes.trials or changes.selection):
            return
        number, facts = self.selection.trial(view), view.facts
        trial = None if number is None else view.trials[number]
        self.query_one(TrialDetails).show(
            [] if trial is None else details(trial, facts.write, goals=facts.goals, pipeline=facts.pipeline)
        )

    def hints(self) -> Hints:
        return (("↑↓", "scroll"),)
