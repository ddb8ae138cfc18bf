from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from tunesmith.agent.knowledge import Located
from tunesmith.agent.methods.gp.densities import GRID
from tunesmith.agent.methods.gp.prior import build_prior, parameter_prior
from tunesmith.space import Categorical, Float, Int, Ordinal, Space

LR = Float(1e-5, 1e-1, scale="log")


def bell(x, mean, sd):
    density = np.exp(-0.5 * ((x - mean) / sd) ** 2)
    return density / density.mean()


def test_card_and_default_mix_as_the_recipe_says():
    space = Space({"lr": LR})
    prior = build_prior(space, default=space.validate({"lr": 1e-3}), words="CNN with Adam")
    card = bell(-5 + 4 * GRID, -2.8, 0.5)
    expected = 0.9 * (0.75 * card + 0.25 * bell(GRID, 0.5, 0.15)) + 0.1
    np.testing.assert_allclose(prior.parameters["lr"].density, expected, rtol=1e-9)


def test_categories_mix_card_default_and_floor():
    space = Space({"kernel": Categorical(["linear", "rbf", "poly"])})
    prior = build_prior(space, default=space.validate({"kernel": "poly"}))
    card = 0.85 * np.array([0.2, 0.6, 0.2]) + 0.15 * np.array([0, 0, 1])
    np.testing.assert_allclose(prior.parameters["kernel"].density, 3 * (0.9 * card + 0.1 / 3))


@pytest.mark.parametrize(
    "parameter",
    [LR, Float(0, 1), Float(0.1, 0.9, step=0.1), Int(1, 2), Int(1, 1000, scale="log"), Ordinal([1, 10, 100])],
    ids=str,
)
@pytest.mark.parametrize("transform", ["log10", "linear", "log10_one_minus"])
def test_every_density_is_positive_and_has_mean_one(parameter, transform):
    card = Located("x", (), transform, -1.0, 0.3)
    for default in (None, np.array([parameter.round_units(np.array([0.3]))[0]])):
        prior = parameter_prior(parameter, [card], default)
        if prior is None:
            # All values at least 1: 1 - x has no logarithm.
            assert transform == "log10_one_minus" and default is None
            continue
        assert prior.density.min() >= 0.099
        assert prior.density.mean() == pytest.approx(1)


@pytest.mark.parametrize(
    ("low", "high", "top"), [(0.3, 10.0, 0.0), (1e-9, 1e-7, 1.0)], ids=["below", "above"]
)
def test_a_card_outside_the_range_leans_to_its_near_end(low, high, top):
    space = Space({"lr": Float(low, high, scale="log")})
    prior = build_prior(space, words="CNN with Adam").parameters["lr"]
    assert GRID[np.argmax(prior.density)] == top
    assert prior.density.min() >= 0.1


def test_a_narrow_card_is_at_least_a_twentieth_of_the_range_wide():
    card = Located("x", (), "linear", 0.5, 1e-6)
    prior = parameter_prior(Float(0, 1), [card], None)
    np.testing.assert_allclose(prior.density, 0.9 * bell(GRID, 0.5, 0.05) + 0.1)


def test_draws_follow_the_density():
    space = Space({"lr": LR, "kernel": Categorical(["linear", "rbf"]), "free": Float(0, 1)})
    prior = build_prior(space, words="CNN with Adam")
    rows = prior.sample(np.random.default_rng(0), 20_000)
    share, _ = np.histogram(rows[:, 0], bins=10, range=(0, 1))
    density = prior.parameters["lr"].density
    expected = np.array([density[20 * i : 20 * i + 21].mean() for i in range(10)]) / 10
    np.testing.assert_allclose(share / 20_000, expected, atol=0.015)
    assert rows[:, 2].mean() == pytest.approx(prior.parameters["kernel"].density[1] / 2, abs=0.01)
    assert (rows[:, 1:3].sum(axis=1) == 1).all()
    assert rows[:, 3].mean() == pytest.approx(0.5, abs=0.01)


def test_the_mode_is_the_most_plausible_value():
    space = Space({"lr": LR, "kernel": Categorical(["linear", "rbf"])})
    mode = space.decode(build_prior(space, words="CNN with Adam").mode(np.random.default_rng(0)))
    assert mode["kernel"] == "rbf"
    assert np.log10(mode["lr"]) == pytest.approx(-2.8, abs=0.02)


def test_an_inactive_parameter_speaks_neither_for_nor_against():
    space = Space({"opt": Categorical(["sgd", "x"]), "momentum": Float(0, 0.99, when={"opt": "sgd"})})
    prior = build_prior(space)
    row, active = space.encode(space.validate({"opt": "x"}))
    got = prior.log_density(row[None], active[None])[0]
    assert got == pytest.approx(prior.parameters["momentum"].log_mean)
    assert got < 0


def test_a_card_alone_and_a_default_alone():
    space = Space({"lr": LR, "my_knob": Float(0, 10)})
    alone = build_prior(space, words="CNN with Adam")
    np.testing.assert_allclose(alone.parameters["lr"].density, 0.9 * bell(-5 + 4 * GRID, -2.8, 0.5) + 0.1)
    assert "my_knob" not in alone.parameters
    start = space.validate({"lr": 1e-3, "my_knob": 4.0})
    with_default = build_prior(space, default=start)
    inside = norm.cdf(0.6, scale=0.2) - norm.cdf(-0.4, scale=0.2)
    about = inside * bell(GRID, 0.4, 0.2) + 1 - inside
    np.testing.assert_allclose(with_default.parameters["my_knob"].density, 0.9 * about + 0.1)


def test_a_lone_default_at_an_end_says_half_as_much_as_one_inside():
    space = Space({"shift": Float(0, 1.5)})
    density = build_prior(space, default=space.validate({"shift": 0.0})).parameters["shift"].density
    np.testing.assert_allclose(density, 0.9 * (bell(GRID, 0.0, 0.2) + 1) / 2 + 0.1, atol=1e-6)


def test_a_belief_without_trust_counts_as_uniform_and_others_keep_their_share():
    space = Space({"lr": LR})
    prior = build_prior(space, default=space.validate({"lr": 1e-3}), words="CNN with Adam")
    assert [belief.source for _, belief in prior.beliefs] == ["word cnn", "default"]
    half = prior.trusted(np.array([0.5, 0.0]))
    card = bell(-5 + 4 * GRID, -2.8, 0.5)
    np.testing.assert_allclose(half.parameters["lr"].density, 0.9 * (0.375 * card + 0.625) + 0.1, rtol=1e-9)
    assert half.trust == pytest.approx(0.375) and half.source_trusts == {"word cnn": 0.5, "default": 0.0}
    none = prior.trusted(np.zeros(2))
    np.testing.assert_allclose(none.parameters["lr"].density, 1)
