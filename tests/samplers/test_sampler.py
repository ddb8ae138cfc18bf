from __future__ import annotations

import pickle
from math import log10

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState as OptunaState

from tunesmith import Categorical, DataCard, Float, Int, Space, TunesmithSampler
from tunesmith.agent.methods.hybrid.proposer import Opening
from tunesmith.agent.samplers.study_view import ATTRIBUTE
from tunesmith.errors import InvalidConfiguration, ModelUnavailable
from tunesmith.trial import Origin, Proposal

SPACE = Space(
    {
        "lr": Float(1e-5, 1e-1, scale="log"),
        "layers": Int(1, 4),
        "optimizer": Categorical(["adam", "sgd"]),
        "momentum": Float(0, 0.99, when={"optimizer": "sgd"}),
    }
)
DEFAULT = {"lr": 1e-3, "layers": 2, "optimizer": "adam"}


@pytest.fixture(autouse=True)
def quiet():
    optuna.logging.set_verbosity(optuna.logging.WARNING)


def objective(trial):
    lr = trial.suggest_float("lr", 1e-5, 1e-1, log=True)
    layers = trial.suggest_int("layers", 1, 4)
    kind = trial.suggest_categorical("optimizer", ["adam", "sgd"])
    momentum = trial.suggest_float("momentum", 0, 0.99) if kind == "sgd" else 0.0
    return (log10(lr) + 2.2) ** 2 + 0.1 * abs(layers - 3) - 0.3 * momentum


def params(study):
    return [t.params for t in study.trials]


def optimize(sampler, n=12, function=objective, **options):
    study = optuna.create_study(sampler=sampler)
    study.optimize(function, n_trials=n, **options)
    return study


def test_an_ordinary_program_is_tuned_with_a_space_and_its_default_first():
    study = optimize(TunesmithSampler(SPACE, seed=1, default=DEFAULT), 25)
    assert study.trials[0].params == DEFAULT
    assert study.best_value < -0.2
    assert study.best_params["optimizer"] == "sgd"


def test_the_same_seed_gives_the_same_study_and_a_pickled_sampler_goes_on_the_same():
    whole = optimize(TunesmithSampler(SPACE, seed=3), 12)
    assert params(optimize(TunesmithSampler(SPACE, seed=3), 12)) == params(whole)
    assert params(optimize(TunesmithSampler(SPACE, seed=4), 12)) != params(whole)
    first = optimize(TunesmithSampler(SPACE, seed=3), 6)
    first.sampler = pickle.loads(pickle.dumps(first.sampler))
    first.optimize(objective, n_trials=6)
    assert params(first) == params(whole)


def test_the_reason_of_each_trial_is_in_its_attribute():
    study = optimize(TunesmithSampler(SPACE, seed=1, default=DEFAULT), 8)
    notes = [t.user_attrs[ATTRIBUTE] for t in study.trials]
    assert notes[0]["origin"] == "default"
    assert all(note["configuration"] == t.params for note, t in zip(notes, study.trials, strict=True))
    assert "predicted" in notes[-1]["reason"] and notes[-1]["spread"] > 0
    assert set(notes[-1]["evidence"]) <= set(range(7))


def test_an_enqueued_trial_is_run_as_it_is_and_recorded_as_set_by_hand():
    study = optuna.create_study(sampler=TunesmithSampler(SPACE, seed=1, default=DEFAULT))
    study.enqueue_trial({"lr": 0.05, "layers": 4, "optimizer": "adam"})
    study.optimize(objective, n_trials=3)
    assert study.trials[0].params == {"lr": 0.05, "layers": 4, "optimizer": "adam"}
    assert study.trials[0].user_attrs[ATTRIBUTE]["origin"] == "user"
    assert study.trials[1].params == DEFAULT


