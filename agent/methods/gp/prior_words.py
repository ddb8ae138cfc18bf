"""A prior in words, for `tunesmith check`, the run and its report."""

from __future__ import annotations

import numpy as np

from tunesmith.agent.methods.gp.densities import GRID
from tunesmith.agent.methods.gp.prior import Belief, Prior
from tunesmith.space import Bool, Categorical, Parameter
from tunesmith.stated_prior import StatedPrior

CENTRAL = (0.16, 0.84)


def stated(prior: Prior) -> tuple[StatedPrior, ...]:
    """Every belief of the prior, in order of the parameters."""
    return tuple(
        StatedPrior(
            parameter=name,
            source=belief.source,
            share=round(belief.share, 4),
            text=_text(prior.space.parameters[name], belief),
        )
        for name, belief in prior.beliefs
    )


def _text(parameter: Parameter, belief: Belief) -> str:
    if isinstance(parameter, Categorical | Bool):
        density = belief.density if isinstance(parameter, Categorical) else belief.density[[0, -1]]
        best = int(np.argmax(density))
        return f"{parameter.listed[best]} {density[best] / len(density):.0%}"
    cumulative = np.cumsum(belief.density) / np.sum(belief.density)
    low, high = GRID[np.searchsorted(cumulative, CENTRAL).clip(0, len(GRID) - 1)]
    best = GRID[np.argmax(belief.density)]
    places = np.array([min(low, best), best, max(high, best)])
    if parameter.numeric:
        values = [f"{value:.3g}" for value in parameter.numbers(places)]
    else:
        values = [str(parameter.from_unit(float(u))) for u in places]
    return f"near {values[1]} ({values[0]} to {values[2]})"
