"""How wide predictions are shown, by how earlier ones held.

A Gaussian process fitted to a few trials underestimates its error, the configuration of highest expected
improvement is often one that it overestimates, and a cliff that it has not seen makes a few errors very
large. So an error is taken as Student's t with TAIL degrees of freedom, of scale f times the surrogate's own
standard deviation, and f is learnt from the run's earlier errors:

    log f ~ N(log START, START_SD^2),    error_i / sd_i / f ~ t(TAIL),    earlier errors count MEMORY^age

`Proposal.spread` is half of the central 68 % band, which for a normal distribution is its standard
deviation; `band` gives any other. This concerns what is shown and what counts as a surprise, not the
acquisition function.

The four constants were chosen together on development tasks (suites `analytic` and `development`, and the
development halves of YAHPO's lcbench and rbv2_rpart) for the coverage of the 50, 80 and 95 % bands;
`benchmarks/calibration.py` measures it.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import stdtrit

from tunesmith.history import History

TAIL = 1.5
START, START_SD = 1.1, 0.7
MEMORY = 0.87
"""By how much an error counts less with each later prediction: the surrogate of trial 8 is not that of 25."""
GRID = np.log(np.geomspace(0.1, 30.0, 80))
"""Values of log f."""
LARGEST = 1e6
"""|error| / sd is cut here."""
ONE_SPREAD = float(stdtrit(TAIL, 0.5 + math.erf(1 / math.sqrt(2)) / 2))
"""Half of the central 68 % band, in scales of the t distribution."""


def spread_factor(history: History) -> float:
    """By what factor the surrogate's standard deviation is multiplied to be shown; may be below 1."""
    prior = -0.5 * ((GRID - math.log(START)) / START_SD) ** 2
    log_posterior = prior
    for trial in history.completed:
        proposal = trial.proposal
        if proposal.expected is None or not proposal.spread or trial.value is None:
            continue
        raw = proposal.spread / proposal.provenance.spread_factor
        z = min(abs(trial.value - proposal.expected) / raw, LARGEST) if raw > 0 else LARGEST
        likelihood = -GRID - (TAIL + 1) / 2 * np.log1p((z * np.exp(-GRID)) ** 2 / TAIL)
        log_posterior = MEMORY * log_posterior + (1 - MEMORY) * prior + likelihood
    weights = np.exp(log_posterior - log_posterior.max())
    return ONE_SPREAD * math.exp(float(weights @ GRID / weights.sum()))


def band(spread: float, probability: float) -> float:
    """Half the width of the central band that holds the value with `probability`, unit of `spread`."""
    return spread * float(stdtrit(TAIL, 0.5 + probability / 2)) / ONE_SPREAD
