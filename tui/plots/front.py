"""Two metrics of several against one another, with the Pareto front."""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith.goals import Goals
from tunesmith.tools.analysis.parallel import fenced
from tunesmith.tui.canvas.chart import Axes, Plane, chart
from tunesmith.tui.canvas.scale import Scale, wants_log
from tunesmith.tui.plots.empty import empty
from tunesmith.tui.spans import Span, Spans
from tunesmith.tui.trial_view import TrialView

MOST_POINTS = 5_000
"""The newest ones beside the front."""


def pairs(goals: Goals | None) -> list[tuple[int, int]]:
    """Which two objectives can be shown against one another: (down, across), the primary one first."""
    count = 0 if goals is None else len(goals.objectives)
    return [(first, second) for first in range(count) for second in range(first + 1, count)]


def front_plot(
    trials: Sequence[TrialView], goals: Goals | None, size: tuple[int, int], pair: int = 0
) -> list[Spans]:
    """Completed trials by two metrics.

    Args:
        pair: Which of `pairs`, counted around.
    """
    choices = pairs(goals)
    if goals is None or not choices:
        return empty(size, "the task has one metric to optimise, so there is no front")
    up, across = (goals.objectives[place] for place in choices[pair % len(choices)])
    names = up.metric, across.metric
    found = [t for t in trials if not t.left and all(name in t.values for name in names)]
    if not found:
        return empty(size, "no trial has completed yet")
    front = [t for t in found if t.front]
    shown = [*(t for t in found[-MOST_POINTS:] if not t.front), *front]
    x, y = (_scale([t.values[n] for t in shown], [t.values[n] for t in front]) for n in (names[1], names[0]))
    off = sum(x.at(t.values[names[1]]) is None or y.at(t.values[names[0]]) is None for t in shown)
    several = len(goals.objectives) > 2
    bounds = [
        (limit.bound, limit.metric == names[1])
        for limit in goals.limits
        if limit.metric in names and (x if limit.metric == names[1] else y).at(limit.bound) is not None
    ]
    axes = Axes(
        x=x,
        y=y,
        x_name=f"{across.metric} ({across.direction})",
        y_name=f"{up.metric} ({up.direction})",
        note="  ".join(
            (
                *([f"{off} off the scale"] if off else []),
                *([f"metrics {pair % len(choices) + 1} of {len(choices)}: up, down"] if several else []),
            )
        ),
    )

    def draw(plane: Plane) -> None:
        if not several:  # with more metrics the front is no line in this plane
            corners: list[tuple[float, float]] = []
            for t in sorted(front, key=lambda t: t.values[names[1]]):
                if corners:  # what is attained between two of them is what the worse one in x attains
                    x_at, y_at = t.values[names[1]], corners[-1][1]
                    corners.append((x_at, y_at) if across.sign < 0 else (corners[-1][0], t.values[names[0]]))
                corners.append((t.values[names[1]], t.values[names[0]]))
            plane.path(corners, "best", every=2)
        for bound, upright in bounds:
            ends = (y.low, y.high) if upright else (x.low, x.high)
            plane.path([(bound, e) if upright else (e, bound) for e in ends], "warn", every=3)
        for t in shown:
            mark = _mark(t)
            plane.mark(t.values[names[1]], t.values[names[0]], *mark)

    legend: list[Spans] = [
        (("◆", "best"), (f" on the front ({len(front)})", "dim")),
        (("★", "best"), (f" best {goals.primary.metric[:40]}", "dim")),
        (("·", "dim"), (" dominated", "dim")),
    ]
    if bounds:
        legend.append((("⠂⠂", "warn"), (" limit", "dim")))
    if any(t.infeasible for t in shown):
        legend.append((("x", "warn"), (" breaks a limit", "dim")))
    return chart(size, axes, draw, legend)


def _mark(trial: TrialView) -> Span:
    if trial.front:
        return ("★" if trial.best else "◆"), "best"
    return ("x", "warn") if trial.infeasible else ("·", "dim")


def _scale(values: Sequence[float], keep: Sequence[float]) -> Scale:
    low, high = fenced(values, keep)
    inside = [v for v in values if low <= v <= high]
    return Scale.of(inside, log=wants_log(inside))
