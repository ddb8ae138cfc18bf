from __future__ import annotations

import numpy as np
import pytest

from tunesmith.agent.methods.gp.gp_model import Columns, fit
from tunesmith.agent.methods.gp.posterior import posterior_at
from tunesmith.agent.methods.gp.prior import build_prior
from tunesmith.agent.methods.gp.strategy import GaussianProcessStrategy
from tunesmith.agent.methods.gp.surrogate import GaussianProcessSurrogate
from tunesmith.agent.methods.gp.trust import after_misses, features, trusts
from tunesmith.space import Categorical, Float, Int, Space

SPACE = Space({"lr": Float(1e-5, 1, scale="log"), "dropout": Float(0, 0.8)})
WORDS = "CNN with Adam"


def test_it_is_the_posterior_weight_of_each_belief_in_the_mean():
    U = np.random.default_rng(0).random((15, 2))
    Q = np.random.default_rng(1).standard_normal((15, 3)) / np.sqrt(3)
    y = 0.3 * Q[:, 0] + np.sin(5 * U[:, 0])
    process = fit(Columns(np.array([0, 1]), np.array([True, True])), U, y, warped=False)
    lengths = process.length_scales
    r = np.sqrt(5 * (((U[:, None] - U[None]) / lengths) ** 2).sum(-1))
    K = process.scale * (1 + r + r**2 / 3) * np.exp(-r) + 0.25 + process.noise * np.eye(15)
    same = np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1]])
    S = 0.3**2 + 0.2**2 * same + np.diag([0.2, 0.2, 0.8]) ** 2
    tolerant = K + 0.1 * np.eye(15)
    weights = 0.8 + S @ Q.T @ np.linalg.inv(tolerant + Q @ S @ Q.T) @ (y - Q @ np.full(3, 0.8))
    got = trusts(process, Q, ["name", "name", "default"])
    assert got == pytest.approx(np.clip(weights / (0.7 * 0.8), 0, 1), rel=1e-6)


def test_the_features_of_beliefs_sum_to_variance_1_over_the_space():
    space = Space(
        {
            "lr": Float(1e-5, 1e-1, scale="log"),
            "kernel": Categorical(["linear", "rbf"]),
            "batch_size": Int(8, 512),
        }
    )
    default = space.validate({"lr": 1e-3, "kernel": "rbf", "batch_size": 64})
    prior = build_prior(space, default=default, words=WORDS)
    rows = space.round(np.random.default_rng(0).random((50_000, space.dimensions)))
    total = features(prior, rows, space.active(rows)).sum(axis=1)
    assert total.mean() == pytest.approx(0, abs=0.03) and total.std() == pytest.approx(1, abs=0.03)


def posterior_after(study, objective, default=None, n=20, space=SPACE):
    s = study(space, objective, default)
    for configuration in space.sample(np.random.default_rng(2), n):
        s.tell(configuration)
    prior = build_prior(space, words=WORDS, default=s.history.default)
    return posterior_at(GaussianProcessSurrogate(space, warped=True), prior, s.history)


def log_prior(configuration):
    prior = build_prior(SPACE, words=WORDS)
    row, active = SPACE.encode(configuration)
    return float(prior.log_density(row[None], active[None])[0])


def test_data_that_follow_the_names_are_trusted_and_data_that_contradict_them_are_not(study):
    assert posterior_after(study, log_prior).trust > 0.9
    assert posterior_after(study, lambda c: -log_prior(c)).trust < 0.1


def test_it_stays_within_0_and_1(study):
    assert 0 <= posterior_after(study, lambda c: 5 * log_prior(c)).trust <= 1
    assert 0 <= posterior_after(study, lambda c: float(c["lr"])).trust <= 1


def test_a_default_that_misleads_loses_its_trust_and_the_names_keep_theirs(study):
    # The names are right; the default is at the other end of both ranges.
    posterior = posterior_after(study, log_prior, {"lr": 1.0, "dropout": 0.8})
    trusted = posterior.prior.source_trusts
    assert trusted["name"] > 0.8 and trusted["word cnn"] > 0.8 and trusted["default"] < 0.2


