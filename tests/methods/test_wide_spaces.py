"""Ten parameters and more: what matters is found among what does not."""

from __future__ import annotations

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from tunesmith.agent.methods.gp import length_scales
from tunesmith.agent.methods.gp.filling import FILLING, WIDE_START
from tunesmith.agent.methods.gp.gp_model import Columns, fit
from tunesmith.agent.methods.gp.strategy import GaussianProcessStrategy
from tunesmith.history import Array, History
from tunesmith.space import Float, Space
from tunesmith.trial import Trial, TrialState

ACTIVE = (3, 11, 17)


def plain(dimensions: int) -> Columns:
    return Columns(np.arange(dimensions), np.ones(dimensions, dtype=bool))


def bump(U: Array) -> Array:
    """Three of the columns decide."""
    return -sum(((U[:, j] - 0.6) ** 2 for j in ACTIVE), start=np.zeros(len(U)))


def test_sixty_points_tell_three_of_twenty_four_parameters_apart() -> None:
    U = np.random.default_rng(0).random((60, 24))
    y = bump(U)
    with threadpool_limits(1):
        process = fit(plain(24), U, (y - y.mean()) / y.std(), warped=False)
    order = np.argsort(process.length_scales)
    assert set(order[:3].tolist()) == set(ACTIVE)
    assert process.length_scales[order[3]] > 5 * process.length_scales[order[2]]


@pytest.mark.parametrize("dimensions", [3, 9, 10, 30])
def test_the_penaltys_gradient_is_its_slope(dimensions: int) -> None:
    log_x = np.random.default_rng(1).normal(size=dimensions)
    _, gradient = length_scales.penalty(log_x)
    for j in range(dimensions):
        step = np.zeros(dimensions)
        step[j] = 1e-5
        rise = length_scales.penalty(log_x + step)[0] - length_scales.penalty(log_x - step)[0]
        assert rise / 2e-5 == pytest.approx(gradient[j], rel=1e-4, abs=1e-6)


def searched(dimensions: int, trials: int) -> History:
    space = Space({f"x{i}": Float(0.0, 1.0) for i in range(dimensions)})
    strategy = GaussianProcessStrategy(space, seed=0)
    history = History(space, "score", "maximize")
    for number in range(trials):
        (proposal,) = strategy.propose(history, 1)
        row = space.encode(proposal.configuration)[0]
        value = float(-((row[:3] - 0.6) ** 2).sum())
        trial = Trial(number=number, proposal=proposal, state=TrialState.COMPLETED, value=value)
        history = history.with_trial(trial)
    return history


def test_every_second_one_of_the_first_trials_fills_a_wide_space() -> None:
    stages = [trial.proposal.provenance.stage for trial in searched(12, WIDE_START)]
    assert [stage == FILLING for stage in stages] == [False, True] * (WIDE_START // 2)
    reasons = [trial.proposal.reason for trial in searched(12, 2)]
    assert "12 parameters and few trials" in reasons[1]
    assert all(trial.proposal.provenance.stage != FILLING for trial in searched(9, 3))
