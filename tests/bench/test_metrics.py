"""The figures of the bench, against values worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tunesmith.bench import metrics

NAN = math.nan


def test_regret_follows_the_best_so_far_and_a_failed_evaluation_changes_nothing() -> None:
    values = np.array([[2.0, 1.0, NAN, 4.0, 3.0]])
    regret = metrics.normalised_regret(values, "maximize", best=5.0, worst=1.0, clip=False)
    assert regret.tolist() == [[0.75, 0.75, 0.75, 0.25, 0.25]]
    regret = metrics.normalised_regret(values, "minimize", best=0.0, worst=4.0, clip=False)
    assert regret.tolist() == [[0.5, 0.25, 0.25, 0.25, 0.25]]


def test_regret_without_clipping_may_leave_the_unit_interval_and_with_it_may_not() -> None:
    values = np.array([0.0, 6.0])
    assert metrics.normalised_regret(values, "maximize", 5.0, 1.0, clip=False).tolist() == [1.25, -0.25]
    assert metrics.normalised_regret(values, "maximize", 5.0, 1.0, clip=True).tolist() == [1.0, 0.0]


def test_a_ratio_that_is_the_same_on_every_task_has_an_interval_of_no_width() -> None:
    reference = np.array([0.1, 0.2, 0.3, 0.4])
    assert metrics.ratio_interval(reference / 2, reference) == pytest.approx((0.5, 0.5))


def test_the_ratio_is_paired_so_that_hard_tasks_are_hard_for_both() -> None:
    reference = np.array([0.01, 0.02, 1.0, 2.0])
    mine = reference * np.array([0.9, 1.0, 0.9, 1.0])
    low, high = metrics.ratio_interval(mine, reference)
    assert 0.89 < low < high < 1.01


def test_a_reference_without_regret_gives_infinity_or_one() -> None:
    nothing = np.zeros(5)
    assert metrics.ratio_interval(np.full(5, 0.1), nothing) == (math.inf, math.inf)
    assert metrics.ratio_interval(nothing, nothing) == (1.0, 1.0)


def test_the_interval_of_a_mean_is_that_of_the_bootstrap() -> None:
    by_task = np.array([0.0, 1.0] * 50)
    low, high = metrics.mean_interval(by_task)
    # The mean of 100 coins has standard deviation .05.
    assert low == pytest.approx(0.5 - 1.96 * 0.05, abs=0.011)
    assert high == pytest.approx(0.5 + 1.96 * 0.05, abs=0.011)


def test_nemenyis_critical_difference_is_that_of_the_books() -> None:
    # Demsar 2006, section 3.2.4: 4 classifiers, 14 data sets, alpha .05: q = 2.569, CD = 1.25.
    ranks = np.tile(np.array([[3.143], [2.0], [2.893], [1.964]]), (1, 14))
    found = metrics.critical_difference(ranks)
    assert found is not None
    assert found.difference == pytest.approx(1.2536, abs=1e-3)


def test_groups_are_the_largest_sets_that_cannot_be_told_apart() -> None:
    ranks = np.tile(np.array([[1.0], [2.0], [3.0], [4.0]]), (1, 14))  # critical difference 1.25
    found = metrics.critical_difference(ranks)
    assert found is not None
    assert found.groups == ((0, 1), (1, 2), (2, 3))
    assert found.p < 0.001


def test_before_the_first_value_regret_is_one() -> None:
    values = np.array([NAN, NAN, 5.0])
    assert metrics.normalised_regret(values, "maximize", 5.0, 1.0, clip=False).tolist() == [1, 1, 0]


def test_a_window_is_counted_from_one_and_includes_both_ends() -> None:
    curve = np.array([[9.0, 1.0, 2.0, 3.0]])
    assert metrics.window_mean(curve, 2, 4).tolist() == [2.0]
    assert metrics.window_mean(curve, 4, 4).tolist() == [3.0]


def test_ties_share_their_ranks() -> None:
    regrets = np.array([[0.1, 0.0], [0.1, 0.5], [0.3, 0.2]])
    assert metrics.ranks(regrets).tolist() == [[1.5, 1.0], [1.5, 3.0], [3.0, 2.0]]
