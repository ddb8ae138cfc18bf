"""How wide predictions must be shown to be honest, learned from how earlier ones held.

A Gaussian process fitted to a few noise-ridden trials is too sure of itself, and the configuration with the
highest expected improvement is picked where its luck was best. So every prediction that came true or did
not widens or narrows the next ones. This touches what people are told (and what counts as a surprise), not
the acquisition function.
"""

from __future__ import annotations

import math

from tunesmith.history import History

PRIOR_COUNT = 2.0
"""Predictions' worth of belief that the surrogate's own spread is right."""
CAP = 6.0
"""|z| is cut here, so that one crash of the landscape does not widen everything for good."""


def spread_factor(history: History) -> float:
    """By what factor to widen the surrogate's standard deviation; at least 1.

    The root mean square of (value - expected) / spread over completed trials that had a prediction,
    shrunk towards 1 by PRIOR_COUNT.
    """
    squares, n = PRIOR_COUNT, PRIOR_COUNT
    for trial in history.completed:
        proposal = trial.proposal
        if proposal.expected is None or not proposal.spread or trial.value is None:
            continue
        raw = proposal.spread / proposal.provenance.spread_factor
        z = min(abs(trial.value - proposal.expected) / raw, CAP) if raw > 0 else CAP
        squares, n = squares + z * z, n + 1.0
    return max(1.0, math.sqrt(squares / n))
