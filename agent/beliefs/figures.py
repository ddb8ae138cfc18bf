"""Predictions in metric units: the incumbent, the predicted best, slices, and how predictions have held."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.stats import beta

from tunesmith.agent.methods.gp.candidates import search
from tunesmith.agent.methods.gp.posterior import Posterior
from tunesmith.beliefs import HONEST, Calibration, Incumbent, Slice
from tunesmith.history import Array, History
from tunesmith.text.literal import one_line
from tunesmith.trial import Configuration

SCALE = 0.8
"""Factor on the spread of means: `spread_factor` is learnt from single results at far points. Chosen on nine
functions, judged on nine others (`benchmarks/beliefs/`)."""
POSITIONS = 25
"""Of a slice along a numeric hyperparameter."""
MOST_CHOICES = 100
FEWEST = 8
"""Predictions below which nothing is said of how they hold."""
DOUBTFUL = 0.1
"""Total probability outside the interval for the share of results within 1 spread."""
CONFIGURATION_WIDTH = 300

Predict = Callable[[Array], tuple[Array, Array]]
"""Rows (m, c) to expected metric and half of the central 68 % band, each (m,), metric units."""


def predictor(posterior: Posterior, history: History, factor: float) -> Predict:
    """Predictions with spreads as wide as earlier errors of the run ask for.

    Args:
        factor: As of `calibration.spread_factor`.
    """

    def predict(rows: Array) -> tuple[Array, Array]:
        expected, spread = posterior.fitted.metric(*posterior.predict(rows))
        limits = history.metric_range
        expected = np.clip(expected, limits.low, limits.high)
        shown = [limits.spread(float(e), factor * float(s)) for e, s in zip(expected, spread, strict=True)]
        return expected, np.array(shown)

    return predict


def predicted_best(
    posterior: Posterior, history: History, candidates: Array, rng: np.random.Generator
) -> Array | None:
    """The row (c,) of best expected metric, tried or not, where it is expected to work and keep the limits.

    Args:
        candidates: (m, c) legal rows to look at besides.
    """

    def merit(rows: Array) -> Array:
        mean: Array = posterior.predict(rows)[0]
        if posterior.feasibility is not None:
            mean = mean + posterior.feasibility.merit(rows)
        for limit in posterior.limits:
            mean = mean + limit.log_kept(posterior.surrogate.points(rows))
        return mean

    best = posterior.best_rows(history, 3)
    found = search(
        posterior.space, posterior.prior, merit, best, candidates, np.empty((0, best.shape[1])), rng
    )
    row: Array | None = found.rows[0] if len(found) else None
    return row


def incumbent_of(
    history: History, configuration: Configuration, predict: Predict, number: int | None
) -> Incumbent:
    """What is expected of a configuration; `number` is the trial whose value stands beside it."""
    expected, spread = predict(history.space.encode(configuration)[0][None])
    trial = None if number is None else history.get(number)
    return Incumbent(
        number=number,
        configuration=dict(configuration),
        text=one_line(history.space.format(configuration), CONFIGURATION_WIDTH),
        measured=None if trial is None else trial.value,
        mean=float(expected[0]),
        spread=SCALE * float(spread[0]),
    )


def slice_of(posterior: Posterior, history: History, row: Array, name: str, predict: Predict) -> Slice | None:
    """The prediction along one hyperparameter through `row` (c,); None where it is inactive there."""
    space, at = posterior.space, posterior.prior.columns[name]
    parameter = space.parameters[name]
    if not space.active(row[None])[0, at[0]]:
        return None
    if len(at) > 1:
        k = min(len(at), MOST_CHOICES)
        rows = np.repeat(row[None], k, axis=0)
        rows[:, at] = np.eye(len(at))[:k]
        positions = [float(i) for i in range(k)]
        values = [parameter.value_at(i) for i in range(k)]
    else:
        units = np.unique(parameter.round_units(np.linspace(0, 1, POSITIONS)).astype(float))
        rows = np.repeat(row[None], len(units), axis=0)
        rows[:, at[0]] = units
        listed = parameter.size is not None and not parameter.numeric
        positions = [float(i) for i in range(len(units))] if listed else units.tolist()
        values = [parameter.from_unit(float(unit)) for unit in units]
    legal = space.feasible(rows)
    if not legal.any():
        return None
    expected, spread = predict(space.round(rows[legal]))
    kept, limits = np.flatnonzero(legal), history.metric_range
    return Slice(
        positions=tuple(positions[i] for i in kept),
        values=tuple(values[i] for i in kept),
        mean=tuple(expected.tolist()),
        low=tuple(np.maximum(expected - spread, limits.low).tolist()),
        high=tuple(np.minimum(expected + spread, limits.high).tolist()),
    )


def calibration_of(history: History) -> Calibration:
    """How many completed trials came within 1 and 2 of the spreads that were stated for them."""
    errors = [
        abs(trial.value - trial.proposal.expected) / trial.proposal.spread
        for trial in history.completed
        if trial.value is not None and trial.proposal.expected is not None and trial.proposal.spread
    ]
    n, one, two = len(errors), sum(e <= 1 for e in errors), sum(e <= 2 for e in errors)
    if n == 0:
        text = "no finished trial had a prediction"
    elif n < FEWEST:
        text = f"{one} of {n} results within 1 spread: too few to tell"
    else:
        low, high = beta.ppf((DOUBTFUL / 2, 1 - DOUBTFUL / 2), one + 0.5, n - one + 0.5)
        told = f"{one} of {n} results within 1 spread ({one / n:.0%}; {HONEST[0]:.0%} would be right)"
        if high < HONEST[0]:
            text = f"{told}: predictions have been too sure"
        elif low > HONEST[0]:
            text = f"{told}: predictions have been more careful than needed"
        else:
            text = f"{told}: about as it should be"
    return Calibration(predicted=n, within_1=one, within_2=two, text=text)
