"""Values of completed trials, and the best so far."""

from __future__ import annotations

from textual.app import ComposeResult

from tunesmith.tui.panes.base import Pane
from tunesmith.tui.state import Changes, RunView
from tunesmith.tui.widgets.best_plot import BestPlot


class BestPlotPane(Pane):
    NAME = "plots"
    TITLE = "Best so far"
    KEY = "f4"
    HELP = "A dot a trial, by number; a cross one that breaks a limit; the line is the best so far."
    can_focus = True

    def compose(self) -> ComposeResult:
        yield BestPlot(id="plot")

    def show(self, view: RunView, changes: Changes) -> None:
        if changes.plot:
            plot, goals = self.query_one(BestPlot), view.facts.goals
            limited = goals is not None and bool(goals.limits)
            plot.view = view.plot
            hidden = f" ({view.plot.hidden} off the scale)" if view.plot.hidden else ""
            self.caption(f"{view.facts.metric}{', x breaks a limit' if limited else ''}{hidden}")
