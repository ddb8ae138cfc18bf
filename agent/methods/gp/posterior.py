"""What data and priors say together: one acquisition function for every candidate.

    a(u) = log EI(u) + (4 d / n) t sum_j log p_j(u_j) + log P(works | u)

The last term (`feasibility.py`) is there once a trial has failed.

n counts finished trials, so the priors fade as evidence grows; t is how far the data agree with them. d
counts the parameters, 6 at most: the more there are, the more trials it takes to learn anything.

Trust t: with the standardised log prior q as a feature of the Gaussian process's mean, f(u) = w q(u) + GP
and w ~ N(m, s^2), the posterior mean of w is (q'K^-1 y + m/s^2) / (q'K^-1 q + 1/s^2), K the fitted
covariance with noise. t = clip(w / m, 0, 1): 1 while the priors hold as well as good priors do, 0 once the
data contradict them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tunesmith.agent.methods.gp.acquisition import log_expected_improvement
from tunesmith.agent.methods.gp.feasibility import Feasibility, feasibility_of
from tunesmith.agent.methods.gp.gp_model import GaussianProcess
from tunesmith.agent.methods.gp.prior import Prior
from tunesmith.agent.methods.gp.surrogate import Fitted, GaussianProcessSurrogate
from tunesmith.history import Array, History
from tunesmith.space import Space

PRIOR_STRENGTH = 4.0
"""For each parameter."""
MOST_COUNTED = 6
"""Parameters beyond this many do not strengthen the priors further: no larger space was measured."""
EXPECTED_WEIGHT, WEIGHT_SD = 0.8, 0.4
"""m and s of the prior of w."""


@dataclass(frozen=True)
class Posterior:
    """Surrogate and priors at one history.

    Attributes:
        fitted: The surrogate.
        trust: t in [0, 1]; 0 without priors.
        prior_weight: (4 d / n) t.
        feasibility: Where trials work; None while none has failed.
    """

    space: Space
    surrogate: GaussianProcessSurrogate
    prior: Prior
    fitted: Fitted
    trust: float
    prior_weight: float
    feasibility: Feasibility | None = None

    def predict(self, rows: Array) -> tuple[Array, Array]:
        """Mean and standard deviation in transformed units at legal rows (m, c)."""
        return self.fitted.process.predict(self.surrogate.points(rows))

    def acquisition(self, rows: Array, pending: Array) -> Array:
        """a at legal rows (m, c), shape (m,); `pending` (q, c) rows count as observed at the mean."""
        points = self.surrogate.points(pending) if len(pending) else None
        mean, std = self.fitted.process.predict(self.surrogate.points(rows), points)
        score = log_expected_improvement(mean, std, self.fitted.incumbent)
        if self.prior_weight > 0:
            score = score + self.prior_weight * self.prior.log_density(rows, self.space.active(rows))
        if self.feasibility is not None:
            score = score + self.feasibility.merit(rows)
        return score

    def best_rows(self, history: History, k: int) -> Array:
        """Rows of the best `k` trials fitted to, best first; inactive columns hold their constant."""
        order = np.argsort(-self.fitted.process.y, kind="stable")[:k]
        return history.encoded(tuple(self.fitted.trials[i] for i in order))[0]


def posterior_at(surrogate: GaussianProcessSurrogate, prior: Prior, history: History) -> Posterior | None:
    """The posterior at a history; None while there are no two different scores."""
    fitted = surrogate.fitted(history)
    if fitted is None:
        return None
    trust = 0.0
    if prior.informative:
        log_density = prior.log_density(*history.encoded(fitted.trials))
        trust = trust_in_priors(fitted.process, prior.standardise(log_density))
    free = sum(parameter.size != 1 for parameter in surrogate.space.parameters.values())
    weight = PRIOR_STRENGTH * min(free, MOST_COUNTED) / len(history.informative) * trust
    return Posterior(
        surrogate.space, surrogate, prior, fitted, trust, weight, feasibility_of(surrogate.space, history)
    )


def trust_in_priors(process: GaussianProcess, log_prior: Array) -> float:
    """t in [0, 1].

    Args:
        process: Fitted to transformed scores; pending points never enter.
        log_prior: q at the fitted points, shape (n,), standardised by its moments under the uniform
            distribution over the space.
    """
    precision = 1 / WEIGHT_SD**2
    solved = process.solve(log_prior)
    weight = (solved @ process.y + EXPECTED_WEIGHT * precision) / (solved @ log_prior + precision)
    return min(max(float(weight) / EXPECTED_WEIGHT, 0.0), 1.0)
