"""Two trials compared item by item."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from tunesmith.errors import ItemsError
from tunesmith.items import Items
from tunesmith.tools.analysis.paired import paired


def test_the_difference_of_scores_is_students():
    x, y = (1.0, 2.5, 3.0, 4.25), (0.5, 2.0, 3.5, 3.0)
    found = paired(Items(x), Items(y))
    theirs = stats.ttest_rel(x, y)
    interval = theirs.confidence_interval(0.95)
    assert found.difference == pytest.approx(0.4375)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert found.p_value == pytest.approx(theirs.pvalue)
    assert found.standard_error == pytest.approx(stats.sem(np.subtract(x, y)))
    assert (found.n, found.better, found.worse) == (4, 3, 1)
    assert found.verdict == "not distinguishable"


def test_the_first_is_better_where_its_loss_is_smaller():
    losses = [Items(tuple(c + i / 10 + 0.01 * (i % 3) * c for i in range(20))) for c in (1.0, 2.0)]
    assert paired(losses[0], losses[1], sign=-1.0).verdict == "better"
    assert paired(losses[0], losses[1]).verdict == paired(losses[1], losses[0], sign=-1.0).verdict == "worse"


def test_right_and_wrong_answers_are_compared_by_the_items_that_differ():
    # 100 items: 12 that only the first has right, 3 that only the second has, 85 alike
    x = Items((1.0,) * 12 + (0.0,) * 3 + (1.0,) * 80 + (0.0,) * 5)
    y = Items((0.0,) * 12 + (1.0,) * 3 + (1.0,) * 80 + (0.0,) * 5)
    found = paired(x, y)
    assert (found.better, found.worse, found.difference) == (12, 3, pytest.approx(0.09))
    # Bonett and Price (2012): (13 - 4) / 102 and its adjusted Wald interval
    p, q = 13 / 102, 4 / 102
    half = 1.959964 * ((p + q - (p - q) ** 2) / 102) ** 0.5
    assert (found.low, found.high) == pytest.approx((p - q - half, p - q + half), abs=1e-6)
    assert found.p_value == pytest.approx(0.03515625)  # 2 P(X <= 3), X binomial(15, 1/2)
    assert found.verdict == "better"


def test_answers_that_are_all_alike_leave_room_for_doubt():
    same = Items((1.0, 0.0, 1.0, 1.0))
    found = paired(same, same)
    assert found.low is not None and found.low < 0 < (found.high or 0.0)
    assert (found.difference, found.p_value) == (0.0, 1.0)


@pytest.mark.parametrize("n", [12, 60])
def test_the_interval_holds_the_true_difference_of_answers_as_often_as_it_says(n):
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(400):
        x = rng.random(n) < 0.9
        y = np.where(rng.random(n) < 0.7, x, rng.random(n) < 0.6)  # mean 0.81, difference 0.09
        found = paired(Items(tuple(x.astype(float))), Items(tuple(y.astype(float))))
        assert found.low is not None and found.high is not None
        held += found.low <= 0.09 <= found.high
    assert held >= 0.93 * 400


def test_items_are_matched_by_their_ids():
    first = Items((1.0, 2.0, 3.0), ("a", "b", "c"))
    second = Items((2.5, 0.5, 9.0), ("c", "a", "z"))
    found = paired(first, second)
    assert (found.n, found.difference) == (2, pytest.approx(0.5))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (Items((1.0, 2.0)), Items((1.0, 2.0, 3.0))),
        (Items((1.0, 2.0)), Items((1.0, 2.0), ("a", "b"))),
        (Items((1.0,), ("a",)), Items((1.0,), ("b",))),
    ],
    ids=["other length", "ids on one side", "nothing in common"],
)
def test_scores_of_other_items_are_not_compared(first, second):
    with pytest.raises(ItemsError):
        paired(first, second)


def test_one_item_gives_a_difference_and_no_verdict():
    found = paired(Items((3.0,)), Items((1.0,)))
    assert (found.difference, found.low, found.p_value, found.verdict) == (
        2.0,
        None,
        None,
        "not distinguishable",
    )


def test_a_trial_that_was_stopped_is_compared_on_its_first_items():
    whole, begun = Items((1.0, 1.0, 0.0, 1.0, 1.0)), Items((1.0, 0.0, 1.0))
    found = paired(whole, begun, begun=True)
    assert found == paired(Items(whole.scores[:3]), begun) and found.n == 3
    assert paired(begun, whole, begun=True).better == found.worse
    named = Items(whole.scores, tuple("abcde")), Items(begun.scores, tuple("abc"))
    assert paired(*named).n == paired(*named, begun=True).n == 3
    with pytest.raises(ItemsError):
        paired(whole, begun)
    with pytest.raises(ItemsError):
        paired(whole, named[1], begun=True)
