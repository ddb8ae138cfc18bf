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
from tunesmith.recommendation import Recommendation, by_best_value
from tunesmith.runs import feasible_configurations
from tunesmith.trial import Trial

INDIFFERENT = 0.1
"""The best value's configuration is kept while its mean is within this share of the noise of the top one."""


GUESSED = 1.0
"""The same where nothing is known of the noise: then part of it may be what the process does not fit."""


class Leaders(NamedTuple):
    """The configurations that keep every limit by the means of their runs, best first by posterior mean.

    With several metrics, those of the Pareto front alone.

    Attributes:
        trials: One for each: the first that completed and keeps every limit.
        runs: How often each completed, (m,).
        mean, std: Posterior moments in transformed units, (m,).
    """

    trials: tuple[Trial, ...]
    runs: list[int]
    mean: Array
    std: Array


def leaders(history: History, posterior: Posterior) -> Leaders:
    """Every configuration that may be recommended; none where no trial is feasible."""
    runs = feasible_configurations(history)
    if history.others:
        front = {trial.configuration for trial in history.front}
        runs = [one for one in runs if one.configuration in front]
    trials = tuple(one.first_feasible(history.goals) or one.first for one in runs)
    if not trials:
        return Leaders((), [], np.empty(0), np.empty(0))
    mean, std = posterior.predict(history.encoded(trials)[0])
    order = np.argsort(-mean, kind="stable")
    return Leaders(
        tuple(trials[i] for i in order), [len(runs[i].trials) for i in order], mean[order], std[order]
    )


def recommended(history: History, posterior: Posterior) -> Recommendation | None:
    """The configuration of best posterior mean; that of the best value where the two hardly differ."""
    best = history.incumbent
    if best is None or best.value is None:
        return None
    found = leaders(history, posterior)
    at_best = next((i for i, t in enumerate(found.trials) if t.configuration == best.configuration), None)
    if at_best is None:
        return by_best_value(history)  # its runs break a limit by their means
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
