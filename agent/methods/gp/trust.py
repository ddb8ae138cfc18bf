"""How far the data so far bear the priors out."""

from __future__ import annotations

from tunesmith.agent.methods.gp.gp_model import GaussianProcess
from tunesmith.history import Array

EXPECTED_WEIGHT, WEIGHT_SD = 0.8, 0.4
"""Prior of w, the weight of the standardised log prior in the GP's mean: N(0.8, 0.4^2)."""


def trust_in_priors(process: GaussianProcess, log_prior: Array) -> float:
    """Trust t in [0, 1]: 1 while the data fit the priors as well as good priors fit, 0 once they contradict.

    With the log prior as a feature of the mean, f(u) = w q(u) + GP, the posterior mean of w is
    (q'K^-1 y + m/s^2) / (q'K^-1 q + 1/s^2); K is the fitted covariance with noise.

    Args:
        process: Fitted to transformed scores; pending points never enter.
        log_prior: q at the fitted points, shape (n,), standardised by its moments under the uniform
            distribution over the space.
    """
    precision = 1 / WEIGHT_SD**2
    solved = process.solve(log_prior)
    weight = (solved @ process.y + EXPECTED_WEIGHT * precision) / (solved @ log_prior + precision)
    return min(max(float(weight) / EXPECTED_WEIGHT, 0.0), 1.0)
