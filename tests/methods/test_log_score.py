"""What a trial says for the model against the surrogate, from what both had predicted before it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fakes.histories import configured, history, trial
from tunesmith.agent.methods.hybrid.gate import LEAD, is_open, steps_of
from tunesmith.agent.methods.hybrid.log_score import TILT, gain, improvement_gain
from tunesmith.trial import Prediction, Provenance, Trial, TrialState


def tilted(number: int, value: float | None, expected: float, spread: float = 0.1, **more) -> Trial:
    """A trial that the model's beliefs had a part in, without a prediction of its own."""
    state = TrialState.COMPLETED if value is not None else TrialState.DIVERGED
    made = trial(number, configured(width=10 + number), value, state=state)
    proposal = made.proposal.model_copy(
        update={"expected": expected, "spread": spread, "provenance": Provenance(side="model", **more)}
    )
    return made.model_copy(update={"proposal": proposal})


def predicted(number: int, value: float, model: float, surrogate: float) -> Trial:
    both = {
        "model_prediction": Prediction(mean=model, std=0.1),
        "surrogate_prediction": Prediction(mean=surrogate, std=0.1),
    }
    return tilted(number, value, surrogate, **both)


@pytest.mark.parametrize("standard", [-3.0, -0.5, 0.0, 1.2])
def test_a_tilt_is_a_fair_bet_against_the_surrogates_probability_of_a_new_best(standard):
    chance = 0.5 * math.erfc(-standard / math.sqrt(2))
    won, lost = (improvement_gain(standard, improved=improved) for improved in (True, False))
    assert -TILT < lost < 0 < won < TILT
    assert chance * math.exp(won) + (1 - chance) * math.exp(lost) == pytest.approx(1.0)


def test_a_new_best_that_the_surrogate_thought_unlikely_counts_most():
    gains = [gain(tilted(1, 0.9, expected), 0.5, 1.0) for expected in (0.3, 0.5, 0.8)]
    assert gains[0] > gains[1] > gains[2] > 0 and gains[0] > 0.9
    assert gain(tilted(1, 0.4, 0.8), 0.5, 1.0) < gain(tilted(1, 0.4, 0.3), 0.5, 1.0) < 0
    assert gain(tilted(1, None, 0.8), 0.5, 1.0) < 0, "a failed trial did not improve"
    assert gain(tilted(1, 0.2, 0.6), 0.5, -1.0) > 0, "smaller is better"


def test_nothing_is_compared_where_the_surrogate_had_predicted_nothing():
    assert gain(tilted(1, 0.9, 0.5), None, 1.0) == 0.0
    assert gain(trial(1, configured(), 0.9), 0.5, 1.0) == 0.0


def test_the_models_own_prediction_counts_by_its_log_density():
    assert gain(predicted(0, 1.0, 1.0, 1.1), 0.5, 1.0) == pytest.approx(0.5)
    assert gain(predicted(0, 1.0, 1.1, 1.0), 0.5, 1.0) == pytest.approx(-0.5)
    assert gain(predicted(0, 1.0, 1.0, 9.0), 0.5, 1.0) == 3.0


def test_a_model_whose_predictions_keep_being_right_may_follow_itself():
    past = history(trial(0, configured(), 0.1), *[predicted(n, n / 10, n / 10, 2.0) for n in (2, 3)])
    assert sum(step.gain for step in steps_of(past)) >= LEAD and is_open(steps_of(past))
    unsure = history(trial(0, configured(), 0.1), *[tilted(n, n / 10, n / 10 + 0.1) for n in (2, 3)])
    assert not is_open(steps_of(unsure))


def test_a_model_that_knows_nothing_more_rarely_leads():
    """Ville's bound over many runs of the surrogate's own world."""
    rng, led = np.random.default_rng(0), 0
    for _ in range(400):
        total = 0.0
        for _ in range(25):
            standard = rng.normal(-0.5, 0.5)
            total += improvement_gain(standard, improved=bool(rng.standard_normal() < standard))
            if total >= LEAD:
                led += 1
                break
    assert led / 400 <= 0.1
