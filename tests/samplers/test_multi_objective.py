"""Studies with several objectives."""

import numpy as np
import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from optuna.trial import TrialState as OptunaState

from tunesmith import Float, Space, TunesmithSampler
from tunesmith.agent.methods.goals.scalarise import draw_weights, normalised, pareto_front, scalarise
from tunesmith.agent.samplers.study_view import ATTRIBUTE


@pytest.fixture(autouse=True)
def quiet():
    optuna.logging.set_verbosity(optuna.logging.WARNING)


def zdt1(trial):
    """Zitzler, Deb, Thiele (2000), two dimensions; its front is f2 = 1 - sqrt(f1)."""
    x, y = trial.suggest_float("x", 0, 1), trial.suggest_float("y", 0, 1)
    g = 1 + 9 * y
    return x, g * (1 - np.sqrt(x / g))


def hypervolume(study, reference=(1.1, 1.1)):
    """Area that the front dominates below the reference point; both objectives minimised."""
    points = sorted(t.values for t in study.trials if t.state is OptunaState.COMPLETE)
    area, height = 0.0, reference[1]
    for x, y in points:
        if x < reference[0] and y < height:
            area += (reference[0] - x) * (height - y)
            height = y
    return area


def run(sampler, n, function=zdt1, directions=("minimize", "minimize"), **options):
    study = optuna.create_study(sampler=sampler, directions=directions)
    study.optimize(function, n_trials=n, **options)
    return study


@pytest.mark.long
def test_the_front_is_found_where_random_search_does_not():
    ours = [hypervolume(run(TunesmithSampler(seed=seed), 40)) for seed in range(3)]
    random = [hypervolume(run(optuna.samplers.RandomSampler(seed=seed), 40)) for seed in range(3)]
    assert min(ours) > max(random)
    assert np.mean(ours) > 0.8  # 1.21 - 1/3 = 0.877 is all there is


@pytest.mark.long
def test_objectives_to_be_maximised_and_of_any_scale_are_weighed_alike():
    def turned(trial):
        x, y = zdt1(trial)
        return -1e6 * x + 5, 1e-3 * y

    same = run(TunesmithSampler(seed=0), 25)
    other = run(TunesmithSampler(seed=0), 25, turned, ("maximize", "minimize"))
    near = [
        np.allclose(list(a.params.values()), list(b.params.values()), atol=1e-2)
        for a, b in zip(same.trials, other.trials, strict=True)
    ]
    assert np.mean(near) > 0.6  # rounding moves some late optima of the acquisition function


def test_the_same_seed_gives_the_same_study_and_each_trial_says_what_is_expected_of_it():
    study = run(TunesmithSampler(Space({"x": Float(0, 1), "y": Float(0, 1)}), seed=1), 8)
    notes = [t.user_attrs[ATTRIBUTE] for t in study.trials]
    assert "predicted" in notes[-1]["reason"]
    again = run(TunesmithSampler(Space({"x": Float(0, 1), "y": Float(0, 1)}), seed=1), 8)
    assert [t.params for t in again.trials] == [t.params for t in study.trials]


@pytest.mark.long
def test_branches_failures_and_infinite_objectives_are_borne():
    def function(trial):
        if trial.suggest_categorical("kind", ["a", "b"]) == "a":
            z = trial.suggest_float("z", 0, 1)
            if z > 0.9:
                raise ArithmeticError
            return z, float("inf") if z < 0.1 else 1 - z
        return trial.suggest_float("u", 0, 1), 1.0

    study = run(TunesmithSampler(seed=0), 20, function, catch=(ArithmeticError,))
    assert len(study.trials) == 20 and len(study.best_trials) >= 3


VALUES = arrays.arrays(
    np.float64,
    st.tuples(st.integers(1, 12), st.integers(2, 4)),
    elements=st.floats(-1e9, 1e9) | st.sampled_from([0.0, 1.0]),
)


@settings(max_examples=80)
@given(VALUES, st.integers(0, 99))
def test_what_dominates_is_never_weighed_worse(values, number):
    weights = draw_weights(0, number, values.shape[1])
    assert min(weights) >= 0 and sum(weights) == pytest.approx(1)
    scores = scalarise(values, weights)
    assert np.isfinite(scores).all() and scores.min() >= 0 and scores.max() <= 3.2
    for i, row in enumerate(values):
        worse = np.all(values >= row, axis=1)
        assert (scores[worse] >= scores[i] - 1e-12).all()
    front = pareto_front(values)
    assert front.any()
    expected = [not any((o <= r).all() and (o < r).any() for o in values) for r in values]
    assert front.tolist() == expected


def test_one_huge_value_does_not_press_the_others_together():
    values = np.stack([np.linspace(0, 1, 20), np.linspace(1, 0, 20)], axis=1)
    values = np.vstack([values, [-0.1, 1e12]])
    assert np.ptp(normalised(values)[:20, 1]) > 0.9
