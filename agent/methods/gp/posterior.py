"""What data and priors say together: one acquisition function for every candidate.

    a(u) = log EI(u) + (4 d / n) sum_j log p_j(u_j) + log P(works | u)

The last term (`feasibility.py`) is there once a trial has failed.

n counts finished trials, so the priors fade as evidence grows. p_j is the prior's density with every belief
counted as far as the data agree with it (`trust.py`). d counts the parameters, 6 at most: the more there are,
the more trials it takes to learn anything.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tunesmith.agent.methods.gp.acquisition import log_expected_improvement
from tunesmith.agent.methods.gp.feasibility import Feasibility, feasibility_of
from tunesmith.agent.methods.gp.prior import Prior
from tunesmith.agent.methods.gp.surrogate import Fitted, GaussianProcessSurrogate
from tunesmith.agent.methods.gp.trust import trusted
from tunesmith.history import Array, History
from tunesmith.space import Space

PRIOR_STRENGTH = 4.0
"""For each parameter."""
MOST_COUNTED = 6
"""Parameters beyond this many do not strengthen the priors further: no larger space was measured."""


@dataclass(frozen=True)
class Posterior:
    """Surrogate and priors at one history.

    Attributes:
        prior: With every belief's trust.
        fitted: The surrogate.
        strength: 4 d / n.
        feasibility: Where trials work; None while none has failed.
    """

    space: Space
    surrogate: GaussianProcessSurrogate
    prior: Prior
    fitted: Fitted
    strength: float
    feasibility: Feasibility | None = None

    @property
    def trust(self) -> float:
        """Mean trust of the beliefs in [0, 1], by their share; 0 without priors."""
        return self.prior.trust

    @property
    def prior_weight(self) -> float:
        """Strength of the priors times their mean trust."""
        return self.strength * self.trust

    def predict(self, rows: Array) -> tuple[Array, Array]:
        """Mean and standard deviation in transformed units at legal rows (m, c)."""
        return self.fitted.process.predict(self.surrogate.points(rows))

    def acquisition(self, rows: Array, pending: Array) -> Array:
        """a at legal rows (m, c), shape (m,); `pending` (q, c) rows count as observed at the mean."""
        points = self.surrogate.points(pending) if len(pending) else None
        mean, std = self.fitted.process.predict(self.surrogate.points(rows), points)
        score = log_expected_improvement(mean, std, self.fitted.incumbent)
        if self.trust > 0:
            score = score + self.strength * self.prior.log_density(rows, self.space.active(rows))
        if self.feasibility is not None:
            score = score + self.feasibility.merit(rows)
        return score

    def best_rows(self, history: History, k: int) -> Array:
        """Rows of the best `k` trials fitted to, best first; inactive columns hold their constant.

        A forecast counts as the low end of what it may be.
        """
        process = self.fitted.process
        order = np.argsort(np.sqrt(process.extra) - process.y, kind="stable")[:k]
        return history.encoded(tuple(self.fitted.trials[i] for i in order))[0]


def posterior_at(surrogate: GaussianProcessSurrogate, prior: Prior, history: History) -> Posterior | None:
    """The posterior at a history; None while there are no two different scores."""
    fitted = surrogate.fitted(history)
    if fitted is None:
        return None
    if prior.informative:
        prior = trusted(prior, fitted, history)
    free = sum(parameter.size != 1 for parameter in surrogate.space.parameters.values())
    strength = PRIOR_STRENGTH * min(free, MOST_COUNTED) / len(history.informative)
    feasibility = feasibility_of(surrogate.space, history)
    return Posterior(surrogate.space, surrogate, prior, fitted, strength, feasibility)
