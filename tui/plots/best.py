"""Best so far: every completed trial, and the incumbent's value after each of them."""

from __future__ import annotations

from tunesmith.tui.canvas.chart import Axes, Plane, chart
from tunesmith.tui.canvas.scale import Scale
from tunesmith.tui.plot_view import PlotView
from tunesmith.tui.plots.empty import empty
from tunesmith.tui.spans import Spans

DOT, INFEASIBLE, INCUMBENT = "•", "x", "★"


def best_plot(plot: PlotView, metric: str, size: tuple[int, int], *, limited: bool = False) -> list[Spans]:
    """Values by trial number.

    Args:
        limited: Whether the task has limits, so that some trials are not feasible.
    """
    if plot.limits is None:
        return empty(size, "no trial has completed yet")
    numbers = [number for number, _ in (*plot.points, *plot.infeasible, *plot.steps)]
    first, last = min(numbers), max(numbers)
    x = Scale.between(first - 0.5, max(last, first + 1) + 0.5)
    whole = tuple((value, f"{value:.0f}") for value, _ in x.ticks if value == int(value))
    axes = Axes(
        x=Scale(x.low, x.high, ticks=whole or ((float(first), str(first)),)),
        y=Scale(*plot.limits, ticks=plot.ticks),
        x_name="trial",
        y_name=f"best feasible {metric} so far" if limited else f"best {metric} so far",
        note=f"{plot.hidden} off the scale" if plot.hidden else "",
    )

    def draw(plane: Plane) -> None:
        plane.path(plot.steps, "best")
        plane.marks(plot.infeasible, INFEASIBLE, "dim")
        plane.marks(plot.points, DOT, "accent")
        for (before, old), (number, value) in zip(((-1, None), *plot.steps), plot.steps, strict=False):
            if value != old and before != -1 or before == -1:
                plane.mark(number, value, INCUMBENT, "best")

    legend: list[Spans] = [
        ((DOT, "accent"), (" a completed trial", "dim")),
        ((INCUMBENT, "best"), (" a new best", "dim")),
        (("⠤⠤", "best"), (" best so far", "dim")),
    ]
    if plot.infeasible:
        legend.append(((INFEASIBLE, "dim"), (" breaks a limit", "dim")))
    return chart(size, axes, draw, legend)
