"""What data and priors say together: one acquisition function that every candidate is judged by.

    a(u) = log EI(u) + (4 d / n) t sum_j log p_j(u_j)

n counts finished trials, so the priors fade as evidence grows; t is the trust they have earned (`trust.py`).
d counts the parameters, 6 at most: the more there are, the longer data alone take to say anything.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tunesmith.agent.methods.gp.acquisition import log_expected_improvement
from tunesmith.agent.methods.gp.prior import Prior
from tunesmith.agent.methods.gp.surrogate import Fitted, GaussianProcessSurrogate, informative
from tunesmith.agent.methods.gp.trust import trust_in_priors
from tunesmith.history import Array, History
from tunesmith.space import Space

PRIOR_STRENGTH = 4.0
"""For each parameter."""
MOST_COUNTED = 6
"""Parameters beyond this many do not strengthen the priors further: no larger space was measured."""


@dataclass(frozen=True)
class Belief:
    """The state of knowledge at one history.

    Attributes:
        fitted: The surrogate.
        trust: t in [0, 1]; 0 without priors.
        prior_weight: (4 d / n) t.
    """

    space: Space
    surrogate: GaussianProcessSurrogate
    prior: Prior
    fitted: Fitted
    trust: float
    prior_weight: float

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
        return score

    def best_rows(self, history: History, k: int) -> Array:
        """Rows of the best `k` trials fitted to, best first; inactive columns hold their constant."""
        order = np.argsort(-self.fitted.process.y, kind="stable")[:k]
        return history.encoded(tuple(self.fitted.trials[i] for i in order))[0]


def believe(surrogate: GaussianProcessSurrogate, prior: Prior, history: History) -> Belief | None:
    """The belief at a history; None while there are no two different scores."""
    fitted = surrogate.fitted(history)
    if fitted is None:
        return None
    trust = 0.0
    if prior.informative:
        log_density = prior.log_density(*history.encoded(fitted.trials))
        trust = trust_in_priors(fitted.process, prior.standardise(log_density))
    free = sum(parameter.size != 1 for parameter in surrogate.space.parameters.values())
    weight = PRIOR_STRENGTH * min(free, MOST_COUNTED) / len(informative(history)) * trust
    return Belief(surrogate.space, surrogate, prior, fitted, trust, weight)
