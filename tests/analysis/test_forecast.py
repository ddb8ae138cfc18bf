"""Where a curve will end, by formulas: rising, falling, on other scales, with few to compare with."""

import numpy as np
import pytest

from fakes.histories import configured, trial
from tunesmith.tools.analysis.forecast import Forecaster


def rising(end, steps=10, slow=0.4, start=0.1):
    """From `start` to about `end`."""
    return tuple((s, start + (end - start) * (1 - np.exp(-s * slow))) for s in range(1, steps + 1))


def forecaster(*curves, sign=1.0):
    done = [
        trial(i, configured(), sign * c[-1][1], curve=[(s, sign * v) for s, v in c])
        for i, c in enumerate(curves)
    ]
    return Forecaster(sign, done)


ENDS = (0.2, 0.35, 0.5, 0.62, 0.7, 0.78, 0.8, 0.84)


@pytest.mark.parametrize("sign", [1.0, -1.0], ids=["maximise", "minimise"])
@pytest.mark.parametrize("end", [0.3, 0.55, 0.75, 0.82])
def test_a_curve_like_the_others_is_forecast_to_end_where_it_would(sign, end):
    known = forecaster(*(rising(e) for e in ENDS), sign=sign)
    begun = [(s, sign * v) for s, v in rising(end)[:3]]
    score, spread = known.forecast(begun)
    assert score == pytest.approx(rising(end)[-1][1], abs=0.05)  # larger is better in either direction
    assert 0 < spread < 0.15


def test_a_good_and_a_hopeless_beginning_are_told_apart():
    known = forecaster(*(rising(e) for e in ENDS))
    good, hopeless = known.forecast(rising(0.83)[:1]), known.forecast(rising(0.12)[:1])
    assert good.score + good.spread > 0.8
    assert hopeless.score + 2 * hopeless.spread < 0.75


def test_noise_at_the_first_step_makes_no_result():
    """Trials about as good as each other, whose first report is mostly noise."""
    rng = np.random.default_rng(0)
    known = forecaster(*(((1, rng.normal(0.7, 0.05)), (6, rng.normal(0.85, 0.01))) for _ in range(12)))
    score, spread = known.forecast(((1, 0.64),))
    assert score == pytest.approx(0.85, abs=0.012) and score + 2 * spread > 0.86


def test_a_forecast_is_never_better_than_the_best_result():
    known = forecaster(*(rising(e) for e in ENDS))
    assert known.forecast(rising(3.0)[:5]).score == rising(0.84)[-1][1]


def test_below_all_that_completed_the_forecast_falls_as_the_value_does():
    """Only survivors have completed, all near .85; a curve at chance level is not one of them."""
    known = forecaster(*(rising(e) for e in (0.84, 0.85, 0.845, 0.85, 0.855, 0.86)))
    score, spread = known.forecast(((1, 0.1), (2, 0.1)))
    assert score < 0.5 and score + 2 * spread < 0.8


def test_with_few_completed_curves_the_spread_is_wide():
    few, many = forecaster(rising(0.8), rising(0.6)), forecaster(*(rising(e) for e in (0.6, 0.8) * 5))
    begun = rising(0.7)[:2]
    assert few.forecast(begun).spread > 2 * many.forecast(begun).spread
    one = forecaster(rising(0.8)).forecast(begun)
    assert one.spread > 0.1 and 0.6 < one.score <= rising(0.8)[-1][1]


def test_curves_that_fall_in_the_end_are_forecast_to_fall():
    falling = [tuple((s, e - 0.01 * (s - 4) ** 2) for s in range(1, 9)) for e in (0.5, 0.6, 0.7, 0.8, 0.9)]
    score, _ = forecaster(*falling).forecast(tuple((s, 0.75 - 0.01 * (s - 4) ** 2) for s in range(1, 5)))
    assert score == pytest.approx(0.75 - 0.16, abs=0.04)


def test_trials_may_begin_late_end_early_and_report_at_other_steps():
    curves = [rising(e)[1::2] for e in (0.3, 0.5)] + [rising(e)[3:] for e in (0.6, 0.7)] + [rising(0.8)[:2]]
    known = forecaster(*curves)
    for length in range(1, 11):
        score, spread = known.forecast(rising(0.65)[:length])
        assert np.isfinite(score) and spread > 0
    score, spread = known.forecast(((-3, 0.2),))  # before any other began
    assert np.isfinite(score) and spread > 0


def test_without_a_report_a_trial_counts_as_the_worst_one_not_for_certain():
    score, spread = forecaster(rising(0.3), rising(0.8)).forecast(())
    assert score == rising(0.3)[-1][1] and spread > 0.2


@pytest.mark.parametrize("wild", [-1e12, -1e306, 1e306, 0.0], ids=str)
def test_wild_values_leave_forecasts_finite(wild):
    known = forecaster(*(rising(e) for e in ENDS), ((1, wild), (10, 0.1)))
    for value in (0.3, wild):
        assert np.isfinite(known.forecast(((1, value),))).all()
    if abs(wild) < 1e300:  # beside larger ones nothing is left of the digits
        assert known.forecast(rising(0.75)[:3]).score == pytest.approx(0.75, abs=0.1)


def test_all_results_equal_give_that_result_and_less_below():
    known = forecaster(*(((1, 0.1), (5, 0.1)) for _ in range(5)))
    assert known.forecast(((1, 0.1),)) == (pytest.approx(0.1), 0.0)
    assert known.forecast(((1, 0.05),)).score == pytest.approx(0.05)
