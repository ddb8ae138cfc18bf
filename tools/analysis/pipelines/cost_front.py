"""Cost against quality of all allocations that were run, whatever the run's goal was."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.history import History
from tunesmith.pipeline.costs import item_cost
from tunesmith.pipeline.kind import COST, QUALITY
from tunesmith.pipeline.settings import PipelineSettings
from tunesmith.tools.analysis.pipelines.item_mean import item_mean
from tunesmith.trial import Trial


@dataclass(frozen=True)
class CostPoint:
    """One completed trial."""

    trial: int
    cost: float
    """For one item, units of the cost model: measured where it was, else as known before the run."""
    quality: float
    low: float | None
    high: float | None
    """Ends of the 95 % interval of quality over items."""
    on_front: bool
    """Whether no other trial is at least as good at most as dear, and better in one of the two."""


def cost_of(options: PipelineSettings, trial: Trial) -> float:
    """What a trial's allocation costs for one item: as measured, else as known before the run."""
    measured = trial.values.get(COST)
    return item_cost(options, trial.configuration) if measured is None else measured


def cost_front(options: PipelineSettings, history: History) -> tuple[CostPoint, ...]:
    """All completed trials, cheapest first; of equal ones the earliest is on the front."""
    rows = sorted(
        (cost_of(options, trial), -trial.values[QUALITY], trial.number, trial)
        for trial in history.completed
        if QUALITY in trial.values
    )
    points: list[CostPoint] = []
    best = float("-inf")
    for cost, negative, number, trial in rows:
        known = item_mean(trial, QUALITY)
        low, high = (None, None) if known is None else (known.low, known.high)
        points.append(CostPoint(number, cost, -negative, low, high, on_front=-negative > best))
        best = max(best, -negative)
    return tuple(points)
