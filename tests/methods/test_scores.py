from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from tunesmith.agent.methods.gp.scores import (
    clip_value,
    fit_transform,
    scores_of,
    yeo_johnson,
    yeo_johnson_inverse,
)
from tunesmith.space import Float, Space
from tunesmith.trial import TrialState

SPACE = Space({"x": Float(0, 1)})


def transform(scores):
    scores = np.array(scores, dtype=float)
    floor = clip_value(scores)
    return fit_transform(np.maximum(scores, floor), floor)


@pytest.mark.parametrize("exponent", [-3.0, 0.0, 0.5, 1.0, 2.0, 4.5])
def test_yeo_johnson_agrees_with_scipy_and_its_inverse_undoes_it(exponent):
    x = np.linspace(-3, 3, 41)
    y = yeo_johnson(x, exponent)
    np.testing.assert_allclose(y, stats.yeojohnson(x, lmbda=exponent), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(yeo_johnson_inverse(y, exponent), x, rtol=1e-9, atol=1e-12)


def test_the_exponent_is_the_one_of_largest_likelihood():
    scores = np.exp(np.random.default_rng(0).standard_normal(60))
    fitted, _ = transform(scores)
    clipped = np.maximum(scores, clip_value(scores))
    _, best = stats.yeojohnson((clipped - clipped.mean()) / clipped.std())
    assert fitted.exponent == pytest.approx(best, abs=1e-3)


def test_transformed_scores_are_standardised_and_keep_their_order():
    scores = np.random.default_rng(1).gamma(2, size=40)
    _, y = transform(scores)
    assert y.mean() == pytest.approx(0, abs=1e-9)
    assert y.std() == pytest.approx(1)
    kept = scores > clip_value(scores)
    assert (np.argsort(scores[kept]) == np.argsort(y[kept])).all()


def test_scores_far_below_the_median_count_as_three_times_best_minus_median():
    assert clip_value(np.array([0.0, 1.0, 2.0, 3.0, -1e12])) == 1.0 - 3 * (3.0 - 1.0)
    near, far = transform([0, 1, 2, 3, -1e3])[1], transform([0, 1, 2, 3, -1e12])[1]
    np.testing.assert_array_equal(near, far)


@pytest.mark.parametrize(
    "scores",
    [
        [0.0, 1.0],
        [1.0, 1.0, 1.0, 2.0],
        [2.0, 1.0, 2.0, 2.0],
        [-1e12, 0.1, 0.2],
        [1e306, -1e306, 3.0],
        [1e-300, 2e-300],
    ],
    ids=str,
)
def test_any_scale_gives_finite_standard_scores_that_come_back(scores):
    fitted, y = transform(scores)
    assert np.isfinite(y).all() and y.std() == pytest.approx(1)
    back = fitted.inverse(y)
    clipped = np.maximum(np.array(scores), fitted.floor)
    # To a millionth of the range: near 1e308 there is no more.
    assert np.abs(back / fitted.scale - clipped / fitted.scale).max() < 1e-6


def test_predictions_in_score_units_are_the_quantiles_of_the_transformed_normal():
    fitted, _ = transform(np.random.default_rng(2).gamma(2, size=30))
    middle, half = fitted.moments(np.array([0.3]), np.array([0.2]))
    draws = fitted.inverse(0.3 + 0.2 * np.random.default_rng(3).standard_normal(200_000))
    low, median, high = np.quantile(draws, [0.1587, 0.5, 0.8413])
    assert middle[0] == pytest.approx(median, rel=5e-3)
    assert half[0] == pytest.approx((high - low) / 2, rel=2e-2)


def test_a_failed_trial_has_no_score_and_a_stopped_one_is_forecast(study):
    s = study(SPACE, lambda c: c["x"], direction="minimize")
    at = [SPACE.validate({"x": x}) for x in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)]
    for value, configuration in zip((1.0, 2.0, 3.0), at, strict=False):
        s.tell(configuration, value=value)
    s.tell(at[3], state=TrialState.DIVERGED)
    s.tell(at[4], state=TrialState.PRUNED, curve=((1, 9.0), (2, 2.5)))
    s.tell(at[5], state=TrialState.PRUNED, curve=((1, 0.1),))
    s.tell(at[6], state=TrialState.PRUNED)
    scores, low, high, floor = scores_of(s.history.scored, s.history)
    assert floor == -2.0 - 3 * (-1.0 - -2.0) == -5.0
    assert scores[:3].tolist() == [-1.0, -2.0, -3.0] and (low[:3] == high[:3]).all()
    # No completed curve to compare with: the last report, no better than the best result, or the worst.
    assert scores[3:].tolist() == [-2.5, -1.0, -3.0] and (high[3:] - low[3:] > 1.6).all()


@pytest.mark.parametrize("scores", [[1.0, 1.0, 1.0], [1.0, 1.0, 0.5]])
def test_where_best_and_median_agree_nothing_is_clipped(scores):
    assert clip_value(np.array(scores)) < min(scores)


def test_a_good_trial_stopped_at_its_noisy_first_step_stays_near_the_good_ones(study):
    s = study(SPACE, lambda c: 1.0)
    for i, (first, last) in enumerate([(0.1, 0.1), (0.7, 0.83), (0.66, 0.85), (0.75, 0.84), (0.72, 0.86)]):
        s.tell(SPACE.validate({"x": i / 10}), value=last, curve=((1, first), (6, last)))
    s.tell(SPACE.validate({"x": 0.8}), state=TrialState.PRUNED, curve=((1, 0.65),))
    s.tell(SPACE.validate({"x": 0.9}), state=TrialState.PRUNED, curve=((1, 0.08),))
    scores, low, high, floor = scores_of(s.history.finished, s.history)
    fitted, _ = fit_transform(scores, floor)
    good, hopeless = fitted(scores)[5:]
    error = np.sqrt(fitted.variances(low, high))
    assert good + error[5] > np.median(fitted(scores)[:5]) and error[5] > 0.1
    assert hopeless == fitted(scores).min() and (error[[0, 1, 2, 3, 4, 6]] == 0).all()  # known to be bad


def test_absurd_predictions_stay_near_the_data():
    fitted, _ = transform([0.1, 0.2, 0.5, 0.9, 0.91])
    middle, half = fitted.moments(np.array([1e6, -1e6]), np.array([1e6, 0.0]))
    assert (half >= 0).all()
    # At most one range of the (clipped) data beyond them.
    assert middle[0] <= 0.91 + 0.81 and middle[1] >= 0.1 - 0.81 and half.max() <= 1.5 * 0.81
