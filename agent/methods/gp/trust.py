"""How far the results bear each belief out: a weight per source and parameter.

**By regression.** With q_jk what belief k adds to the log density of parameter j, centred, as a feature of
the Gaussian process's mean,

    f(u) = sum_jk w_jk q_jk(u) + GP,    w_jk = c + g_k + o_jk,    E w_jk = m

c is common to all beliefs, g_k to those of source k, o_jk the belief's own; each is normal. With K the fitted
covariance including noise, Q the features at the n fitted points and S the covariance of the weights, their
posterior mean is

    E[w] = m + S Q' (K + Q S Q')^-1 (y - Q m),    t_jk = clip(E[w_jk] / (0.7 m), 0, 1)

so t is 1 while a belief holds about as well as good priors do and 0 once the data contradict it. The features
are scaled by one number, so that their sum, shares counted, has variance 1 over the space: for a single
belief this is the regression on its standardised log density.

**By misses.** Where the scores carry no contrast, such as chance level all over, a regression has nothing to
say. But a belief says that good places are near where it is high, so every equal result there is evidence
against it. If a place drawn from the whole range is good with probability h, one at density b is with
probability h b, and the odds that the belief holds change by (1 - h b) / (1 - h) with each equal result. They
start at 9 to 1. A stated default counts any result that does not improve on the best as such a miss, so that
it fades in a handful of trials unless going near it pays.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tunesmith.agent.methods.gp.gp_model import GaussianProcess
from tunesmith.agent.methods.gp.prior import DEFAULT, Prior
from tunesmith.agent.methods.gp.surrogate import Fitted
from tunesmith.history import Array, History
from tunesmith.progress import Progress

EXPECTED_WEIGHT = 0.8
"""m: how strongly scores follow a prior that is as good as priors are."""
COMMON_SD, SOURCE_SD, OWN_SD = 0.3, 0.2, 0.2
"""Of c, g and o. Together about 0.4 for one belief, as for the one joint weight of earlier releases, whose
constants were set on development tasks."""
DEFAULT_OWN_SD = 0.8
"""Of o for a stated default, which is as often a value in use as a good one: m give or take all of m."""
SHAPE_VARIANCE = 0.1
"""Added to K's diagonal, in transformed units: a belief says where scores are high, and its density is not
claimed to have their exact shape, which a Gaussian process of smooth scores without noise would ask for."""
ENOUGH = 0.7
"""A weight of this share of m is full trust, so that chance alone does not weaken beliefs that hold."""

GOOD_CHANCE = 0.2
"""h: a good region of 4 % of the space in two parameters spans a fifth of each range."""
HOLDS = 0.9
"""Probability that a belief holds before there is any result."""
LEAST_MISS = 0.1
"""1 - h b is at least this: at the top of a sharp belief even a good region has worse places."""


def trusted(prior: Prior, fitted: Fitted, history: History) -> Prior:
    """The prior with each belief's trust, by regression and by equal results.

    Args:
        fitted: The surrogate of `history`; pending points never enter.
    """
    rows, active = history.encoded(fitted.trials)
    sources = [belief.source for _, belief in prior.beliefs]
    by_regression = trusts(fitted.process, features(prior, rows, active), sources)
    return prior.trusted(by_regression * after_misses(prior, history))


def features(prior: Prior, rows: Array, active: NDArray[np.bool_]) -> Array:
    """Q (n, F): an inactive parameter speaks neither for nor against a belief."""
    columns, variance = [], 0.0
    for name, parameter in prior.parameters.items():
        shown = active[:, prior.columns[name][0]]
        parts = parameter.parts
        columns += [np.where(shown, prior.at(name, part, rows), 0.0) for part in parts]
        variance += float(np.var(np.sum(parts, axis=0)))
    Q: Array = np.stack(columns, axis=1) / np.sqrt(max(variance, 1e-12))
    return Q


def trusts(process: GaussianProcess, Q: Array, sources: list[str]) -> Array:
    """t (F,) by regression, each in [0, 1].

    Args:
        Q: Features at the fitted points, (n, F).
        sources: The source of each belief, F of them.
    """
    same = np.array([[float(a == b) for b in sources] for a in sources])
    own = np.array([DEFAULT_OWN_SD if source == DEFAULT else OWN_SD for source in sources])
    S = COMMON_SD**2 + SOURCE_SD**2 * same + np.diag(own**2)
    expected = np.full(len(sources), EXPECTED_WEIGHT)
    one = np.eye(len(process.y))
    solved = process.solve(one)
    inverse = np.linalg.solve(one + SHAPE_VARIANCE * solved, solved)
    # Q' (K + Q S Q')^-1 = (I + G S)^-1 Q' K^-1 with G = Q' K^-1 Q.
    G = Q.T @ inverse @ Q
    away = Q.T @ inverse @ (process.y - Q @ expected)
    weights = expected + S @ np.linalg.solve(np.eye(len(sources)) + G @ S, away)
    t: Array = np.clip(weights / (ENOUGH * EXPECTED_WEIGHT), 0.0, 1.0)
    return t


def after_misses(prior: Prior, history: History) -> Array:
    """Factors (F,) in [0, 1]: less the more misses lie where a belief is high.

    A miss of any belief is an equal result: all of them, or, where more than half are equal, these unless
    they are the best. A miss of a default is also a result that is no better than the best before it.
    """
    scores = history.scores
    if not len(scores):
        return np.ones(len(prior.beliefs))
    equal = _equal(scores)
    no_better = np.concatenate([[False], scores[1:] <= np.maximum.accumulate(scores)[:-1]])
    if not history.goals.plain:
        steps = Progress(history.goals)
        no_better = np.array([not steps.add(trial) for trial in history.completed])
    rows, active = history.encoded(history.completed)
    factors = []
    for name, belief in prior.beliefs:
        missed = equal | no_better if belief.source == DEFAULT else equal
        missed = missed & active[:, prior.columns[name][0]]
        density = prior.at(name, belief.density, rows)[missed]
        miss = np.maximum(1 - GOOD_CHANCE * density, LEAST_MISS) / (1 - GOOD_CHANCE)
        odds = HOLDS / (1 - HOLDS) * np.exp(np.log(miss).sum())
        factors.append(min(odds / (1 + odds) / HOLDS, 1.0))
    return np.array(factors)


def _equal(scores: Array) -> NDArray[np.bool_]:
    values, which, counts = np.unique(scores, return_inverse=True, return_counts=True)
    common = int(np.argmax(counts))
    flat = len(values) == 1 or (2 * counts[common] > len(scores) and common < len(values) - 1)
    equal: NDArray[np.bool_] = which == (common if flat else -1)
    return equal


def without_surrogate(prior: Prior, history: History) -> Prior:
    """The prior while nothing can be fitted: no result yet, or equal ones only."""
    return prior.trusted(after_misses(prior, history)) if prior.informative else prior
