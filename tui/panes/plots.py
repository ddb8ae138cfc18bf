"""The pane of plots: one of several pictures of the run at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from tunesmith.tui.panes.base import Hints, Pane
from tunesmith.tui.plots.best import best_plot
from tunesmith.tui.plots.calibration import calibration_plot
from tunesmith.tui.plots.curves import CurveStore, chosen_curves, curves_plot
from tunesmith.tui.plots.data import PlotData
from tunesmith.tui.plots.front import front_plot, pairs
from tunesmith.tui.plots.importance import importance_plot
from tunesmith.tui.plots.parallel import parallel_plot
from tunesmith.tui.plots.slices import per_page, slices_plot
from tunesmith.tui.plots.timeline import timeline_plot
from tunesmith.tui.spans import Spans
from tunesmith.tui.state import Changes, RunView
from tunesmith.tui.widgets.drawing import Drawing

PLOTS = ("best so far", "curves", "importance", "slices", "parallel", "predicted", "front", "timeline")
"""By digit, from 1."""
TICK_S = 1.0
Size = tuple[int, int]


class PlotsPane(Pane):
    """Shows one plot; left and right, or its digit, choose another."""

    NAME = "plots"
    TITLE = "Plots"
    KEY = "f4"
    HELP = (
        "One picture of the run at a time: the best so far, learning curves (of the best, of trials marked "
        "with c, of those that run), how much each hyperparameter matters, the metric along each of them, "
        "trials across all of them, predicted against actual values, the Pareto front of several metrics, "
        "what each worker ran when and what it waited for."
    )
    can_focus = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "turn(-1)", "Plot before", show=False),
        Binding("right", "turn(1)", "Next plot", show=False),
        *(Binding(str(k + 1), f"choose({k})", name, show=False) for k, name in enumerate(PLOTS)),
        Binding("up", "scroll_plot(-1)", "Before", show=False),
        Binding("down", "scroll_plot(1)", "Next", show=False),
        Binding("g", "log_scale", "Log scale", show=False),
    ]
    DEFAULT_CSS = "PlotsPane Drawing { height: 1fr; }"

    def __init__(self) -> None:
        super().__init__()
        self._view: RunView | None = None
        self._data: PlotData | None = None
        self._curves = CurveStore()
        self._place = 0
        self._at = [0] * len(PLOTS)  # how far each plot was scrolled
        self._log: bool | None = None

    def compose(self) -> ComposeResult:
        yield Drawing(id="plot-drawing")

    def on_mount(self) -> None:
        self.set_interval(TICK_S, self._tick)

    def _tick(self) -> None:
        """Time goes on without events."""
        view = self._view
        if self.plot == "timeline" and self.display and view is not None and view.runs:
            self._paint()

    def show(self, view: RunView, changes: Changes) -> None:
        if view is not self._view or self._data is None:
            self._view, self._data = view, PlotData(view)
        shown = changes.plot or changes.front or changes.facts
        if shown:
            self._data.changed()
        shown |= changes.beliefs and self.plot in ("importance", "slices", "parallel")
        shown |= self.plot == "curves" and bool(changes.trials or changes.selection)
        if shown:
            self._paint()

    @property
    def plot(self) -> str:
        """Which plot is shown, of PLOTS."""
        return PLOTS[self._place]

    @property
    def _wanted(self) -> tuple[int, ...]:
        """Trials whose curves a person wants: the marked ones, and the one under the cursor."""
        chosen = self.selection.chosen
        return (*self.selection.marked, *([] if chosen is None else [chosen]))

    @property
    def lines(self) -> list[Spans]:
        """What is drawn now."""
        return self.query_one(Drawing).lines

    def hints(self) -> Hints:
        hints = [(f"←→ 1-{len(PLOTS)}", "plot")]
        if self.plot == "timeline":
            hints.append(("↑↓", "time shown"))
        if self.plot == "slices":
            hints.append(("↑↓", "hyperparameter"))
        if self.plot == "front" and self._view is not None and len(pairs(self._view.facts.goals)) > 1:
            hints.append(("↑↓", "metrics"))
        if self.plot == "curves":
            hints.append(("g", "log scale"))
        return tuple(hints)

    def action_turn(self, by: int) -> None:
        """Show the plot before or after."""
        self.action_choose((self._place + by) % len(PLOTS))

    def action_choose(self, place: int) -> None:
        """Show a plot by its place."""
        self._place = place
        self._paint()
        self.post_message(self.HintsChanged())

    def action_scroll_plot(self, by: int) -> None:
        """Show other hyperparameters or metrics of the same plot."""
        self._at[self._place] += by
        self._paint()

    def action_log_scale(self) -> None:
        """Switch the curves' scale."""
        self._log = not self._log
        self._paint()

    def _paint(self) -> None:
        self.caption(f"{self.plot} ({self._place + 1} of {len(PLOTS)})")
        if self._view is not None and self._data is not None:
            self.query_one(Drawing).show(self._drawer(self._view, self._data))

    def _drawer(self, view: RunView, data: PlotData) -> Callable[[Size], list[Spans]]:
        facts, at, beliefs = view.facts, self._at[self._place], view.beliefs
        match self.plot:
            case "best so far":
                limited = facts.goals is not None and bool(facts.goals.limits)
                return lambda size: best_plot(data.best, facts.metric, size, limited=limited)
            case "curves":
                trials = chosen_curves(view.trials, view.running_numbers, self._wanted, view.best)
                curves = self._curves.curves(trials)
                return lambda size: curves_plot(curves, facts.metric, size, log=self._log)
            case "importance":
                return lambda size: importance_plot(beliefs, size)
            case "slices":
                return lambda size: slices_plot(
                    beliefs,
                    data.observed,
                    facts.metric,
                    size,
                    at * per_page(size)[0] * per_page(size)[1],
                    data.logs,
                )
            case "parallel":
                return lambda size: parallel_plot(data.parallel(beliefs), facts.metric, view.best, size)
            case "predicted":
                return lambda size: calibration_plot(data.predicted, facts.metric, size)
            case "timeline":
                return lambda size: timeline_plot(data.timeline(), size, at)
            case _:
                return lambda size: front_plot(list(view.trials.values()), facts.goals, size, at)
