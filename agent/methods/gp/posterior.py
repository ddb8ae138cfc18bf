"""What data and priors say together: one acquisition function for every candidate.

    a(u) = log EI(u) + (4 d / n) sum_j log p_j(u_j) + log P(works | u) + sum_l log P(l is kept | u)

P(works) (`feasibility.py`) is there once a trial has failed, the last term (`limits.py`) where the task has
limits on metrics. EI is over the best feasible trial; while none is feasible over the worst of all, so that
keeping the limits decides and the metric hardly does. With several objectives EI is the expected gain of
hypervolume (`several.py`). A budget of costs adds a term of its own (`spending.py`).

n counts finished trials, so the priors fade as evidence grows. p_j is the prior's density with every belief
counted as far as the data agree with it (`trust.py`). d counts the parameters, 6 at most: the more there are,
the more trials it takes to learn anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tunesmith.agent.methods.goals.violation import violations
from tunesmith.agent.methods.gp.acquisition import log_expected_improvement
from tunesmith.agent.methods.gp.feasibility import Feasibility, feasibility_of
from tunesmith.agent.methods.gp.limits import LimitModel, limit_models
from tunesmith.agent.methods.gp.prior import Prior
from tunesmith.agent.methods.gp.several import Objectives, objectives_at
from tunesmith.agent.methods.gp.spending import Spending
from tunesmith.agent.methods.gp.surrogate import Fitted, GaussianProcessSurrogate
from tunesmith.agent.methods.gp.trust import trusted
from tunesmith.history import Array, History
from tunesmith.space import Space
from tunesmith.trial import Trial

PRIOR_STRENGTH = 4.0
"""For each parameter."""
MOST_COUNTED = 6
"""Parameters beyond this many do not strengthen the priors further: no larger space was measured."""

ON_FRONT = 8
"""Trials of a Pareto front that get local steps."""


@dataclass(frozen=True)
class Posterior:
    """Surrogate and priors at one history.

    Attributes:
        prior: With every belief's trust.
        fitted: The surrogate.
        strength: 4 d / n.
        feasibility: Where trials work; None while none has failed.
        limits: Where trials keep the task's limits: a model of each.
        objectives: All of several; None with one.
        reached: Whether a trial is feasible: there is an incumbent.
        spending: What may be spent; None without a budget of costs.
    """

    space: Space
    surrogate: GaussianProcessSurrogate
    prior: Prior
    fitted: Fitted
    strength: float
    feasibility: Feasibility | None = None
    limits: tuple[LimitModel, ...] = ()
    objectives: Objectives | None = None
    reached: bool = True
    spending: Spending | None = None

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
        at = self.surrogate.points(rows)
        if self.objectives is None:
            mean, std = self.fitted.process.predict(at, points)
            score = log_expected_improvement(mean, std, self.fitted.incumbent)
        else:
            score = self.objectives.log_gain(at, points)
        if self.trust > 0:
            score = score + self.strength * self.prior.log_density(rows, self.space.active(rows))
        if self.feasibility is not None:
            score = score + self.feasibility.merit(rows)
        for limit in self.limits:
            score = score + limit.log_kept(at, points)
        if self.spending is not None:
            score = score + self.spending.merit(rows)
        return score

    def best_rows(self, history: History, k: int) -> Array:
        """Rows of the best `k` trials fitted to, best first; inactive columns hold their constant.

        A forecast counts as the low end of what it may be. With limits feasible trials come before others;
        with several metrics it is those of the Pareto front, ON_FRONT at most.
        """
        if history.others and history.front:
            front = history.front
            spaced = np.linspace(0, len(front) - 1, min(len(front), ON_FRONT)).round().astype(int)
            return history.encoded(tuple(front[i] for i in spaced))[0]
        process = self.fitted.process
        worse = np.sqrt(process.extra) - process.y
        trials = self.fitted.trials
        order = _ranked(history, trials, worse) if history.limits else np.argsort(worse, kind="stable")
        order = order[:k]
        return history.encoded(tuple(self.fitted.trials[i] for i in order))[0]


def posterior_at(
    surrogate: GaussianProcessSurrogate,
    prior: Prior,
    history: History,
    further: Sequence[GaussianProcessSurrogate] = (),
) -> Posterior | None:
    """The posterior at a history; None while there are no two different scores.

    Args:
        surrogate: Of the primary metric.
        further: Of each of `history.others`; without them the primary metric alone is looked at.
    """
    fitted = surrogate.fitted(history)
    if fitted is None:
        return None
    if prior.informative:
        prior = trusted(prior, fitted, history)
    free = sum(parameter.size != 1 for parameter in surrogate.space.parameters.values())
    strength = PRIOR_STRENGTH * min(free, MOST_COUNTED) / len(history.informative)
    feasibility = feasibility_of(surrogate.space, history)
    posterior = Posterior(surrogate.space, surrogate, prior, fitted, strength, feasibility)
    return posterior if history.goals.plain else _with_goals(posterior, history, further)


def _with_goals(
    posterior: Posterior, history: History, further: Sequence[GaussianProcessSurrogate]
) -> Posterior:
    """The same with the limits and further objectives of a history."""
    surrogate, reached = posterior.surrogate, bool(history.feasible)
    points = surrogate.points(history.encoded(history.completed)[0])
    # The priors say where the primary metric is good, not where the limits are kept.
    share = 1 / len(history.goals.objectives) if reached else 1 / len(history.completed)
    return replace(
        posterior,
        strength=posterior.strength * share,
        limits=limit_models(surrogate.columns, history, points) if history.limits else (),
        objectives=objectives_at(history, posterior.fitted, further) if further else None,
        reached=reached,
    )


def _ranked(history: History, trials: tuple[Trial, ...], worse: Array) -> NDArray[np.intp]:
    """Indices of trials: feasible ones by their score, then the others by how much they break the limits."""
    return np.lexsort((worse, violations(history, trials)))
