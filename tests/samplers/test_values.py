"""No trial of a study is forgotten, or called set by hand, because of its values."""

import math
import warnings

import numpy as np
import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith import LlamboSampler, TunesmithSampler
from tunesmith.agent.samplers.study_view import ATTRIBUTE, StudyView, Translation
from tunesmith.space import Categorical, Float, Int, Space


@pytest.fixture(autouse=True)
def quiet():
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


class Opaque:
    """An object that Optuna tells apart by identity only."""


EQUAL = [1, "1", 1.0, True, None, (1, 2), [3, 4], {"a": 1}, ""]
ODD = [float("nan"), None, "nan", float("inf"), 2**80, "x" * 3000, "\x1b[31m\n", Opaque(), print, -0.0, 0]
ANY = st.lists(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=4),
        st.sampled_from([*EQUAL, *ODD]), st.lists(st.integers(0, 3), max_size=2),
    ),
    min_size=1, max_size=7,
)  # fmt: skip


def samplers(space=None):
    return [TunesmithSampler(space, seed=3), LlamboSampler(space, seed=3, model=lambda messages: "no idea")]


def known(study, sampler):
    """How many trials of the study the sampler learns from."""
    shared = sampler.infer_relative_search_space(study, study.trials[-1])
    view = StudyView(Translation(shared, sampler._space), None)
    return len(view.history(study, but=-1).completed)


def run(sampler, objective, n, **options):
    study = optuna.create_study(sampler=sampler, **options)
    study.optimize(objective, n_trials=n)
    return study


def origins(study):
    return {trial.user_attrs[ATTRIBUTE]["origin"] for trial in study.trials}


@pytest.mark.long
@settings(max_examples=12)
@given(ANY)
def test_any_choices_work_in_both_samplers_with_every_trial_counted(choices):
    def objective(trial):
        choice = trial.suggest_categorical("c", choices)
        return choices.index(choice) + trial.suggest_float("x", 0, 1) if choice in choices else 9.0

    for sampler in samplers():
        study = run(sampler, objective, 6 if isinstance(sampler, LlamboSampler) else 15)
        assert "user" not in origins(study)
        assert known(study, sampler) == len(study.trials)


@pytest.mark.parametrize("choices", [EQUAL, ODD], ids=["equal", "odd"])
def test_the_best_of_choices_that_are_hard_to_tell_apart_is_found(choices):
    def objective(trial):
        choice = trial.suggest_categorical("c", choices)
        return (0 if choice is None else 1) + trial.suggest_float("x", 0, 1)

    study = run(TunesmithSampler(seed=3), objective, 25)
    assert study.best_value <= 0.3
    most = max(sum(repr(t.params["c"]) == repr(c) for t in study.trials) for c in choices if c is not None)
    assert most <= 8


@pytest.mark.long
def test_the_samplers_take_a_space_with_lists_and_equal_choices(tmp_path):
    space = Space({"c": Categorical([None, [50, 100], (1,), 1, True]), "n": Int(0, 2**62), "x": Float(0, 1)})

    def objective(trial):
        c = trial.suggest_categorical("c", [None, [50, 100], (1,), 1, True])
        n = trial.suggest_int("n", 0, 2**62)
        assert 0 <= n <= 2**62
        return (0 if c is None else 1) + trial.suggest_float("x", 0, 1)

    for number, sampler in enumerate(samplers(space)):
        study = run(sampler, objective, 8, storage=f"sqlite:///{tmp_path}/{number}.db")
        assert "user" not in origins(study)
        assert known(study, sampler) == 8
        assert len({repr(trial.params["c"]) for trial in study.trials}) >= 3


def test_what_was_enqueued_is_learned_from_wherever_it_lies():
    def objective(trial):
        return trial.suggest_float("x", 0, 1) + trial.suggest_int("n", 1, 9, step=2)

    for sampler in samplers():
        study = optuna.create_study(sampler=sampler)
        for params in ({"x": 7.0, "n": 3}, {"x": 1, "n": 3}, {"x": 0.5, "n": 4}, {"x": -1e300}):
            study.enqueue_trial(params)
        study.optimize(objective, n_trials=7)
        assert [t.user_attrs[ATTRIBUTE]["origin"] == "user" for t in study.trials] == [True] * 4 + [False] * 3
        assert known(study, sampler) == 7


