"""Which share of the belief about a hyperparameter comes from where.

The results' share is the part of the range that they rule out by themselves, 1 - exp(H(q)) / cells with H(q)
the entropy of where the optimum is by the drawn functions without any prior. The rest is divided as the
prior is: a source has share_k t_k, its share at the start times how far results bear it out; what is missing
to 1 is `none`: nobody says anything, so every value is alike.
"""

from __future__ import annotations

import numpy as np

from tunesmith.agent.methods.gp.densities import GRID
from tunesmith.agent.methods.gp.prior import Belief, ParameterPrior
from tunesmith.agent.methods.gp.prior_words import CENTRAL
from tunesmith.beliefs import Source
from tunesmith.history import Array
from tunesmith.space import Bool, Categorical, Parameter
from tunesmith.text.literal import one_line

RESULTS, NONE = "results", "none"


def ruled_out(mass: Array) -> float:
    """Share in [0, 1] of the range that a distribution over equal atoms rules out; 0 for a uniform one."""
    positive = mass[mass > 0]
    entropy = -float(positive @ np.log(positive))
    return float(np.clip(1 - np.exp(entropy) / len(mass), 0.0, 1.0))


def sources_of(parameter: Parameter, prior: ParameterPrior | None, by_results: float) -> tuple[Source, ...]:
    """Every source with its share, the largest first; shares sum to 1.

    Args:
        by_results: Share in [0, 1] that the results have.
    """
    found: dict[str, tuple[float, list[str]]] = {}
    for belief in prior.beliefs if prior is not None else ():
        weight, texts = found.get(belief.source, (0.0, []))
        found[belief.source] = (weight + belief.share * belief.trust, [*texts, _text(parameter, belief)])
    rest = 1 - by_results
    listed = [
        Source(name=name, weight=rest * weight, text=" or ".join(texts)[:200])
        for name, (weight, texts) in found.items()
    ]
    stated = sum(source.weight for source in listed)
    if by_results > 0:
        listed.append(Source(name=RESULTS, weight=by_results))
    listed.append(Source(name=NONE, weight=max(0.0, 1 - by_results - stated)))
    return tuple(sorted(listed, key=lambda source: -source.weight))


def _text(parameter: Parameter, belief: Belief) -> str:
    if isinstance(parameter, Categorical | Bool):
        density = belief.density if isinstance(parameter, Categorical) else belief.density[[0, -1]]
        top = int(np.argmax(density))
        return one_line(f"{parameter.format(parameter.listed[top])} {density[top] / density.sum():.0%}", 60)
    cumulative = np.cumsum(belief.density) / np.sum(belief.density)
    low, high = GRID[np.searchsorted(cumulative, CENTRAL).clip(0, len(GRID) - 1)]
    best = float(GRID[np.argmax(belief.density)])
    low, high = min(float(low), best), max(float(high), best)
    words = [parameter.format(parameter.from_unit(unit)) for unit in (best, low, high)]
    return one_line(f"near {words[0]} ({words[1]} to {words[2]})", 100)
