"""Constraints of an Optuna study: what is read from its trials, and that the search keeps them."""

from __future__ import annotations

import math
import pickle
import warnings

import numpy as np
import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.distributions import FloatDistribution
from optuna.trial import TrialState as OptunaState
from optuna.trial import create_trial

from tunesmith import Float, LlamboSampler, Space, TunesmithSampler
from tunesmith.agent.samplers.study_view import history_of
from tunesmith.history import History

SPACE = Space({"x": Float(-10, 10), "y": Float(-10, 10)})
X = FloatDistribution(-10, 10)


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    for name in ("OPENAI_API_KEY", "TUNESMITH_BASE_URL", "TUNESMITH_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def ramp(trial):
    """At most 5 is reached within the limit; without it -10."""
    x, y = trial.suggest_float("x", -10, 10), trial.suggest_float("y", -10, 10)
    trial.set_constraint("latency", 5 - x)
    return x + abs(y - 1)


def run(sampler, n, function=ramp, **options):
    study = optuna.create_study(sampler=sampler, **options)
    study.optimize(function, n_trials=n, catch=(ArithmeticError,))
    return study


def test_the_best_that_keeps_a_limit_is_found_on_its_border():
    study = run(TunesmithSampler(seed=1), 30)
    assert study.best_value <= 5.1
    assert sum(t.params["x"] >= 5 for t in study.trials) >= 10


@pytest.mark.filterwarnings("ignore:LlamboSampler goes on with the Gaussian process alone")
def test_a_llambo_sampler_without_a_model_keeps_it_too():
    assert run(LlamboSampler(SPACE, seed=1), 20).best_value <= 6


@pytest.mark.filterwarnings("ignore:LlamboSampler")
def test_a_llambo_samplers_model_reads_which_constraint_a_trial_broke():
    prompts = []

    def silent(messages):
        prompts.append("".join(message["content"] for message in messages))
        return "I cannot say."

    sampler = LlamboSampler(SPACE, seed=1, model=silent, settings={"initial": 3, "attempts": 1})
    study = optuna.create_study(sampler=sampler)
    study.enqueue_trial({"x": -8.0, "y": 1.0})
    study.enqueue_trial({"x": 6.0, "y": 1.0})
    study.optimize(ramp, 5)
    assert "breaks a limit: constraint latency is 13, not <= 0" in prompts[-1]
    assert "6.000000" in prompts[-1], "what it reached within the limit"


def test_a_constraints_func_is_told_as_optunas_own_samplers_tell_it():
    seen = []

    def constraints(trial):
        seen.append(trial.number)
        return [5 - trial.params["x"]]

    def function(trial):
        x, y = trial.suggest_float("x", -10, 10), trial.suggest_float("y", -10, 10)
        if trial.number == 2:
            raise ArithmeticError
        if trial.number == 3:
            raise optuna.TrialPruned
        return x + abs(y - 1)

    with pytest.warns(FutureWarning, match="constraints_func"):
        sampler = TunesmithSampler(seed=1, constraints_func=constraints)
    study = run(sampler, 22, function)
    assert seen == [n for n in range(22) if n != 2]
    stored = [t.system_attrs.get("constraints") for t in study.trials]
    assert stored[2] is None and all(len(c) == 1 for n, c in enumerate(stored) if n != 2)
    assert study.best_trial.constraints["0"] <= 0 and study.best_value <= 5.5
    limits = history_of(study, SPACE).limits
    assert [limit.text for limit in limits] == ["constraint 0 <= 0"]


@pytest.mark.filterwarnings("ignore:.*constraints_func:FutureWarning")
@pytest.mark.parametrize("function", [lambda trial: [math.nan], lambda trial: 1 / 0], ids=["NaN", "raises"])
def test_a_constraints_func_that_fails_ends_the_study_as_with_optunas_own(function):
    ends = []
    for sampler in (
        TunesmithSampler(seed=1, constraints_func=function),
        optuna.samplers.TPESampler(seed=1, constraints_func=function),
    ):
        study = optuna.create_study(sampler=sampler)
        with pytest.raises((ValueError, ZeroDivisionError)) as error:
            study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=2)
        ends.append((error.type, [t.state for t in study.trials], study.trials[0].system_attrs))
    assert ends[0] == ends[1]


def constrain(trial):
    return [5 - trial.params["x"]]


@pytest.mark.filterwarnings("ignore:.*constraints_func:FutureWarning")
def test_a_pickled_sampler_keeps_its_constraints_func():
    def function(trial):
        return trial.suggest_float("x", -10, 10) + abs(trial.suggest_float("y", -10, 10) - 1)

    whole = run(TunesmithSampler(SPACE, seed=3, constraints_func=constrain), 7, function)
    study = run(TunesmithSampler(SPACE, seed=3, constraints_func=constrain), 4, function)
    study.sampler = pickle.loads(pickle.dumps(study.sampler))
    study.optimize(function, n_trials=3)
    assert [t.params for t in study.trials] == [t.params for t in whole.trials]


def study_of(trials, directions=("minimize",)):
    """A study of (x, value or values, constraints) or (x, state, constraints)."""
    study = optuna.create_study(directions=directions)
    for x, value, constraints in trials:
        given = {"state": value} if isinstance(value, OptunaState) else {}
        if not given:
            given = {"values": [value] if isinstance(value, float) else value}
        params = {"x": x, "y": 0.0}
        study.add_trial(
            create_trial(params=params, distributions={"x": X, "y": X}, constraints=constraints, **given)
        )
    return study


def read(trials, directions=("minimize",)) -> History:
    return history_of(study_of(trials, directions), SPACE)


def test_a_study_without_constraints_has_no_limits():
    past = read([(0.0, 1.0, {}), (1.0, 2.0, None)])
    assert past.goals.plain and past.incumbent.number == 0


