from __future__ import annotations

import numpy as np
import pytest

from tunesmith.agent.methods.gp.gp_model import Columns, fit
from tunesmith.agent.methods.gp.posterior import posterior_at, trust_in_priors
from tunesmith.agent.methods.gp.prior import build_prior
from tunesmith.agent.methods.gp.surrogate import GaussianProcessSurrogate
from tunesmith.space import Float, Space

SPACE = Space({"lr": Float(1e-5, 1, scale="log"), "dropout": Float(0, 0.8)})
WORDS = "CNN with Adam"


def test_it_is_the_posterior_weight_of_the_log_prior_in_the_mean():
    U = np.random.default_rng(0).random((15, 2))
    q = np.random.default_rng(1).standard_normal(15)
    y = 0.3 * q + np.sin(5 * U[:, 0])
    process = fit(Columns(np.array([0, 1]), np.array([True, True])), U, y, warped=False)
    lengths = process.length_scales
    r = np.sqrt(5 * (((U[:, None] - U[None]) / lengths) ** 2).sum(-1))
    K = process.scale * (1 + r + r**2 / 3) * np.exp(-r) + 0.25 + process.noise * np.eye(15)
    inverse = np.linalg.inv(K)
    weight = (q @ inverse @ y + 0.8 / 0.16) / (q @ inverse @ q + 1 / 0.16)
    assert trust_in_priors(process, q) == pytest.approx(np.clip(weight / 0.8, 0, 1), rel=1e-6)


def trust_after(study, objective, n=20):
    s = study(SPACE, objective)
    for configuration in SPACE.sample(np.random.default_rng(2), n):
        s.tell(configuration)
    prior = build_prior(SPACE, words=WORDS)
    return posterior_at(GaussianProcessSurrogate(SPACE, warped=True), prior, s.history).trust


def log_prior(configuration):
    prior = build_prior(SPACE, words=WORDS)
    row, active = SPACE.encode(configuration)
    return float(prior.log_density(row[None], active[None])[0])


def test_data_that_follow_the_names_are_trusted_and_data_that_contradict_them_are_not(study):
    assert trust_after(study, log_prior) > 0.9
    assert trust_after(study, lambda c: -log_prior(c)) < 0.1


def test_it_stays_within_0_and_1(study):
    assert 0 <= trust_after(study, lambda c: 5 * log_prior(c)) <= 1
    assert 0 <= trust_after(study, lambda c: float(c["lr"])) <= 1
