"""The model's predictions earn their weight by what they turned out to be worth."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fakes.histories import SPACE, configured, grown, history, proposal, trial
from tunesmith.agent.methods.gp.candidates import Pool
from tunesmith.agent.methods.gp.posterior import posterior_at
from tunesmith.agent.methods.gp.prior import build_prior
from tunesmith.agent.methods.gp.surrogate import GaussianProcessSurrogate
from tunesmith.agent.methods.hybrid.expert import MOST, START, model_expert
from tunesmith.history import History
from tunesmith.trial import Origin, Prediction, Provenance, Trial


def both(number: int, value: float, model: float, surrogate: float, spread: float = 0.1) -> Trial:
    predicted = Provenance(
        model_prediction=Prediction(mean=model, std=spread),
        surrogate_prediction=Prediction(mean=surrogate, std=spread),
    )
    return trial(number, configured(width=10 + number), value, provenance=predicted)


def after(*errors: tuple[float, float]) -> History:
    """Trials of value 0, 1, 2, ... with the model's and the surrogate's error each."""
    return history(*[both(i, float(i), i + m, i + s) for i, (m, s) in enumerate(errors)])


def test_the_weight_is_bayes_rule_on_the_log_densities_of_what_came():
    known = model_expert(after((0.1, 0.12)))
    odds = math.log(START / (1 - START)) - 0.5 * (1 - 1.44)
    assert known.weight == pytest.approx(1 / (1 + math.exp(-odds))) and known.compared == 1


def test_a_good_expert_gains_up_to_half_and_a_bad_one_loses_nearly_all():
    assert model_expert(after(*[(0.0, 0.3)] * 5)).weight == MOST
    assert model_expert(after(*[(0.3, 0.0)] * 3)).weight < 0.01


def test_an_expert_that_turns_is_found_out_within_a_few_trials_however_long_it_was_good():
    weights = [model_expert(after(*[(0.0, 0.3)] * 50, *[(5.0, 0.0)] * k)).weight for k in range(4)]
    assert weights[0] == MOST and weights[1] < 0.2 and weights[3] < 0.005


def test_one_wild_result_moves_the_odds_no_further_than_its_bound():
    wild = model_expert(after((0.0, 1e6))).weight
    assert wild == pytest.approx(model_expert(after((0.0, 1e3))).weight) and wild <= MOST


def test_where_both_were_far_off_a_wide_spread_alone_earns_nothing():
    boast = trial(
        0,
        configured(),
        -10.0,
        provenance=Provenance(
            model_prediction=Prediction(mean=5.0, std=3.0),
            surrogate_prediction=Prediction(mean=1.0, std=0.1),
        ),
    )
    assert model_expert(history(boast)).weight == pytest.approx(START)


def test_a_spread_is_corrected_by_the_errors_made_so_far_and_never_absurdly_narrow():
    fresh = model_expert(history(*[trial(i, configured(width=9 + i), float(i)) for i in range(5)]))
    assert fresh.spread(None) == pytest.approx(fresh.scale) and fresh.spread(1e-9) >= 0.05 * fresh.scale
    wrong = model_expert(after(*[(2.0, 0.0)] * 8))
    assert wrong.spread(0.01) > 1.5
    right = model_expert(after(*[(0.01, 0.0)] * 8))
    assert right.spread(None) < 0.6 * right.scale


def judged(expected: float, weight_of: History) -> tuple[float, float]:
    """Score of one candidate in a pool: by the surrogate alone, and with the model's prediction."""
    past = grown(20)
    posterior = posterior_at(GaussianProcessSurrogate(SPACE), build_prior(SPACE, cards=None), past)
    assert posterior is not None
    predicted = Provenance(model_prediction=Prediction(mean=expected))
    candidate = proposal(configured(width=40), origin=Origin.MODEL, provenance=predicted)
    row = SPACE.encode(candidate.configuration)[0][None]
    other = SPACE.encode(SPACE.validate(configured(width=41)))[0][None]
    rows = np.concatenate([other, row])
    scores = posterior.acquisition(rows, np.empty((0, SPACE.dimensions)))
    pool = Pool(rows, np.array([0, 3]), np.array([-1, 0]), scores)
    weighed = model_expert(weight_of).weigh(pool, [candidate], posterior)
    assert np.all(np.diff(weighed.scores) <= 0), "best first"
    assert scores[0] in weighed.scores, "only the candidate's own score changes"
    return float(scores[1]), float(weighed.scores[weighed.ancestors == 0][0])


def test_a_promising_prediction_lifts_a_candidate_by_what_the_model_has_earned():
    good, bad = after(*[(0.0, 0.3)] * 5), after(*[(0.5, 0.0)] * 5)
    alone, lifted = judged(5.0, good)
    _, hardly = judged(5.0, bad)
    assert alone < hardly < lifted - 5, "in logarithms: 0.5 against 0.0025 of the same improvement"


def test_a_poor_prediction_lowers_it_and_a_boast_counts_no_more_than_a_bounded_one():
    good = after(*[(0.0, 0.3)] * 5)
    alone, lowered = judged(-50.0, good)
    assert lowered < alone and lowered > alone - math.log(2) - 1e-6  # half of it is the surrogate's
    assert judged(1e9, good)[1] == pytest.approx(judged(1e3, good)[1])
