"""A known noise as the prior of the Gaussian process's noise variance."""

from __future__ import annotations

import math

import numpy as np

from tunesmith.agent.methods.gp.gp_model import MIN_NOISE, NoisePrior
from tunesmith.agent.methods.gp.scores import ScoreTransform
from tunesmith.noise import KnownNoise

STATED_SD = 0.5
"""Standard deviation of the log variance around a stated one: a person's figure is right to a quarter."""


def noise_prior(known: KnownNoise | None, transform: ScoreTransform, best: float) -> NoisePrior | None:
    """The prior of the noise variance in transformed units; None where nothing is known.

    The transform stretches differently everywhere; what counts is the noise among the leaders.

    Args:
        known: In metric units.
        best: The best score.
    """
    if known is None:
        return None
    low, high = transform(np.array([best - known.sd, best + known.sd]))
    variance = float((high - low) / 2) ** 2
    if not math.isfinite(variance) or variance <= MIN_NOISE:
        return None
    # The log of a chi-squared mean with f degrees of freedom has a variance of about 2 / f.
    return NoisePrior(math.log(variance), max(STATED_SD, math.sqrt(2 / known.freedom)))
