"""A known noise as the prior of the Gaussian process's noise variance."""

from __future__ import annotations

import math

import numpy as np

from tunesmith.agent.methods.gp.gp_model import MIN_NOISE, NoisePrior
from tunesmith.agent.methods.gp.scores import ScoreTransform
from tunesmith.noise import KnownNoise

STATED_SD = 0.5
"""Standard deviation of the log variance around a stated one: a person's figure is right to a quarter."""
QUIET = 1e-4
"""Noise variance expected of deterministic training, transformed units: what the kernel does not fit."""
QUIET_SD = 1.0


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
    if not math.isfinite(variance) or variance <= QUIET:
        return NoisePrior(math.log(max(QUIET, MIN_NOISE)), QUIET_SD)
    # The log of a chi-squared mean with f degrees of freedom has a variance of about 2 / f.
    return NoisePrior(math.log(variance), max(STATED_SD, math.sqrt(2 / known.freedom)))
