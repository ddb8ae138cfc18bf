"""What a worker's outcome is worth."""

import math

import pytest

from tunesmith.tools.records.outcomes import finished_trial, finite_curve
from tunesmith.trial import Outcome, TrialState


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf], ids=str)
def test_a_value_that_is_not_finite_is_a_divergence_and_no_value(make_trial, bad):
    trial = finished_trial(
        make_trial(0), Outcome(state=TrialState.COMPLETED, values={"accuracy": bad}), "accuracy"
    )
    assert (trial.state, trial.value, trial.values) == (TrialState.DIVERGED, None, {})
    assert trial.message == f"accuracy was {bad}"


def test_an_outcome_without_the_metric_is_a_crash_that_names_it(make_trial):
    trial = finished_trial(
        make_trial(0), Outcome(state=TrialState.COMPLETED, values={"acc": 0.5}), "accuracy"
    )
    assert (trial.state, trial.value) == (TrialState.CRASHED, None)
    assert "'accuracy'" in trial.message


def test_a_curve_is_put_in_order_and_its_first_report_of_a_step_stands():
    assert finite_curve(((2, 0.2), (0, 0.0), (2, 9.0), (1, math.nan), (3, math.inf))) == ((0, 0.0), (2, 0.2))


def test_other_metrics_that_are_not_finite_are_dropped_without_harm(make_trial):
    values = {"accuracy": 0.5, "perplexity": math.inf}
    trial = finished_trial(make_trial(0), Outcome(state=TrialState.COMPLETED, values=values), "accuracy")
    assert (trial.state, trial.values) == (TrialState.COMPLETED, {"accuracy": 0.5})
