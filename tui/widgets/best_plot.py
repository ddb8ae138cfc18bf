"""Values of completed trials, and the best so far."""

from __future__ import annotations

from textual.reactive import reactive
from textual_plotext import PlotextPlot

from tunesmith.tui import theme
from tunesmith.tui.plot_view import PlotView


class BestPlot(PlotextPlot):
    """Draws `view`: a dot a trial, a cross one that is not feasible, a line for the incumbent."""

    view: reactive[PlotView] = reactive(PlotView(), init=False)

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        _register_theme()

    def watch_view(self, view: PlotView) -> None:
        plt = self.plt
        plt.clear_data()
        plt.clear_color()
        if view.limits is not None:
            plt.ylim(*view.limits)
            numbers = [number for number, _ in (*view.points, *view.infeasible, *view.steps)]
            first, last = min(numbers), max(numbers)
            plt.xlim(first - 0.5, max(last, first + 1) + 0.5)
            plt.xticks(*_ticks(first, last))
            plt.yticks([value for value, _ in view.ticks], [text for _, text in view.ticks])
            plt.xaxes(True, False)
            plt.yaxes(True, False)
            if view.infeasible:
                plt.scatter(*_columns(view.infeasible), marker="x", color=theme.rgb(theme.DIM))
            if view.steps:
                plt.plot(*_columns(view.steps), marker="braille", color=theme.rgb(theme.AMBER))
            if view.points:
                plt.scatter(*_columns(view.points), marker="•", color=theme.rgb(theme.BLUE))
        self.refresh()


def _columns(pairs: tuple[tuple[int, float], ...]) -> tuple[list[int], list[float]]:
    return [number for number, _ in pairs], [value for _, value in pairs]


def _ticks(first: int, last: int) -> tuple[list[float], list[str]]:
    step = max((last - first) // 5, 1)
    at = range(first, last + 1, step)
    return [float(number) for number in at], [str(number) for number in at]


def _register_theme() -> None:
    from plotext._dict import themes

    surface = theme.rgb(theme.BACKGROUND)
    # The name that PlotextPlot gives the app's theme; its own guess has no room for the dim axes.
    themes[f"textual-auto-{theme.THEME.name}"] = [surface, surface, theme.rgb(theme.DIM), "default", []]
