"""The best-so-far plot as numbers: which points, which steps, which range. No screen involved."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from tunesmith.text.charts import round_ticks

LARGEST = 1.7e308


@dataclass(frozen=True)
class PlotView:
    """Completed trials and the incumbent's value after each of them.

    Attributes:
        points: (trial number, value) of completed trials inside `limits`.
        infeasible: The same of those that break a limit of the task.
        steps: Corners of the best-so-far line, by trial number, extended to the newest trial.
        limits: Lowest and highest value shown; None while there is nothing to show.
        ticks: Round values inside `limits`, and how they are written.
        hidden: Completed trials so far off that showing them would flatten all others.
    """

    points: tuple[tuple[int, float], ...] = ()
    infeasible: tuple[tuple[int, float], ...] = ()
    steps: tuple[tuple[int, float], ...] = ()
    limits: tuple[float, float] | None = None
    ticks: tuple[tuple[float, str], ...] = ()
    hidden: int = 0


def plot_view(
    completed: list[tuple[int, float]],
    improvements: list[tuple[int, float]],
    newest: int,
    infeasible: Collection[int] = (),
) -> PlotView:
    """The plot of a run.

    Args:
        completed: (trial number, value) of every completed trial.
        improvements: (trial number, value) of each new incumbent, in the order they came.
        newest: Largest trial number so far.
        infeasible: Numbers of those that break a limit of the task.
    """
    if not completed:
        return PlotView()
    values = sorted(value for _, value in completed)
    bests = [value for _, value in improvements]
    # Tukey's fences, three quartile distances out; the incumbents always show.
    first, third = values[len(values) // 4], values[(3 * len(values)) // 4]
    reach = min(6 * (third / 2 - first / 2), LARGEST)
    inside = [v for v in values if first - reach <= v <= third + reach] if reach > 0 else values
    shown_bests = bests[-1:] if len(values) >= 8 else bests
    low, high = _span([*inside, *shown_bests])
    inner = [(number, value) for number, value in completed if low <= value <= high]
    steps: list[tuple[int, float]] = []
    for number, value in sorted(improvements):
        value = min(max(value, low), high)
        if steps:
            steps.append((number, steps[-1][1]))
        steps.append((number, value))
    if steps and newest > steps[-1][0]:
        steps.append((newest, steps[-1][1]))
    return PlotView(
        tuple(pair for pair in inner if pair[0] not in infeasible),
        tuple(pair for pair in inner if pair[0] in infeasible),
        tuple(steps),
        (low, high),
        tuple(round_ticks(low, high)),
        len(completed) - len(inner),
    )


def _span(values: Iterable[float]) -> tuple[float, float]:
    shown = list(values)
    low, high = min(shown), max(shown)
    # Halved: the span of two huge values may overflow.
    margin = (high / 2 - low / 2) * 0.08 or abs(high) * 0.01 or 1.0
    return max(low - margin, -LARGEST), min(high + margin, LARGEST)
