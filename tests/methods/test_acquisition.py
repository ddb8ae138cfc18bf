from __future__ import annotations

import numpy as np
import pytest
from mpmath import mp

from tunesmith.agent.methods.gp.acquisition import (
    acquire,
    expected_improvement,
    log_expected_improvement,
    upper_confidence_bound,
)


def exact(z: float) -> float:
    """log(phi(z) + z Phi(z)) in 60 digits."""
    with mp.workdps(60):
        z = mp.mpf(z)
        return float(mp.log(mp.npdf(z) + z * mp.ncdf(z)))


@pytest.mark.parametrize("z", [50.0, 3.0, 0.0, -0.5, -0.999, -1.001, -5.0, -30.0, -300.0, -999.0])
def test_it_agrees_with_sixty_digits(z):
    got = log_expected_improvement(np.array([z]), np.array([1.0]), 0.0)[0]
    assert got == pytest.approx(exact(z), rel=1e-8, abs=1e-12)


def test_a_point_without_spread_has_its_certain_gain_or_nothing():
    got = log_expected_improvement(np.array([2.0, 0.0]), np.zeros(2), 1.0)
    assert got[0] == pytest.approx(0.0, abs=1e-9) and got[1] < -1e20


def test_expected_improvement_is_the_mean_gain_of_many_draws():
    draws = np.random.default_rng(1).normal(0.4, 0.5, 400_000)
    got = expected_improvement(np.array([0.4]), np.array([0.5]), 0.9)[0]
    assert got == pytest.approx(np.maximum(draws - 0.9, 0).mean(), rel=0.03)


def test_the_upper_confidence_bound_pays_for_spread():
    mean, std = np.array([1.0, 0.8]), np.array([0.05, 0.3])
    assert np.argmax(upper_confidence_bound(mean, std, 0.0)) == 0
    assert np.argmax(upper_confidence_bound(mean, std, 2.0)) == 1


def test_acquisition_functions_are_chosen_by_name():
    mean, std = np.array([1.0]), np.array([0.5])
    assert acquire("ucb", mean, std, 0.0, kappa=3.0)[0] == pytest.approx(2.5)
    assert acquire("ei", mean, std, 0.0)[0] == expected_improvement(mean, std, 0.0)[0]
    assert acquire("log_ei", mean, std, 0.0)[0] == log_expected_improvement(mean, std, 0.0)[0]


def test_it_keeps_ranking_candidates_that_have_no_realistic_chance():
    mean = -np.logspace(0, 9, 200)
    got = log_expected_improvement(mean, np.ones(200), 0.0)
    assert np.isfinite(got).all() and (np.diff(got) < 0).all()


def test_expected_improvement_is_what_its_logarithm_says():
    rng = np.random.default_rng(0)
    mean, std = rng.normal(size=200), rng.uniform(0.05, 3.0, 200)
    plain = expected_improvement(mean, std, 0.3)
    np.testing.assert_allclose(np.log(plain), log_expected_improvement(mean, std, 0.3), rtol=1e-6, atol=1e-9)