@pytest.mark.long
def test_a_reopened_study_on_disk_goes_on_where_it_was(tmp_path):
    whole = optimize(TunesmithSampler(SPACE, seed=5), 10)
    storage = f"sqlite:///{tmp_path / 'study.db'}"
    for _ in range(2):
        study = optuna.create_study(
            storage=storage, study_name="s", load_if_exists=True, sampler=TunesmithSampler(SPACE, seed=5)
        )
        study.optimize(objective, n_trials=5)
    assert params(study) == params(whole)


def test_pruned_failed_and_infinite_trials_are_learnt_from():
    def fragile(trial):
        x = trial.suggest_float("x", 0, 1)
        y = trial.suggest_float("y", 0, 1)
        if x > 0.7:
            raise ArithmeticError("diverged")
        if y > 0.8:
            return float("inf")
        value = (x - 0.6) ** 2 + (y - 0.5) ** 2
        trial.report(value * 1.5, 1)
        if value > 0.2:
            raise optuna.TrialPruned
        return value

    study = optimize(TunesmithSampler(seed=0), 30, fragile, catch=(ArithmeticError,))
    states = [t.state for t in study.trials]
    assert states.count(OptunaState.FAIL) >= 1 and states.count(OptunaState.FAIL) <= 12
    finite = [t.value for t in study.trials if t.state is OptunaState.COMPLETE and t.value != float("inf")]
    assert min(finite) < 0.01


def test_two_threads_never_get_the_same_configuration():
    study = optimize(TunesmithSampler(SPACE, seed=0, default=DEFAULT), 24, n_jobs=2)
    assert len({tuple(sorted(t.params.items())) for t in study.trials}) == 24
    assert all(t.state is OptunaState.COMPLETE for t in study.trials)


def test_trials_asked_for_together_are_spread_out():
    study = optimize(TunesmithSampler(SPACE, seed=0, default=DEFAULT), 10)
    asked = [study.ask(SPACE.to_distributions()) for _ in range(4)]
    assert len({tuple(t.params.items()) for t in asked}) == 4


def test_what_another_process_is_running_is_seen_before_its_parameters_are(tmp_path):
    """The proposal is noted in the storage at once; parameters appear one by one as they are asked for."""
    space = Space({"n": Int(1, 3)})
    storage = f"sqlite:///{tmp_path / 'study.db'}"
    seen = []
    for i in range(3):
        sampler = TunesmithSampler(space, seed=i)
        study = optuna.create_study(storage=storage, study_name="s", load_if_exists=True, sampler=sampler)
        seen.append(study.ask().relative_params["n"])
    assert sorted(seen) == [1, 2, 3]


def test_one_sampler_serves_several_studies():
    sampler = TunesmithSampler(seed=0)
    for low in (0.0, 5.0):
        study = optuna.create_study(sampler=sampler, direction="maximize")
        study.optimize(lambda t, low=low: t.suggest_float("x", low, low + 1) - low, n_trials=12)
        assert study.best_value > 0.95


def test_a_finite_space_that_is_used_up_is_gone_through_again():
    study = optimize(TunesmithSampler(seed=0), 9, lambda t: t.suggest_int("n", 1, 4))
    tried = [t.params["n"] for t in study.trials]
    assert set(tried) == {1, 2, 3, 4} and len(tried) == 9


@pytest.mark.parametrize(
    "choices", [[None, 10, 20], [True, 1, "1"], [0.5, None]], ids=["None", "True beside 1", "two"]
)
def test_choices_that_only_optuna_knows_are_tuned_and_come_back_as_they_were(choices):
    def function(trial):
        chosen = trial.suggest_categorical("c", choices)
        assert any(chosen is choice or chosen == choice for choice in choices)
        return trial.suggest_float("x", 0, 1) + (chosen is not choices[0])

    study = optimize(TunesmithSampler(seed=0), 12, function)
    assert study.best_value < 0.5 and study.best_params["c"] is choices[0]


