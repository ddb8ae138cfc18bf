"""Programs that never state a space: names count from the first trial, branches are learned."""

from math import log10

import optuna
import pytest

from tunesmith import TunesmithSampler
from tunesmith.agent.samplers.study_view import ATTRIBUTE

WORDS = "CNN in torch"


@pytest.fixture(autouse=True)
def quiet():
    optuna.logging.set_verbosity(optuna.logging.WARNING)


def run(sampler, function, n, **options):
    study = optuna.create_study(sampler=sampler, **options)
    study.optimize(function, n_trials=n)
    return study


def branches(trial):
    """Parameters of one branch only; the choice between them is a parameter too."""
    model = trial.suggest_categorical("model", ["svm", "net", "tree"])
    if model == "svm":
        c, gamma = trial.suggest_float("C", 1e-3, 1e3, log=True), trial.suggest_float("g", 1e-4, 1, log=True)
        return (log10(c) - 1) ** 2 / 4 + (log10(gamma) + 2) ** 2 / 4
    if model == "net":
        return 0.05 + (log10(trial.suggest_float("step", 1e-5, 1, log=True)) + 2) ** 2 / 4
    return 0.3 + (trial.suggest_int("depth", 1, 20) - 7) ** 2 / 100


@pytest.mark.parametrize("wanted", ["adam", "sgd"])
def test_a_parameter_is_first_tried_where_its_name_says_in_whatever_trial_that_is(wanted):
    def function(trial):
        kind = trial.suggest_categorical("optimizer", ["adam", "sgd"])
        if kind == wanted:
            trial.suggest_float("momentum", 0, 0.999)
        return trial.suggest_float("lr", 1e-5, 1, log=True)

    trials = run(TunesmithSampler(seed=0, words=WORDS), function, 12).trials
    met = next(t.params["momentum"] for t in trials if "momentum" in t.params)
    assert met == pytest.approx(0.9, abs=0.02)
    off = run(TunesmithSampler(seed=0, words=WORDS, priors=False), function, 12).trials
    assert next(t.params["momentum"] for t in off if "momentum" in t.params) != pytest.approx(0.9, abs=0.02)


def test_a_default_of_a_branch_is_what_its_parameter_starts_from():
    def function(trial):
        if trial.suggest_categorical("optimizer", ["adam", "sgd"]) == "sgd":
            trial.suggest_float("momentum", 0, 0.999)
        return 0.0

    sampler = TunesmithSampler(seed=0, default={"optimizer": "adam", "momentum": 0.42})
    trials = run(sampler, function, 12).trials
    assert trials[0].params == {"optimizer": "adam"}
    assert next(t.params["momentum"] for t in trials if "momentum" in t.params) == 0.42


def test_draws_of_a_branch_follow_the_name_before_there_is_anything_to_learn_from():
    def momentum(priors, seed):
        study = optuna.create_study(sampler=TunesmithSampler(seed=seed, priors=priors))
        study.add_trial(
            optuna.trial.create_trial(
                params={"momentum": 0.5},
                distributions={"momentum": optuna.distributions.FloatDistribution(0, 0.999)},
                value=1.0,
            )
        )
        trial = study.ask()
        trial.suggest_float("other", 0, 1)
        return study.sampler.sample_independent(
            study,
            study.trials[trial.number],
            "momentum",
            optuna.distributions.FloatDistribution(0, 0.999),
        )

    near = [[0.7 < momentum(priors, seed) < 0.98 for seed in range(30)] for priors in (True, False)]
    assert sum(near[0]) > sum(near[1]) + 6


def test_parameters_of_one_branch_come_from_one_proposal_with_its_reason():
    study = run(TunesmithSampler(seed=0), branches, 20)
    notes = [t.user_attrs[ATTRIBUTE] for t in study.trials if "C" in t.params]
    learned = [note for note in notes if "branches" in note]
    assert len(learned) >= 3
    assert all(note["branches"]["C"] == note["branches"]["g"] for note in learned)
    assert "predicted" in learned[-1]["branches"]["C"] and "model" in learned[-1]["configuration"]


def test_a_space_that_changes_altogether_is_followed():
    """Names of the first ten trials never come again."""

    def function(trial):
        name = "old" if trial.number < 10 else "new"
        return (trial.suggest_float(name, 0, 1) - 0.3) ** 2 + (
            trial.suggest_float(f"{name} too", 0, 1) - 0.6
        ) ** 2

    study = run(TunesmithSampler(seed=0), function, 32)
    assert min(t.value for t in study.trials[10:]) < 0.003
    last = study.trials[-1].user_attrs[ATTRIBUTE]
    assert last["origin"] == "surrogate" and last["reason"].startswith("Proposed branch by branch")


@pytest.mark.long
def test_branches_are_learned_not_drawn():
    ours = [run(TunesmithSampler(seed=seed), branches, 30).best_value for seed in range(3)]
    random = [run(optuna.samplers.RandomSampler(seed=seed), branches, 30).best_value for seed in range(3)]
    assert sum(ours) < 0.5 * sum(random)
