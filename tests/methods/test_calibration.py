"""Predictions are shown as wide as their record says they must be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.agent.methods.gp.calibration import spread_factor
from tunesmith.agent.methods.gp.strategy import GaussianProcessStrategy
from tunesmith.history import History
from tunesmith.space import Float, Space
from tunesmith.trial import Origin, Proposal, Provenance, Trial, TrialState

SPACE = Space({"x": Float(0.0, 1.0)})


def history_of(predictions: list[tuple[float, float, float, float]]) -> History:
    """(value, expected, spread as shown, factor in it) a trial."""
    history = History(SPACE, "score", "maximize")
    for number, (value, expected, spread, factor) in enumerate(predictions):
        proposal = Proposal(
            configuration=SPACE.validate({"x": (number + 1) / 64}),
            origin=Origin.SURROGATE,
            reason="r",
            expected=expected,
            spread=spread,
            provenance=Provenance(spread_factor=factor),
        )
        trial = Trial(number=number, proposal=proposal, state=TrialState.COMPLETED, value=value)
        history = history.with_trial(trial)
    return history


def test_predictions_that_held_leave_the_spread_alone() -> None:
    assert spread_factor(history_of([])) == 1.0
    assert spread_factor(history_of([(0.5, 0.5, 0.1, 1.0)] * 5)) == 1.0


def test_predictions_that_failed_widen_the_next_ones_by_as_much_as_they_were_off() -> None:
    assert spread_factor(history_of([(0.9, 0.5, 0.1, 1.0)] * 30)) == pytest.approx(4.0, rel=0.05)


def test_a_spread_that_was_widened_already_is_not_counted_twice() -> None:
    assert spread_factor(history_of([(0.9, 0.5, 0.4, 4.0)] * 30)) == pytest.approx(4.0, rel=0.05)


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), max_size=12))
def test_the_factor_is_finite_and_never_narrows(pairs: list[tuple[float, float]]) -> None:
    factor = spread_factor(history_of([(value, expected, 1e-3, 1.0) for value, expected in pairs]))
    assert 1.0 <= factor <= 6.0


def test_over_noisy_trials_most_values_fall_within_two_shown_spreads() -> None:
    noise = np.random.default_rng(5)
    strategy, history = GaussianProcessStrategy(SPACE, 0), History(SPACE, "score", "maximize")
    inside = []
    for number in range(24):
        (proposal,) = strategy.propose(history, 1)
        value = -((float(proposal.configuration["x"]) - 0.4) ** 2) + 0.05 * noise.standard_normal()
        if proposal.expected is not None and proposal.spread is not None and number >= 8:
            inside.append(abs(value - proposal.expected) <= 2 * proposal.spread)
        trial = Trial(number=number, proposal=proposal, state=TrialState.COMPLETED, value=value)
        history = history.with_trial(trial)
    assert len(inside) >= 12 and np.mean(inside) >= 0.8
