"""Which hyperparameters went with better results so far: rank correlations and comparisons of medians.

These describe the trials of a search, which are no designed experiment: associations, not causes, and only
those that chance would hardly explain.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist, median

import numpy as np

from tunesmith.goals import Goal
from tunesmith.history import Array, History
from tunesmith.space import Categorical
from tunesmith.trial import Trial, Value

FEWEST = 8
"""Fewer trials give no effects."""
FEWEST_OF_A_CHOICE = 3
ERROR_RATE = 0.05
"""Probability of any effect for a space in which no hyperparameter matters."""


@dataclass(frozen=True)
class Effect:
    """One association with better results.

    Attributes:
        parameter: Its name.
        strength: For numbers, Spearman's rank correlation with the score, in [-1, 1]: positive where larger
            values went with better results. For choices, the standardised rank difference of the best, >= 0.
        trials: Trials that it is computed from.
        choice: The choice that did best, or None for numbers.
    """

    parameter: str
    strength: float
    trials: int
    choice: Value | None = None


def effects(history: History, goal: Goal | None = None) -> tuple[Effect, ...]:
    """Effects that chance would hardly explain, strongest first; empty below `FEWEST` completed trials.

    Args:
        goal: The metric that results are compared by; None: the primary one.
    """
    found: list[tuple[float, Effect]] = []
    tests = max(1, len(history.space.names))
    threshold = NormalDist().inv_cdf(1 - ERROR_RATE / (2 * tests))  # Bonferroni over the parameters
    for name, parameter in history.space.parameters.items():
        pairs = [(t.configuration[name], s) for t, s in _scored(history, goal) if name in t.configuration]
        if len(pairs) < FEWEST:
            continue
        categorical = isinstance(parameter, Categorical) or any(
            isinstance(value, str | bool) for value, _ in pairs
        )
        z, effect = (_best_choice if categorical else _trend)(name, pairs)
        if effect is not None and z >= threshold:
            found.append((z, effect))
    return tuple(effect for _, effect in sorted(found, key=lambda pair: -pair[0]))


def _scored(history: History, goal: Goal | None) -> list[tuple[Trial, float]]:
    if goal is None:
        return list(zip(history.completed, history.scores.tolist(), strict=True))
    known = [t for t in history.completed if goal.metric in t.values]
    return [(t, goal.sign * t.values[goal.metric]) for t in known]


def _trend(name: str, pairs: list[tuple[Value, float]]) -> tuple[float, Effect | None]:
    x = ranks(np.array([float(value) for value, _ in pairs]))
    y = ranks(np.array([score for _, score in pairs]))
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return 0.0, None
    rho = float(np.corrcoef(x, y)[0, 1])
    # Under independence rho has variance 1 / (n - 1).
    return abs(rho) * sqrt(len(pairs) - 1), Effect(name, rho, len(pairs))


def _best_choice(name: str, pairs: list[tuple[Value, float]]) -> tuple[float, Effect | None]:
    y = ranks(np.array([score for _, score in pairs]))
    groups: dict[Value, list[float]] = {}
    for (choice, _), rank in zip(pairs, y.tolist(), strict=True):
        groups.setdefault(choice, []).append(rank)
    known = {choice: rs for choice, rs in groups.items() if len(rs) >= FEWEST_OF_A_CHOICE}
    if len(known) < 2 or np.ptp(y) == 0:
        return 0.0, None
    best = max(known, key=lambda choice: median(known[choice]))
    n, m = len(pairs), len(known[best])
    # Wilcoxon's rank sum of the best choice against all others, with the variance the ties leave.
    variance = m * (n - m) / n * float(np.var(y, ddof=1))
    if variance <= 0:
        return 0.0, None
    z = (sum(known[best]) - m * float(y.mean())) / sqrt(variance)
    z -= sqrt(2 * np.log(len(known))) if len(known) > 2 else 0.0  # it was picked as the best of several
    return z, Effect(name, z, n, best)


def ranks(values: Array) -> Array:
    """Ranks from 1, ties sharing their mean rank; shape (n,)."""
    unique, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts).astype(np.float64)
    means: Array = last - (counts - 1) / 2
    return means[inverse]
