"""What the trials of a history have shown, as numbers of a surrogate: means over items, and their errors.

Trials are judged on the same items in the same order, so their errors are correlated: an item that is easy is
easy for all. The covariance of two means is estimated from the items that both trials have; a trial that was
stopped has the first ones only, and counts with the larger error that so few have.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tunesmith.errors import ItemsError
from tunesmith.history import Array, History
from tunesmith.items import Items
from tunesmith.pipeline.allocation import StageChoice
from tunesmith.pipeline.kind import QUALITY
from tunesmith.trial import Trial, TrialState

ASSUMED_ITEMS = 100
"""Where a trial has no scores per item: its mean counts as that of so many."""
SHRINKAGE = 0.1
"""Share by which covariances between trials are shrunk: with few items they are estimates themselves."""
MOST_OF_STAGES = 24
"""Scores of stages' own output that are used, those of the best trials: each one costs as much as a trial."""
LEAST = 2
"""Items of a stopped trial that say something."""


@dataclass(frozen=True)
class Observation:
    """A mean that was measured.

    Attributes:
        trial: Number of the trial.
        choices: Of the stages up to the one that is measured; all of them where it is the end score.
        mean: In [0, 1] where item scores are.
        items: Scores, in the order of the items; empty where they are not known.
    """

    trial: int
    choices: tuple[StageChoice, ...]
    mean: float
    items: Array


def observations(
    history: History, read: dict[int, tuple[StageChoice, ...]], metric: str
) -> list[Observation]:
    """The end scores of trials that completed or were stopped, oldest first.

    Args:
        read: Choices of each trial, by its number.
        metric: Name of the quality.
    """
    found = []
    for trial in history.scored:
        scores = item_scores(trial, metric)
        if trial.state is TrialState.COMPLETED:
            mean = trial.value if metric == history.metric else trial.values.get(metric)
        else:
            mean = float(scores.mean()) if len(scores) >= LEAST else None
        if mean is not None and trial.number in read:
            found.append(Observation(trial.number, read[trial.number], float(mean), scores))
    return found


def stage_observations(
    history: History, read: dict[int, tuple[StageChoice, ...]], names: Sequence[str]
) -> list[Observation]:
    """`<stage>.score` of all stages but the last, once for each different allocation up to there."""
    found: dict[tuple[StageChoice, ...], Observation] = {}
    best_first = sorted(history.completed, key=lambda t: (-t.values.get(QUALITY, 0.0), t.number))
    for trial in best_first:
        for k, name in enumerate(names[:-1]):
            value = trial.values.get(f"{name}.score")
            if value is not None and trial.number in read:
                choices = read[trial.number][: k + 1]
                found.setdefault(choices, Observation(trial.number, choices, value, np.empty(0)))
    return list(found.values())[:MOST_OF_STAGES]


def item_scores(trial: Trial, metric: str) -> Array:
    """Scores of a trial's items; empty where it has none that can be read."""
    packed = trial.items.get(metric)
    if packed is None:
        return np.empty(0)
    try:
        return np.array(Items.unpack(packed).scores)
    except ItemsError:
        return np.empty(0)


def error_covariance(observed: Sequence[Observation]) -> Array:
    """Covariance of the errors of means, (t, t), squared units of the score; positive definite."""
    t = len(observed)
    counts = np.array([len(o.items) or ASSUMED_ITEMS for o in observed], dtype=float)
    means = np.array([o.mean for o in observed])
    # As if two more items had been seen, one right and one wrong: a mean of 1 over ten items is not certain.
    shrunk = (np.clip(means, 0, 1) * counts + 1) / (counts + 2)
    variance = shrunk * (1 - shrunk)
    most = max((len(o.items) for o in observed), default=0)
    covariance = np.zeros((t, t))
    if most:
        known = np.zeros((t, most))
        centred = np.zeros((t, most))
        for i, o in enumerate(observed):
            known[i, : len(o.items)] = 1.0
            centred[i, : len(o.items)] = o.items - o.items.mean() if len(o.items) else 0.0
        both = known @ known.T
        covariance = (centred @ centred.T) / np.maximum(both, 1.0)
        spread = np.array(
            [float(np.var(o.items)) if len(o.items) else v for o, v in zip(observed, variance, strict=True)]
        )
        variance = np.maximum(
            variance if not len(spread) else np.minimum(variance, spread + 1 / (counts + 2)), 1e-6
        )
    scale = np.sqrt(np.outer(variance, variance))
    covariance = np.clip(covariance, -scale, scale) * (1 - SHRINKAGE)
    np.fill_diagonal(covariance, variance)
    # Means over nested sets of items: their errors share those of the larger set.
    return np.asarray(covariance / np.maximum.outer(counts, counts))