def test_ranges_that_change_from_trial_to_trial_are_drawn_one_by_one():
    def function(trial):
        n = trial.suggest_int("n", 1, 5)
        return sum(trial.suggest_float(f"x{n}", 0, n) for _ in range(1))

    study = optimize(TunesmithSampler(seed=0), 15, function)
    assert all(0 <= t.params[f"x{t.params['n']}"] <= t.params["n"] for t in study.trials)


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
@pytest.mark.parametrize("parameter", ["momentum", "lr"])
def test_a_partial_fixed_sampler_can_wrap_it(parameter):
    fixed = {"momentum": 0.5, "lr": 0.01}[parameter]
    sampler = optuna.samplers.PartialFixedSampler({parameter: fixed}, TunesmithSampler(SPACE, seed=0))
    study = optimize(sampler, 8)
    assert all(t.params[parameter] == fixed for t in study.trials if parameter in t.params)


class Suggests:
    """A proposer that always has the same idea, or the same fault; counts its calls."""

    def __init__(self, idea=None):
        self.idea, self.calls = idea, 0

    def candidates(self, history, n):
        self.calls += 1
        if self.idea is None:
            raise ModelUnavailable("the model server does not answer")
        configuration = history.space.validate(self.idea)
        return [
            Proposal(configuration=configuration, origin=Origin.MODEL, reason="a hunch", prompt_id="p.v1")
        ]

    def opening(self, history, n):
        return Opening(self.candidates(history, n))


def test_a_model_takes_part_and_is_asked_rarely():
    model = Suggests({"lr": 10**-2.2, "layers": 3, "optimizer": "sgd", "momentum": 0.99})
    study = optimize(TunesmithSampler(SPACE, seed=0, default=DEFAULT, model=model), 11)
    origins = [t.user_attrs[ATTRIBUTE]["origin"] for t in study.trials]
    assert origins[0] == "default" and "model" in origins
    assert model.calls <= 3


def test_a_model_that_fails_costs_a_warning():
    sampler = TunesmithSampler(SPACE, seed=0, default=DEFAULT, model=Suggests())
    with pytest.warns(UserWarning, match="without the language model for 5 trials.*does not answer"):
        study = optimize(sampler, 6)
    assert len(study.trials) == 6


def test_a_data_card_joins_the_words_that_choose_priors():
    space = Space({"gamma": Float(1e-6, 10, scale="log")})
    raw = np.random.default_rng(0).normal(50, 20, (60, 3))

    def first(**options):
        sampler = TunesmithSampler(space, seed=0, words="SVM with an RBF kernel", **options)
        return optimize(sampler, 1, lambda t: t.suggest_float("gamma", 1e-6, 10, log=True)).best_params[
            "gamma"
        ]

    told = first(data=DataCard.from_arrays(raw))
    assert told == first(data=(raw, None))
    # Raw features are far apart: a kernel is as wide as they are only at a small gamma, 1 / (3 * variance).
    assert 0.3 < told * 3 * raw.var() < 3 and told < 0.1 * first()


def test_noisy_repeats_of_one_configuration_are_averaged_over_and_never_asked_for():
    rng = np.random.default_rng(0)
    study = optuna.create_study(
        direction="maximize", sampler=TunesmithSampler(Space({"x": Float(0, 1)}), seed=0)
    )
    for x in (0.3, 0.7) * 4:
        study.enqueue_trial({"x": x})
    study.optimize(
        lambda trial: 0.02 * rng.normal() - (trial.suggest_float("x", 0, 1) - 0.7) ** 2, n_trials=16
    )
    asked = [trial.params["x"] for trial in study.trials[8:]]
    assert len(set(asked) - {0.3, 0.7}) == 8
    assert np.mean([abs(x - 0.7) < 0.2 for x in asked]) >= 0.5


def test_a_default_outside_the_space_is_refused_at_once():
    with pytest.raises(InvalidConfiguration, match="lr"):
        TunesmithSampler(SPACE, default={**DEFAULT, "lr": 7.0})
