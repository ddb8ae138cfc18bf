"""What is planned, tested and certified; and how seldom wrongly, seeds fixed."""

import numpy as np
import pytest
from scipy import stats

from tunesmith.goals import Limit
from tunesmith.history import History
from tunesmith.items import Items
from tunesmith.space import Int, Space
from tunesmith.tools.analysis.certificate import (
    Certificate,
    Rule,
    best_certified,
    bound_of,
    candidates,
    decided,
    judged,
    plan,
)
from tunesmith.trial import Origin, Proposal, Trial, TrialState

SPACE = Space({"x": Int(0, 1000)})
RULE = Rule(Limit.read("quality", ">= 0.8"), 0.95, (0.0, 1.0))


def bits(right, n=100):
    return [1.0] * right + [0.0] * (n - right)


def history(*trials, rule=RULE):
    """From (cost, scores) of each trial."""
    made = []
    for number, (cost, scores) in enumerate(trials):
        proposal = Proposal(configuration=SPACE.validate({"x": number}), origin=Origin.RANDOM, reason="")
        items = {} if scores is None else {"quality": Items(tuple(scores)).pack()}
        values = {"cost": cost, "quality": 0.5 if scores is None else float(np.mean(scores))}
        made.append(
            Trial(
                number=number,
                proposal=proposal,
                state=TrialState.COMPLETED,
                value=cost,
                values=values,
                items=items,
            )
        )
    return History(SPACE, "cost", "minimize", trials=tuple(made), limits=(rule.limit,))


def walk(found, rule, fresh):
    """The tests in order; `fresh` has each trial's scores on items that the search never saw."""
    results = []
    for one in plan(found, rule, "minimize"):
        results.append(judged(one, fresh(one.trial), rule))
        if decided(results, rule):
            break
    return results


def test_the_order_is_from_the_surest_to_what_is_ever_cheaper():
    seen = history((9, bits(99)), (12, bits(98)), (7, bits(95)), (8, bits(90)), (3, bits(82)), (1, bits(60)))
    found = candidates(seen, RULE)
    assert [one.trial for one in found] == [0, 1, 2, 3, 4, 5]
    assert [one.trial for one in plan(found, RULE, "minimize")] == [0, 2, 4]
    assert [one.trial for one in plan(found, RULE._replace(most=2), "minimize")] == [0, 4]
    assert [one.trial for one in plan(found, RULE, "maximize")] == [0, 1]


def test_few_items_are_less_sure_and_trials_without_items_are_no_candidates():
    found = candidates(history((1, bits(10, 10)), (1, bits(97)), (1, None), (1, [5.0])), RULE)
    assert [one.trial for one in found] == [1, 0]


def test_the_first_failure_ends_it_and_the_best_of_the_passed_is_delivered():
    seen = history((9, bits(99)), (7, bits(95)), (3, bits(90)), (1, bits(85)))
    fresh = {0: bits(95), 1: bits(93), 2: bits(81), 3: bits(99)}
    found = candidates(seen, RULE)
    results = walk(found, RULE, fresh.get)
    assert [(one.trial, one.certified) for one in results] == [(0, True), (1, True), (2, False)]
    assert best_certified(results, "minimize") == 1
    allowed = RULE._replace(failures=1)
    assert [one.trial for one in walk(found, allowed, fresh.get)] == [0, 1, 2, 3]
    assert best_certified(walk(found, allowed, fresh.get), "minimize") == 3
    assert allowed.level == pytest.approx(0.025)


def test_the_test_of_right_and_wrong_is_exact():
    for right in range(80, 101):
        low = bound_of(bits(right), RULE)
        p = stats.binom.sf(right - 1, 100, 0.8)
        assert (low >= 0.8) == (p <= 0.05), right
    below = Rule(Limit.read("errors", "<= 0.2"), 0.95, (0.0, 1.0))
    assert bound_of(bits(10), below) == pytest.approx(1 - bound_of(bits(90), RULE))
    wide = Rule(Limit.read("score", ">= 60"), 0.95, (-100.0, 100.0))
    assert bound_of([100.0] * 90 + [-100.0] * 10, wide) == pytest.approx(200 * bound_of(bits(90), RULE) - 100)


def test_scores_in_between_are_bounded_by_betting():
    rng = np.random.default_rng(1)
    missed = 0
    for _ in range(100):
        low = bound_of(list(rng.beta(8, 2, size=60)), RULE)
        missed += low > 0.8
    assert missed <= 5 + 3 * np.sqrt(5)
    assert bound_of([0.5, 1.5], RULE) is None


def test_what_could_not_be_tested_is_not_certified():
    found = candidates(history((9, bits(99))), RULE)
    failed = judged(found[0], None, RULE, "its run failed: out of memory")
    assert not failed.certified and decided([failed], RULE)
    outside = judged(found[0], [7.0], RULE)
    assert not outside.certified and "0 to 1" in outside.why


def certificate(results, **changes):
    return Certificate(
        limit=RULE.limit,
        confidence=0.95,
        level=0.05,
        metric="cost",
        planned=(0, 1, 2, 3),
        tested=tuple(results),
        certified=best_certified(results, "minimize"),
        safest=0,
        **changes,
    )


def test_in_words():
    seen = history((9, bits(99)), (7, bits(95)), (3, bits(90)), (1, bits(85)))
    results = walk(candidates(seen, RULE), RULE, {0: bits(95), 1: bits(93), 2: bits(81)}.get)
    assert certificate(results).sentence == (
        "Certified with 95 % confidence: trial 1 keeps quality >= 0.8 (on 100 items that the search never "
        "saw 0.93, and at least 0.8725; 0.95 in the search). 1 of 3 tested configurations did not pass. 1 "
        "with a better cost were not tested after that."
    )
    none = walk(candidates(seen, RULE), RULE, {0: bits(82)}.get)
    assert certificate(none, times=2).sentence == (
        "Nothing is certified to keep quality >= 0.8 with 95 % confidence: trial 0, the surest of the "
        "search, has 0.82 on 100 items, which shows at least 0.7449. The safest by the search is trial 0. "
        "Configurations were tested on these items 2 times; the confidence is that of each time."
    )
    read = Certificate.model_validate_json(certificate(results).model_dump_json())
    assert read == certificate(results) and read.chosen.trial == 1


@pytest.mark.parametrize("failures", [0, 2])
def test_what_is_delivered_keeps_the_bound_as_often_as_promised(failures):
    """The worst case: many cheap configurations that just break the bound and look good in the search."""
    rng = np.random.default_rng(failures)
    rule = RULE._replace(failures=failures, most=20)
    chances = np.concatenate([[0.97, 0.9], np.full(18, 0.799)])
    wrong = delivered = 0
    for _ in range(80):
        rows = (rng.random((20, 50)) < chances[:, None]) * 1.0
        seen = history(*[(20.0 - k, row) for k, row in enumerate(rows)])
        results = walk(candidates(seen, rule), rule, lambda k: (rng.random(200) < chances[k]) * 1.0)
        best = best_certified(results, "minimize")
        delivered += best is not None
        wrong += best is not None and chances[best] < 0.8
    assert delivered > 75 and wrong <= 80 * 0.05 + 3 * np.sqrt(80 * 0.05)
