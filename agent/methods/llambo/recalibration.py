"""Honest spreads for a surrogate whose own are too narrow, from how it predicts trials it has not been shown.

The spread of a model's answers says how much they vary, not how wrong they are: LLAMBO's is far too sure of
itself. Here some of the observed trials are left out one by one and predicted from the rest. The factor on
every spread is the split-conformal quantile of |error| / spread at the share that one standard deviation of a
normal covers (Vovk et al., 2005; Lei et al., 2018). Being one factor for all it leaves the ranking of means
and that of spreads alone; what it changes is how far the acquisition function trusts the former.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tunesmith.history import Array, History
from tunesmith.trial import Trial

LEAST = 4
"""Observed trials below which there is nothing to calibrate by."""
COVERED = 0.6827
"""What a normal's mean +- one standard deviation covers."""
NARROWEST, WIDEST = 0.25, 20.0
"""Bounds of the factor: so few errors cannot tell more."""


@dataclass(frozen=True)
class Recalibration:
    """What leave-one-out predictions said.

    Attributes:
        factor: What to multiply every spread by; 1 where there was too little to go by.
        trials: How many trials were predicted.
        covered: Share of them within one uncorrected spread; NaN without any.
    """

    factor: float = 1.0
    trials: int = 0
    covered: float = math.nan


UNCHANGED = Recalibration()


def recalibration(errors: Array, spreads: Array) -> Recalibration:
    """The factor for predictions with these errors and spreads, metric units, shape (n,); NaN is left out."""
    known = np.isfinite(errors) & np.isfinite(spreads) & (spreads > 0)
    z = np.sort(np.abs(errors[known]) / spreads[known])
    if len(z) < LEAST:
        return UNCHANGED
    place = min(math.ceil((len(z) + 1) * COVERED), len(z))
    factor = float(np.clip(z[place - 1], NARROWEST, WIDEST))
    return Recalibration(factor, len(z), float(np.mean(z <= 1)))


def prefix(history: History) -> tuple[Trial, ...]:
    """The completed trials to calibrate by: the first 4, 8, 16, ...

    They change when their number doubles, so that a run of n trials is calibrated log2(n) times, and a
    resumed run by the same trials as one that was not interrupted.
    """
    n = len(history.completed)
    return history.completed[: 1 << (n.bit_length() - 1)] if n >= LEAST else ()


def left_out(trials: tuple[Trial, ...], most: int, sign: float) -> tuple[Trial, ...]:
    """At most `most` of them, spread evenly over the ranks of their scores, best and worst among them."""
    ranked = sorted(trials, key=lambda t: (-sign * (t.value or 0.0), t.number))
    places = np.unique(np.linspace(0, len(ranked) - 1, min(most, len(ranked))).round().astype(int))
    return tuple(ranked[i] for i in places)
