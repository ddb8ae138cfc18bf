"""What was predicted of each trial against what came of it, with the shares within 1 and 2 spreads."""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith.beliefs import HONEST
from tunesmith.tools.analysis.parallel import fenced
from tunesmith.tools.analysis.predicted import Predicted, within
from tunesmith.tui.canvas.chart import Axes, Plane, chart
from tunesmith.tui.canvas.scale import Scale
from tunesmith.tui.plots.empty import empty
from tunesmith.tui.spans import Role, Spans

NEAR: tuple[str, Role] = ("•", "good")
FAR: tuple[str, Role] = ("o", "warn")
MISSED: tuple[str, Role] = ("x", "bad")
MOST_BARS = 25
"""With more trials the spreads would cover the points."""
MOST_POINTS = 5_000
"""The newest ones that are drawn; the shares count all."""


def calibration_plot(points: Sequence[Predicted], metric: str, size: tuple[int, int]) -> list[Spans]:
    """Actual over predicted value; one spread is a line through the point, equal values are a diagonal."""
    if not points:
        return empty(size, "no completed trial had a prediction yet")
    shown = points[-MOST_POINTS:]
    values = [value for p in shown for value in (p.expected, p.actual)]
    scale = Scale.of(fenced(values))
    off = sum(scale.at(p.expected) is None or scale.at(p.actual) is None for p in shown)
    axes = Axes(
        x=scale,
        y=scale,
        x_name=f"predicted {metric}",
        y_name="actual",
        note=shares(points) + (f"  {off} off the scale" if off else ""),
    )

    def draw(plane: Plane) -> None:
        plane.path(((scale.low, scale.low), (scale.high, scale.high)), "dim", every=3)
        if len(shown) <= MOST_BARS:
            for p in shown:
                if scale.at(p.actual) is not None:
                    plane.path(
                        ((p.expected - p.spread, p.actual), (p.expected + p.spread, p.actual)), "dim", every=6
                    )
        for p in shown:
            plane.mark(p.expected, p.actual, *_mark(p))

    legend: list[Spans] = [
        (NEAR, (" within 1 sd", "dim")),
        (FAR, (" within 2 sd", "dim")),
        (MISSED, (" missed by more", "dim")),
        (("⠂⠂", "dim"), (" as predicted", "dim")),
    ]
    if len(shown) <= MOST_BARS:
        legend.append((("⠐⠐", "dim"), (" ± 1 sd", "dim")))
    return chart(size, axes, draw, legend)


def shares(points: Sequence[Predicted]) -> str:
    """`7 of 10 within 1 sd (70%, right 68%), 10 within 2 sd (100%, right 86%)`."""
    total, one, two = len(points), within(points, 1.0), within(points, 2.0)
    return (
        f"{one} of {total} within 1 sd ({one / total:.0%}, right {HONEST[0]:.0%}),"
        f" {two} within 2 sd ({two / total:.0%}, right {HONEST[1]:.0%})"
    )


def _mark(point: Predicted) -> tuple[str, Role]:
    off = abs(point.off)
    return NEAR if off <= 1 else FAR if off <= 2 else MISSED
