"""Which of the evaluated configurations is best by the surrogate: incumbent by posterior mean.

The mean at an evaluated point averages its own values with those near it, each by its noise; with noise it
chooses better than the best value does (Picheny, Wagner and Ginsbourger, 2013), and without any it is that
value.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tunesmith.agent.methods.gp.posterior import Posterior
from tunesmith.history import Array, History
from tunesmith.noise import known_noise
from tunesmith.recommendation import Recommendation
from tunesmith.trial import Trial

INDIFFERENT = 0.1
"""The best value's configuration is kept while its mean is within this share of the noise of the top one."""


GUESSED = 1.0
"""The same where nothing is known of the noise: then part of it may be what the process does not fit."""


class Leaders(NamedTuple):
    """The configurations that completed, best first by posterior mean.

    Attributes:
        trials: One for each: the first that completed.
        runs: How often each completed, (m,).
        mean, std: Posterior moments in transformed units, (m,).
    """

    trials: tuple[Trial, ...]
    runs: list[int]
    mean: Array
    std: Array


def leaders(history: History, posterior: Posterior) -> Leaders:
    """Every configuration that completed at least once; at least one has."""
    first: dict[str, Trial] = {}
    runs: dict[str, int] = {}
    for trial in history.completed:
        digest = trial.configuration.digest
        first.setdefault(digest, trial)
        runs[digest] = runs.get(digest, 0) + 1
    trials = tuple(first.values())
    mean, std = posterior.predict(history.encoded(trials)[0])
    order = np.argsort(-mean, kind="stable")
    ranked = tuple(trials[i] for i in order)
    return Leaders(ranked, [runs[t.configuration.digest] for t in ranked], mean[order], std[order])


def recommended(history: History, posterior: Posterior) -> Recommendation | None:
    """The configuration of best posterior mean; that of the best value where the two hardly differ."""
    best = history.incumbent
    if best is None or best.value is None:
        return None
    found = leaders(history, posterior)
    at_best = next(i for i, t in enumerate(found.trials) if t.configuration == best.configuration)
    share = GUESSED if known_noise(posterior.surrogate.noise, history) is None else INDIFFERENT
    slack = share * float(np.sqrt(posterior.fitted.process.noise))
    chosen = at_best if found.mean[0] - found.mean[at_best] <= slack else 0
    expected, spread = posterior.fitted.metric(found.mean, found.std)
    differs = chosen != at_best
    shown = history.metric_range.spread(float(expected[chosen]), float(spread[chosen]))
    return Recommendation(
        trial=found.trials[chosen].number if differs else best.number,
        configuration=found.trials[chosen].configuration,
        expected=float(expected[chosen]),
        spread=shown,
        runs=found.runs[chosen],
        best_trial=best.number,
        best_value=best.value,
        best_expected=float(expected[at_best]) if differs else None,
    )