def test_trials_of_a_range_that_was_changed_since_are_kept():
    bounds, sampler = [0.0, 1.0], TunesmithSampler(seed=1)

    def objective(trial):
        trial.suggest_categorical("kind", ["a", "b"])
        return abs(trial.suggest_float("x", *bounds) - 3)

    study = run(sampler, objective, 8)
    for bounds[1] in (5.0, 2.0):
        study.optimize(objective, n_trials=6)
        assert known(study, sampler) == len(study.trials)
        assert "x" in sampler.infer_relative_search_space(study, study.trials[-1])
        assert "user" not in origins(study)
    assert study.best_value < 0.1


def test_trials_that_were_added_count_whatever_their_types():
    floats = optuna.distributions.FloatDistribution(0, 1)
    ints = optuna.distributions.IntDistribution(0, 10)
    kinds = optuna.distributions.CategoricalDistribution([float("nan"), None, "a"])
    sampler = TunesmithSampler(seed=1)
    study = optuna.create_study(sampler=sampler)
    for x, n, kind in ((1, 2, math.nan), (np.float32(0.25), np.int64(3), None), (True, 4.0, "a")):
        study.add_trial(
            optuna.trial.create_trial(
                params={"x": x, "n": n, "kind": kind},
                distributions={"x": floats, "n": ints, "kind": kinds},
                value=1.0,
            )
        )
    study.optimize(
        lambda t: (
            t.suggest_float("x", 0, 1)
            + t.suggest_int("n", 0, 10)
            + (t.suggest_categorical("kind", [float("nan"), None, "a"]) == "a")
        ),
        n_trials=4,
    )
    assert known(study, sampler) == 7


@pytest.mark.parametrize(
    "distribution",
    [
        optuna.distributions.IntDistribution(0, 2**50),
        optuna.distributions.IntDistribution(-(2**63), 2**63 - 1),
        optuna.distributions.IntDistribution(1, 2**62, log=True),
        optuna.distributions.IntDistribution(3, 3 + 7 * 2**59, step=7),
        optuna.distributions.IntDistribution(2**70, 2**70),
        optuna.distributions.FloatDistribution(-1e308, 1e308),
        optuna.distributions.FloatDistribution(5e-324, 1.0, log=True),
        optuna.distributions.FloatDistribution(0, 5e-324),
        optuna.distributions.FloatDistribution(0, 1e6, step=1e-7),
        optuna.distributions.CategoricalDistribution(list(range(3000))),
    ],
    ids=str,
)
def test_parameters_at_the_edge_of_what_numbers_hold_are_drawn_legally(distribution):
    sampler = TunesmithSampler(seed=0)
    study = optuna.create_study(sampler=sampler)

    for number in range(6):
        trial = study.ask({"x": distribution, "y": optuna.distributions.FloatDistribution(0, 1)})
        assert distribution._contains(distribution.to_internal_repr(trial.params["x"]))
        study.tell(trial, trial.params["y"] + number)
    assert "user" not in origins(study)
    assert known(study, sampler) == 6
    if not distribution.single():
        assert len({trial.params["x"] for trial in study.trials}) > 1


def test_parameters_may_have_any_name_that_optuna_takes():
    names = ["a\nb", "", "constraints", " lead", "x" * 101, "x" * 102, "tab\t", "\u200bz"]

    def objective(trial):
        first, *others = [trial.suggest_float(name, 0, 1) for name in names]
        if trial.suggest_categorical("branch\n", [True, False]):
            trial.suggest_int("in the branch\n", 1, 9)
        trial.set_constraint("at\nleast", 0.3 - first)
        return first + sum(others) / 100

    for sampler in samplers():
        study = run(sampler, objective, 10)
        assert known(study, sampler) == 10
        assert "surrogate" in origins(study) or "model" in origins(study) or "local" in origins(study)
    default = TunesmithSampler(seed=0, default=dict.fromkeys(names, 0.5))
    assert run(default, objective, 1).trials[0].params["constraints"] == 0.5
    study.enqueue_trial({"a\nb": 0.75})
    study.optimize(objective, n_trials=1)
    assert study.trials[-1].params["a\nb"] == 0.75
    assert study.trials[-1].user_attrs[ATTRIBUTE]["origin"] == "user"
