"""Bounds by betting hold at every look, with seeds fixed."""

import math
from itertools import permutations

import numpy as np
import pytest

from tunesmith.tools.analysis.sequences import (
    Bets,
    log_wealth,
    lower_bound,
    lower_bounds,
    upper_bound,
    upper_bounds,
)

RNG = np.random.default_rng(20261129)


def false_rejections(scores, mean, level, total=None):
    """Share of the rows in which the hypothesis `mean`, which is true, is ruled out at any look."""
    return float(np.mean(log_wealth(scores, mean, total=total).max(axis=-1) >= -math.log(level)))


@pytest.mark.parametrize("level", [0.2, 0.05, 0.01])
def test_a_true_mean_is_ruled_out_at_any_look_no_more_often_than_the_level(level):
    drawn = {
        "coin": (RNG.random((1200, 80)) < 0.5) * 1.0,
        "rare": (RNG.random((1200, 80)) < 0.05) * 1.0,
        "uniform": RNG.random((1200, 80)),
        "two": RNG.choice([0.0, 0.2, 1.0], size=(1200, 80), p=[0.3, 0.4, 0.3]),
    }
    means = {"coin": 0.5, "rare": 0.05, "uniform": 0.5, "two": 0.38}
    for name, scores in drawn.items():
        slack = 3 * math.sqrt(level * (1 - level) / len(scores))
        assert false_rejections(scores, means[name], level) <= level + slack, name
        assert false_rejections(1 - scores, 1 - means[name], level) <= level + slack, name


@pytest.mark.parametrize("level", [0.2, 0.05])
def test_without_replacement_the_bounds_hold_on_the_mean_of_all(level):
    for items in (np.repeat([0.0, 1.0], [12, 28]), RNG.random(40), np.repeat([0.0, 0.5, 1.0], [4, 32, 4])):
        orders = np.array([RNG.permutation(items) for _ in range(1200)])
        slack = 3 * math.sqrt(level * (1 - level) / len(orders))
        assert false_rejections(orders, items.mean(), level, total=40) <= level + slack


def test_the_wealth_is_a_martingale_over_all_orders_of_a_small_set():
    scores = (0.0, 0.25, 0.5, 1.0, 1.0)
    orders = np.array(list(permutations(scores)))
    wealth = np.exp(log_wealth(orders, float(np.mean(scores)), total=5))
    assert wealth[:, :4].mean(axis=0) == pytest.approx([1.0] * 4)
    assert np.exp(log_wealth(orders, 0.9, total=5)).mean(axis=0).max() <= 1 + 1e-9


def test_the_bounds_close_around_the_mean_and_only_tighten():
    scores = (RNG.random(300) < 0.8) * 1.0
    low, high = lower_bounds(scores[:60], 0.05), upper_bounds(scores[:60], 0.05)
    assert np.all(np.diff(low) >= 0) and np.all(np.diff(high) <= 0)
    assert np.all(low < scores[:60].mean()) and np.all(high > scores[:60].mean())
    assert lower_bound(scores[:60], 0.05) == pytest.approx(low[-1])
    assert upper_bound(scores[:60], 0.05) == pytest.approx(high[-1])
    assert upper_bound(scores, 0.05) - lower_bound(scores, 0.05) < high[-1] - low[-1]
    assert lower_bound(scores, 0.2) > lower_bound(scores, 0.05) > lower_bound(scores, 0.001)


def test_of_a_finite_set_that_was_seen_whole_the_mean_is_known():
    scores = (RNG.random(30) < 0.6) * 1.0
    assert lower_bound(scores, 0.05, total=30) == pytest.approx(scores.mean(), abs=1e-6)
    assert upper_bound(scores, 0.05, total=30) == pytest.approx(scores.mean(), abs=1e-6)
    # 20 of 30 seen, 15 of them 1: at least 15 and at most 25 of 30.
    seen = np.repeat([1.0, 0.0], [15, 5])
    assert lower_bound(seen, 1e-12, total=30) == pytest.approx(0.5, abs=1e-6)
    assert upper_bound(seen, 1e-12, total=30) == pytest.approx(25 / 30, abs=1e-6)


@pytest.mark.parametrize("total", [None, 12])
@pytest.mark.parametrize("mean", [0.0, 0.3, 0.5, 1.0])
def test_one_by_one_it_is_the_same(mean, total):
    for scores in (RNG.random(12), np.ones(12), np.zeros(12), np.repeat([1.0, 0.0], [4, 8])):
        bets = Bets(mean, total=total)
        assert [bets.add(float(x)) for x in scores] == pytest.approx(log_wealth(scores, mean, total=total))


def test_many_rows_at_once_are_those_one_by_one():
    rows = RNG.random((3, 4, 7))
    together = lower_bounds(rows, 0.1, total=9)
    assert together.shape == rows.shape
    assert together[1, 2] == pytest.approx(lower_bounds(rows[1, 2], 0.1, total=9))


def test_what_are_no_scores_is_refused():
    with pytest.raises(ValueError, match=r"\[0, 1\], got 0 to 1.5"):
        log_wealth([0.0, 1.5], 0.5)
    with pytest.raises(ValueError, match="3 scores of 2"):
        lower_bound([0, 1, 1], 0.05, total=2)
    with pytest.raises(ValueError, match="level"):
        lower_bounds([0, 1], 0)