def test_one_wrong_default_fades_while_another_holds(study):
    space = Space({"a": Float(0, 1), "b": Float(0, 1)})

    def value(c):
        return -10 * (c["a"] - 0.2) ** 2 - 10 * (c["b"] - 0.2) ** 2

    posterior = posterior_after(study, value, {"a": 0.2, "b": 0.9}, space=space)
    trusted = {name: belief.trust for name, belief in posterior.prior.beliefs}
    assert trusted["a"] > 0.8 and trusted["b"] < 0.2


def test_equal_results_near_a_belief_count_against_it_and_far_ones_do_not(study):
    near, far = {"lr": 1e-3, "dropout": 0.2}, {"lr": 0.9, "dropout": 0.75}
    factors = {}
    for place in ("near", "far"):
        s, start = study(SPACE, lambda c: 0.5), near if place == "near" else far
        for k in range(5):
            s.tell(SPACE.validate({**start, "lr": start["lr"] * (1 + k / 50)}))
        factors[place] = after_misses(build_prior(SPACE, words=WORDS), s.history)
    assert (factors["near"] < (0.1, 0.7)).all() and (factors["far"] == 1.0).all()
    s.tell(SPACE.validate({"lr": 1e-3, "dropout": 0.5}), value=0.7)
    assert (after_misses(build_prior(SPACE, words=WORDS), s.history) == 1.0).all()


def test_ties_among_the_best_are_no_plateau(study):
    s = study(SPACE, lambda c: 0.9)
    for k in range(6):
        s.tell(SPACE.validate({"lr": 1e-3 * (1 + k / 50), "dropout": 0.2}))
    s.tell(SPACE.validate({"lr": 1e-5, "dropout": 0.8}), value=0.5)
    assert (after_misses(build_prior(SPACE, words=WORDS), s.history) == 1.0).all()


def test_a_plateau_about_the_default_sends_draws_elsewhere(study):
    s = study(SPACE, lambda c: 0.5, {"lr": 1e-3, "dropout": 0.0})
    s.run(GaussianProcessStrategy(SPACE, 0, words=WORDS), 12)
    lr = np.log10([trial.configuration["lr"] for trial in s.history])
    assert lr.min() < -4 and lr.max() > -1


DEMO = Space(
    {
        "optimizer": Categorical(["adamw", "sgd"]),
        "learning_rate": Float(1e-4, 1e-1, scale="log"),
        "momentum": Float(0.5, 0.98, when={"optimizer": "sgd"}),
        "weight_decay": Float(1e-6, 1e-1, scale="log"),
        "width": Int(8, 48, scale="log"),
        "dropout": Float(0, 0.6),
        "shift": Float(0, 1.5),
        "rotation": Float(0, 20),
    }
)
DEMO_DEFAULT = {
    "optimizer": "adamw",
    "learning_rate": 1e-3,
    "weight_decay": 1e-2,
    "width": 32,
    "dropout": 0.25,
    "shift": 0.0,
    "rotation": 0.0,
}


@pytest.mark.parametrize("seed", range(5))
def test_a_default_at_an_edge_is_left_by_trial_12_when_the_optimum_is_elsewhere(study, seed):
    rng = np.random.default_rng(100 + seed)

    def accuracy(c):
        best = -2.6 if c["optimizer"] == "adamw" else -1.4
        value = 0.955 - 0.03 * (np.log10(c["learning_rate"]) - best) ** 2
        value -= 0.002 * (np.log10(c["weight_decay"]) + 2.5) ** 2 + 0.02 * abs(np.log(c["width"] / 40))
        value -= 0.03 * (c["dropout"] - 0.2) ** 2 + 0.03 * ((c["shift"] - 0.8) / 0.8) ** 2
        return value - 0.01 * ((c["rotation"] - 8) / 10) ** 2 + 0.006 * rng.standard_normal()

    s = study(DEMO, accuracy, DEMO_DEFAULT)
    s.run(GaussianProcessStrategy(DEMO, seed, words="Small convolutional network in PyTorch"), 13)
    chosen = [trial.configuration["shift"] for trial in s.history][2:]  # after the default and a random one
    assert max(chosen) > 0.25