def test_a_constraint_that_some_branches_never_set_is_kept_there():
    past = read(
        [
            (0.0, 3.0, {"a": 1.0}),
            (1.0, 2.0, {"b": -2.0, "a": -1.0}),
            (2.0, 1.0, {"b": -4.0}),
            (3.0, 4.0, {"b": -4.0, "a": -0.1}),
        ]
    )
    assert [limit.metric for limit in past.limits] == ["constraint a", "constraint b"]
    assert [t.number for t in past.feasible] == [1, 2, 3]
    assert past.trials[2].values["constraint a"] == -1.0, "as the one that keeps it by most"


def test_trials_from_before_the_first_constraint_are_not_known_to_be_feasible():
    past = read([(0.0, -9.0, {}), (1.0, 5.0, {"a": 1.0}), (2.0, 6.0, {"a": 0.0}), (3.0, 7.0, {})])
    assert [t.number for t in past.feasible] == [2, 3] and past.incumbent.number == 2
    assert "constraint a" not in past.trials[0].values and past.trials[0].value == -9.0


def test_infinite_constraints_are_finite_to_the_search_and_stay_broken_or_kept():
    past = read([(0.0, 1.0, {"a": math.inf}), (1.0, 2.0, {"a": -math.inf}), (2.0, 3.0, {"a": 4.0})])
    assert [t.values["constraint a"] for t in past.trials] == [8.0, -8.0, 4.0]
    assert [t.number for t in past.feasible] == [1]
    alone = read([(0.0, 1.0, {"a": math.inf})])
    assert alone.trials[0].values["constraint a"] == 1.0 and not alone.feasible


def test_pruned_trials_keep_what_is_known_of_their_constraints_and_failed_ones_do_not_make_any():
    past = read(
        [
            (0.0, OptunaState.FAIL, {"other": 1.0}),
            (1.0, OptunaState.PRUNED, {"a": 3.0}),
            (2.0, 1.0, {"a": -1.0}),
        ]
    )
    assert [limit.metric for limit in past.limits] == ["constraint a"]
    assert past.trials[1].values == {"constraint a": 3.0} and past.incumbent.number == 2
    assert [t.number for t in past.failures] == [0, 1] and past.pruned == ()


def test_a_program_that_prunes_where_a_constraint_is_broken_is_searched_where_it_is_not():
    def function(trial):
        value = ramp(trial)
        if trial.params["x"] < 5:
            raise optuna.TrialPruned
        return value

    study = run(TunesmithSampler(SPACE, seed=1), 25, function)
    assert study.best_value <= 5.7
    assert sum(t.state is OptunaState.COMPLETE for t in study.trials) >= 8


def test_a_new_constraint_is_seen_by_a_view_that_read_the_study_before():
    sampler = TunesmithSampler(SPACE, seed=0)
    study = optuna.create_study(sampler=sampler)
    study.optimize(lambda trial: trial.suggest_float("x", -10, 10) + trial.suggest_float("y", -10, 10), 6)
    study.optimize(ramp, 12)
    later = [t for t in study.trials[6:] if t.params["x"] >= 5]
    assert len(later) >= 3


VALUES = st.floats(-5, 5) | st.sampled_from([0.0, math.inf, -math.inf])
TRIALS = st.lists(
    st.tuples(
        st.floats(-10, 10),
        st.floats(-100, 100),
        st.fixed_dictionaries({"a": VALUES}, optional={"b": VALUES, "<b>|*\n": VALUES}),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=30, deadline=None)
@given(TRIALS)
def test_the_incumbent_is_what_the_study_calls_its_best_trial(trials):
    study = study_of(trials)
    past = history_of(study, SPACE)
    try:
        best = study.best_trial
    except ValueError:
        assert past.incumbent is None
    else:
        assert past.incumbent is not None and past.incumbent.value == best.value
    assert all(math.isfinite(v) for t in past.trials for v in t.values.values())


@settings(max_examples=20, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.floats(-10, 10),
            st.tuples(st.integers(0, 4).map(float), st.integers(0, 4).map(float)),
            st.fixed_dictionaries({"a": VALUES}),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_the_front_is_what_the_study_calls_its_best_trials(trials):
    study = study_of(trials, ("minimize", "maximize"))
    past = history_of(study, SPACE)
    assert {tuple(t.values[n] for n in ("values_0", "values_1")) for t in past.front} == {
        tuple(t.values) for t in study.best_trials
    }


def test_two_objectives_under_a_constraint_are_searched_where_it_is_kept():
    def function(trial):
        x, y = trial.suggest_float("x", 0, 1), trial.suggest_float("y", 0, 1)
        trial.set_constraint("sum", 0.8 - x - y)  # the upper corner only
        return x, y

    study = run(TunesmithSampler(seed=0), 20, function, directions=["minimize", "minimize"])
    front = study.best_trials
    assert front and all(t.constraints["sum"] <= 0 for t in front)
    assert min(sum(t.values) for t in front) < 0.85 and len(front) >= 4


def test_running_trials_with_constraints_do_not_disturb():
    study = optuna.create_study(sampler=TunesmithSampler(SPACE, seed=0))
    study.optimize(ramp, 4)
    asked = [study.ask() for _ in range(2)]
    for trial in asked:
        trial.suggest_float("x", -10, 10)
        trial.set_constraint("latency", 1.0)
    last = study.ask()
    assert -10 <= last.suggest_float("x", -10, 10) <= 10
    assert np.isfinite(last.suggest_float("y", -10, 10))


def test_no_warning_but_optunas_own_is_given_for_constraints():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run(TunesmithSampler(SPACE, seed=0), 6)
