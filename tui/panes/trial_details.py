"""One trial in full: the chosen one, else the best."""

from __future__ import annotations

from textual.app import ComposeResult

from tunesmith.tui.detail_view import further_lines
from tunesmith.tui.panes.base import Hints, Pane
from tunesmith.tui.state import Changes, RunView
from tunesmith.tui.trial_view import details
from tunesmith.tui.widgets.trial_details import TrialDetails


class TrialDetailsPane(Pane):
    NAME = "details"
    TITLE = "Details"
    KEY = "f5"
    HELP = (
        "The trial under the cursor of a table, else the best: why it was tried, what was expected, how it "
        "ended; its values beside those of the best and of the default; when it ran, and its attempt."
    )

    def compose(self) -> ComposeResult:
        yield TrialDetails(id="details-scroll")

    def show(self, view: RunView, changes: Changes) -> None:
        number, facts = self.selection.trial(view), view.facts
        if not (changes.selection or changes.facts or changes.trials & {number, view.best}):
            return
        trial = None if number is None else view.trials[number]
        lines = (
            [] if trial is None else details(trial, facts.write, goals=facts.goals, pipeline=facts.pipeline)
        )
        if trial is not None:
            lines += further_lines(trial, view)
        self.query_one(TrialDetails).show(lines)

    def hints(self) -> Hints:
        return (("↑↓", "scroll"),)
