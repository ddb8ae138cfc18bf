"""How wide predictions are shown, by how earlier ones held.

A Gaussian process fitted to a few noisy trials underestimates its error, and the configuration with the
highest expected improvement is often one that it overestimates. So the spread of a prediction is widened by
the errors of the earlier ones. This concerns the spread that is shown (and what counts as a surprise), not
the acquisition function.
"""

from __future__ import annotations

import math

from tunesmith.history import History

PRIOR_COUNT = 2.0
"""How many predictions the assumption that the surrogate's own spread is right counts for."""
CAP = 6.0
"""|z| is cut here, so that one extreme value does not widen all later predictions."""


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
