"""Predictions are shown as wide as their record says they must be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.agent.methods.gp.calibration import ONE_SPREAD, START, band, spread_factor
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


def test_before_any_error_is_known_the_spread_is_a_little_wider_than_the_surrogate_says() -> None:
    assert spread_factor(history_of([])) == pytest.approx(START * ONE_SPREAD, rel=0.02)


def test_the_factor_follows_the_errors_both_ways() -> None:
    held = spread_factor(history_of([(0.501, 0.5, 0.1, 1.0)] * 10))
    off = spread_factor(history_of([(0.9, 0.5, 0.1, 1.0)] * 10))
    assert held < spread_factor(history_of([])) < off
    assert 3.0 < off < 6.0  # errors of four standard deviations each


def test_one_wild_error_moves_the_factor_little() -> None:
    held = [(0.55, 0.5, 0.1, 1.0)] * 8
    assert spread_factor(history_of([*held, (1e5, 0.5, 0.1, 1.0)])) < 2 * spread_factor(history_of(held))


def test_a_factor_that_a_spread_contains_is_not_counted_twice() -> None:
    shown = spread_factor(history_of([(0.9, 0.5, 0.4, 4.0)] * 10))
    assert shown == pytest.approx(spread_factor(history_of([(0.9, 0.5, 0.1, 1.0)] * 10)))


def test_a_band_of_68_percent_is_one_spread_and_wider_ones_have_heavy_tails() -> None:
    assert band(0.2, 0.6827) == pytest.approx(0.2, rel=1e-3)
    assert band(0.2, 0.5) < 0.2 < band(0.2, 0.8) < 0.4 < band(0.2, 0.95)


@given(st.lists(st.tuples(st.floats(-1e300, 1e300), st.floats(-1e300, 1e300)), max_size=12))
def test_the_factor_is_finite_and_positive(pairs: list[tuple[float, float]]) -> None:
    factor = spread_factor(history_of([(value, expected, 1e-3, 1.0) for value, expected in pairs]))
    assert 0.05 <= factor <= 60.0


def test_over_noisy_trials_most_values_fall_within_the_80_percent_band() -> None:
    noise = np.random.default_rng(5)
    strategy, history = GaussianProcessStrategy(SPACE, 0), History(SPACE, "score", "maximize")
    inside = []
    for number in range(24):
        (proposal,) = strategy.propose(history, 1)
        value = -((float(proposal.configuration["x"]) - 0.4) ** 2) + 0.05 * noise.standard_normal()
        if proposal.expected is not None and proposal.spread is not None and number >= 8:
            inside.append(abs(value - proposal.expected) <= band(proposal.spread, 0.8))
        trial = Trial(number=number, proposal=proposal, state=TrialState.COMPLETED, value=value)
        history = history.with_trial(trial)
    assert len(inside) >= 12 and np.mean(inside) >= 0.7
