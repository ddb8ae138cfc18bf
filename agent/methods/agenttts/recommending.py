"""Which of the allocations that were run is best, by the surrogate: it takes the luck of the items away."""

from __future__ import annotations

import numpy as np

from tunesmith.agent.methods.agenttts.known import Known
from tunesmith.history import Array, History
from tunesmith.pipeline.kind import COST, QUALITY
from tunesmith.recommendation import Recommendation, by_best_value
from tunesmith.runs import Runs, feasible_configurations

INDIFFERENT = 0.25
"""The best value's allocation is kept while it is expected to be within this share of its own spread."""


def recommended(history: History, known: Known) -> Recommendation | None:
    """The allocation of highest expected quality; that of the best value where the two hardly differ.

    Where one that costs less scored no worse than it, and is expected to hardly differ, that is taken.

    Where something else than quality alone is optimised, or limits are to be kept, the best value decides.
    """
    best = history.incumbent
    if best is None or best.value is None or history.metric != QUALITY or not history.goals.plain:
        return by_best_value(history)
    runs = feasible_configurations(history)
    mean, std = known.posterior.quality(known.rows([one.configuration for one in runs]))
    top = int(mean.argmax())
    own = next(i for i, one in enumerate(runs) if one.configuration == best.configuration)
    chosen = own if mean[top] - mean[own] <= INDIFFERENT * std[own] else top
    dearer, chosen = chosen, _cheapest_alike(chosen, runs, mean, std, known)
    differs = chosen != own
    return Recommendation(
        trial=runs[chosen].first.number if differs else best.number,
        configuration=runs[chosen].configuration,
        expected=float(mean[chosen]),
        spread=float(std[chosen]),
        runs=len(runs[chosen].trials),
        best_trial=best.number,
        best_value=best.value,
        best_expected=float(mean[own]) if differs else None,
        instead="" if dearer != own or not differs else _why_cheaper(runs[chosen], runs[dearer]),
    )


def _cheapest_alike(chosen: int, runs: list[Runs], mean: Array, std: Array, known: Known) -> int:
    """Place of the run of least cost among those that scored and promise as much as the chosen one."""
    costs = known.cost(known.rows([one.configuration for one in runs]))
    scored = np.array([one.mean for one in runs])
    alike = (scored >= scored[chosen]) & (mean[chosen] - mean <= INDIFFERENT * std[chosen])
    alike[chosen] = True
    least = min(np.flatnonzero(alike), key=lambda i: (_measured(runs[i], float(costs[i])), i != chosen, i))
    return int(least)


def _measured(one: Runs, known_before: float) -> float:
    """Cost for one item, as measured where it was."""
    return one.first.values.get(COST, known_before)


def _why_cheaper(cheaper: Runs, dearer: Runs) -> str:
    saved = 1 - _measured(cheaper, np.nan) / _measured(dearer, np.nan)
    less = f" {saved:.0%} less" if np.isfinite(saved) else " less"
    return f"It scored no worse than trial {dearer.first.number} and costs{less}"
