from __future__ import annotations

import numpy as np
import pytest
from mpmath import mp

from tunesmith.agent.strategies.acquisition import log_expected_improvement


def exact(z: float) -> float:
    """log(phi(z) + z Phi(z)) in 60 digits."""
    with mp.workdps(60):
        z = mp.mpf(z)
        return float(mp.log(mp.npdf(z) + z * mp.ncdf(z)))


@pytest.mark.parametrize("z", [50.0, 3.0, 0.0, -0.5, -0.999, -1.001, -5.0, -30.0, -300.0, -999.0])
def test_it_agrees_with_sixty_digits(z):
    got = log_expected_improvement(np.array([z]), np.array([1.0]), 0.0)[0]
    assert got == pytest.approx(exact(z), rel=1e-8, abs=1e-12)


def test_it_scales_with_the_unit():
    mean, std = np.array([0.1, -0.4]), np.array([0.3, 0.2])
    small = log_expected_improvement(mean, std, 0.2)
    large = log_expected_improvement(1000 * mean, 1000 * std, 200.0)
    np.testing.assert_allclose(large - small, np.log(1000))


def test_it_keeps_ranking_candidates_that_have_no_realistic_chance():
    mean = -np.logspace(0, 9, 200)
    got = log_expected_improvement(mean, np.ones(200), 0.0)
    assert np.isfinite(got).all() and (np.diff(got) < 0).all()


def test_a_point_without_spread_has_its_certain_gain_or_nothing():
    got = log_expected_improvement(np.array([2.0, 0.0]), np.zeros(2), 1.0)
    assert got[0] == pytest.approx(0.0, abs=1e-9) and got[1] < -1e20
