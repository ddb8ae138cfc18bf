"""The language model's predictions as a second expert beside the surrogate, weighted by its record.

A candidate of the model comes with the value it expects. Where the surrogate predicted the same trial too,
the two are compared once the result is known, by the log density each gave it:

    odds <- clip(odds + clip(log p_model(y) - log p_surrogate(y), -3, 3), -6, 1.5),  from log(0.2 / 0.8)
    w = min(sigmoid(odds), 1/2)

which is Bayes' rule for which of the two predicts better, with a sceptical start, a bound on what each trial
counts (one lucky or wild value must not decide) and on the total (so that a change for the worse shows within
a few trials), and no gain where the model's value was further off than the surrogate's. A candidate is then
judged by (1 - w) EI_surrogate + w EI_model. The records of the trials alone determine the weight.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tunesmith.agent.methods.gp.acquisition import log_expected_improvement
from tunesmith.agent.methods.gp.candidates import Pool
from tunesmith.agent.methods.gp.posterior import Posterior
from tunesmith.agent.methods.gp.surrogate import Fitted
from tunesmith.history import History
from tunesmith.trial import Prediction, Proposal, Trial

START = 0.2
MOST = 0.5
STEP = 3.0
"""Most that one trial may move the log odds."""
ODDS = (-6.0, 1.5)
PRIOR_COUNT = 2.0
"""How many trials the assumption that the model's own spread is right counts for."""
NARROWEST = 0.05
"""Least spread of the model's predictions, as a share of the scores' spread."""
OUTLIER = 6.0
"""Errors count as at most this many times the scores' spread."""
AHEAD, WIDEST = 0.5, 1.0
"""Most that the model's prediction counts beyond the incumbent, and most spread, in transformed units."""


@dataclass(frozen=True)
class ModelExpert:
    """The record of the model's predictions so far.

    Attributes:
        weight: In [0, 1/2].
        compared: Trials that both had predicted.
        error: Root mean square error of the model's predictions so far, metric units; None without any.
        predicted: How many of them there are.
        scale: Spread of the scores so far, metric units, > 0.
        sign: +1 to maximise, -1 to minimise.
    """

    weight: float
    compared: int
    error: float | None
    predicted: int
    scale: float
    sign: float

    def spread(self, stated: float | None) -> float:
        """Standard deviation of a prediction: the one the model stated, corrected by its errors so far."""
        start = self.scale if stated is None or not stated > 0 else min(stated, 10 * self.scale)
        squares = PRIOR_COUNT * start**2 + (0.0 if self.error is None else self.predicted * self.error**2)
        spread = math.sqrt(squares / (PRIOR_COUNT + self.predicted))
        return max(spread, NARROWEST * self.scale)

    def prediction(self, proposal: Proposal) -> Prediction | None:
        """The model's prediction for its candidate, with a corrected std; None where it made none."""
        predicted = proposal.provenance.model_prediction
        if predicted is None:
            return None
        return Prediction(mean=predicted.mean, std=self.spread(predicted.std))

    def weigh(self, pool: Pool, candidates: Sequence[Proposal], posterior: Posterior) -> Pool:
        """Candidates that are in the pool as the model wrote them, judged by both experts.

        With several metrics, or while no trial keeps the limits, the surrogates judge alone: what the model
        predicts of the primary metric is not what a candidate is wanted for.
        """
        if posterior.objectives is not None or not posterior.reached:
            return pool
        scores = pool.scores.copy()
        for index, candidate in enumerate(candidates):
            predicted = self.prediction(candidate)
            if predicted is None or self.weight <= 0:
                continue
            row = posterior.space.round(posterior.space.encode(candidate.configuration)[0][None])
            here = np.flatnonzero((pool.ancestors == index) & (np.abs(pool.rows - row).max(axis=1) < 1e-9))
            if not len(here):
                continue
            ours = log_expected_improvement(*posterior.predict(row), posterior.fitted.incumbent)[0]
            theirs = self._log_improvement(posterior.fitted, predicted)
            mixed = np.logaddexp(math.log(1 - self.weight) + ours, math.log(self.weight) + theirs)
            scores[here] += mixed - ours
        order = np.argsort(-scores, kind="stable")
        return Pool(pool.rows, pool.origins, pool.ancestors, scores).take(order)

    def _log_improvement(self, fitted: Fitted, predicted: Prediction) -> float:
        """Log expected improvement of the model's prediction, transformed units."""
        assert predicted.std is not None, "as `prediction` returns it"
        ends = fitted.transform.inverse(np.array([-1e9, 1e9]))
        score = self.sign * predicted.mean + predicted.std * np.array([-1.0, 0.0, 1.0])
        low, middle, high = fitted.transform(np.clip(score, *ends))
        mean = min(float(middle), fitted.incumbent + AHEAD)
        std = min(max(float(high - low) / 2, NARROWEST), WIDEST)
        return float(log_expected_improvement(np.array([mean]), np.array([std]), fitted.incumbent)[0])


def model_expert(history: History) -> ModelExpert:
    """The record at a history; it depends on nothing else."""
    scale = _scale(history)
    odds, compared = math.log(START / (1 - START)), 0
    squares: list[float] = []
    for trial in history.completed:
        predicted = trial.proposal.provenance.model_prediction
        if predicted is None or trial.value is None:
            continue
        squares.append(min(abs(trial.value - predicted.mean), OUTLIER * scale) ** 2)
        gain = prediction_gain(trial)
        if gain is not None:
            odds, compared = min(max(odds + gain, ODDS[0]), ODDS[1]), compared + 1
    weight = min(1 / (1 + math.exp(-odds)), MOST)
    error = math.sqrt(float(np.mean(squares))) if squares else None
    return ModelExpert(weight, compared, error, len(squares), scale, history.sign)


def prediction_gain(trial: Trial) -> float | None:
    """log p_model - log p_surrogate of a trial's value, clipped; None unless both had predicted it."""
    provenance = trial.proposal.provenance
    model, surrogate = provenance.model_prediction, provenance.surrogate_prediction
    if trial.value is None or model is None or surrogate is None or not model.std or not surrogate.std:
        return None
    value = trial.value
    gain = _log_density(value, model.mean, model.std) - _log_density(value, surrogate.mean, surrogate.std)
    if math.isnan(gain):
        return None
    # Where both were far off the wider density wins; a wide spread alone must not earn any weight.
    most = STEP if abs(value - model.mean) <= abs(value - surrogate.mean) else 0.0
    return min(max(gain, -STEP), most)


def _log_density(value: float, mean: float, std: float) -> float:
    """Of a normal, without the constant."""
    return -0.5 * ((value - mean) / std) ** 2 - math.log(std)


def _scale(history: History) -> float:
    """Spread of the scores so far that one wild value does not widen; 1 while there is none."""
    scores = history.scores
    if scores.size < 2:
        return 1.0
    low, high = np.percentile(scores, (25, 75))
    for spread in (float(high - low) / 1.349, float(np.std(scores))):
        if math.isfinite(spread) and spread > 0:
            return spread
    return 1.0
