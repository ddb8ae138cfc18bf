"""Which of the allocations that were run is best, by the surrogate: it takes the luck of the items away."""

from __future__ import annotations

from tunesmith.agent.methods.agenttts.known import Known
from tunesmith.history import History
from tunesmith.pipeline.kind import QUALITY
from tunesmith.recommendation import Recommendation, by_best_value
from tunesmith.runs import feasible_configurations

INDIFFERENT = 0.25
"""The best value's allocation is kept while it is expected to be within this share of its own spread."""


def recommended(history: History, known: Known) -> Recommendation | None:
    """The allocation of highest expected quality; that of the best value where the two hardly differ.

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
    )
