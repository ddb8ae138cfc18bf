"""What becomes of guidelines: held, did not hold, not distinguishable, not tested, by crafted histories."""

from __future__ import annotations

import pytest

from fakes.small_pipeline import problem, ran, task
from tunesmith.events import EVENT, GuidelinesStated
from tunesmith.guidelines import Claim, Guideline
from tunesmith.history import History
from tunesmith.items import Items
from tunesmith.tools.analysis.guidelines import guidelines, merged, score
from tunesmith.trial import Origin, Proposal, Trial, TrialState

TASK = task()


def stated(parameter, relation, value, than=None, **where):
    claim = Claim(
        parameter=parameter,
        relation=relation,
        value=value,
        than=than,
        where={name.replace("_", ".", 1): known for name, known in where.items()},
    )
    return Guideline(text="So it is.", about="saturation", claim=claim, evidence=(0,))


def with_values(values, *rows, items=None):
    """A history of which each trial has the given quality, and items that average to it."""
    history = ran(TASK, *rows)
    for trial, value in zip(history, values, strict=True):
        packed = {} if items is None else {"quality": Items(items(value)).pack()}
        changes = {"value": value, "values": {"quality": value}, "items": packed}
        history = history.with_trial(trial.model_copy(update=changes))
    return history


def half_right(value, n=200):
    """0 or 1 for each of n items, the first ones right."""
    right = round(value * n)
    return (1.0,) * right + (0.0,) * (n - right)


LARGE_1, SMALL_8 = ("large", 1, "large", 1), ("large", 1, "small", 8)


@pytest.mark.parametrize(
    ("values", "verdict"),
    [((0.5, 0.7), "did not hold"), ((0.7, 0.5), "held"), ((0.6, 0.605), "not distinguishable")],
    ids=["refuted", "borne out", "one item"],
)
@pytest.mark.parametrize("items", [half_right, None], ids=["paired items", "means alone"])
def test_a_claim_on_models_is_judged_by_a_trial_that_started_since(values, verdict, items):
    history = with_values(values, LARGE_1, SMALL_8, items=items)
    claim = stated("answer.model", "better", "large", "small")
    if items is None and verdict == "not distinguishable":
        verdict = "did not hold"  # without items there is no interval to be within
    assert score(claim, history, after=1)[0] == verdict
    assert score(claim, history, after=2) == ("not tested", ())


def test_more_samples_than_it_says_must_not_bring_a_significant_gain():
    claim = stated("answer.samples", "no_gain_beyond", 8, answer_model="small")
    rows = (("large", 1, "small", 8), ("large", 1, "small", 32), ("mid", 1, "large", 2))
    for values, verdict in (((0.6, 0.59, 0.9), "held"), ((0.6, 0.8, 0.9), "did not hold")):
        found, pairs = score(claim, with_values(values, *rows, items=half_right), after=1)
        assert found == verdict
        assert [(pair.first, pair.second, pair.items) for pair in pairs] == [(1, 0, 200)]


def test_trials_that_differ_in_another_stage_do_not_test_a_claim_and_near_numbers_do():
    claim = stated("answer.samples", "gain_up_to", 8)
    other_stage = with_values((0.5, 0.7), ("small", 1, "small", 1), ("large", 1, "small", 8))
    assert score(claim, other_stage, after=0)[0] == "not tested"
    near = with_values((0.5, 0.7), ("mid", 20, "small", 1), ("mid", 25, "small", 8))
    assert score(claim, near, after=0)[0] == "held"


def test_a_claim_holds_only_where_its_conditions_do():
    rows = (
        ("small", 1, "small", 2),
        ("small", 1, "small", 16),
        ("large", 1, "small", 2),
        ("large", 1, "small", 16),
    )
    history = with_values((0.2, 0.5, 0.8, 0.7), *rows, items=half_right)
    verdicts = [
        score(stated("answer.samples", "gain_up_to", 10, find_model=model), history, after=1)[0]
        for model in ("small", "large", "mid")
    ]
    assert verdicts == ["held", "did not hold", "not tested"]


def test_a_poor_trial_of_the_group_called_worse_is_no_evidence():
    rows = (LARGE_1, SMALL_8, ("large", 1, "small", 1))
    history = with_values((0.7, 0.8, 0.2), *rows, items=half_right)
    assert score(stated("answer.model", "better", "large"), history, after=2) == ("not tested", ())


def test_a_trial_that_was_stopped_early_is_compared_on_the_items_it_has():
    history = with_values((0.6, 0.6), LARGE_1, SMALL_8)
    ids = tuple(f"i{i}" for i in range(40))
    full = {"quality": Items((1.0,) * 30 + (0.0,) * 10, ids).pack()}
    part = {"quality": Items((0.0,) * 15, ids[:15]).pack()}
    first, second = history.trials
    history = history.with_trial(first.model_copy(update={"items": full}))
    stopped = {"items": part, "state": TrialState.PRUNED, "value": None, "values": {}}
    history = history.with_trial(second.model_copy(update=stopped))
    verdict, pairs = score(stated("answer.model", "better", "large"), history, after=1)
    assert verdict == "held" and pairs[0].items == 15 and pairs[0].difference == 1.0


def test_a_run_tells_its_guidelines_with_verdicts_in_one_clean_line_each():
    history = with_values((0.6, 0.9), LARGE_1, SMALL_8, items=half_right)
    hostile = Guideline(text="Try \x1b[31mmore", about="exploration")
    claim = stated("answer.model", "better", "large", "small")
    event = GuidelinesStated(round=1, trials=1, guidelines=(claim, hostile))
    assert EVENT.validate_json(EVENT.dump_json(event)) == event
    scored = guidelines(history, [event])
    assert [s.verdict for s in scored] == ["did not hold", "not tested"]
    assert scored[0].text == (
        "So it is. (from #0) [answer.model=large scores higher than answer.model=small: did not hold; "
        "#0 against #1: -0.3 (-0.362 to -0.233, 200 items)]"
    )
    assert "\x1b" not in scored[1].text


def test_what_rounds_state_again_is_told_once_from_where_it_was_stated_first():
    history = with_values((0.6, 0.9), LARGE_1, SMALL_8, items=half_right)
    claim = stated("answer.model", "better", "large", "small")
    rounds = [GuidelinesStated(round=n, trials=n, guidelines=(claim, claim)) for n in (1, 2, 3)]
    (one,) = merged(guidelines(history, rounds))
    assert one.rounds == "rounds 1, 2 and 3" and one.stated_after == 1 and one.verdict == "did not hold"
    (other,) = merged(guidelines(history, rounds[1:2]))
    assert other.rounds == "round 2"


def test_items_that_are_damaged_leave_the_means():
    history = with_values((0.6, 0.9), LARGE_1, SMALL_8)
    history = history.with_trial(history.trials[1].model_copy(update={"items": {"quality": "items1:!"}}))
    verdict, pairs = score(stated("answer.model", "better", "large"), history, after=1)
    assert verdict == "did not hold" and pairs[0].items == 0


def test_how_samples_are_joined_does_not_keep_one_sample_from_being_compared_with_several():
    stages = problem()["stages"]
    stages["answer"] = {**stages["answer"], "samples": [1, 8], "aggregator": ["majority", "fusion"]}
    made = task(problem=problem(stages=stages))
    history = History(made.space, made.metric, made.direction)
    rows = ({"answer.samples": 1}, {"answer.samples": 8, "answer.aggregator": "majority"})
    for number, (row, value) in enumerate(zip(rows, (0.5, 0.7), strict=True)):
        values = {"find.model": "mid", "find.samples": 3, "answer.model": "small", **row}
        proposal = Proposal(configuration=made.space.validate(values), origin=Origin.RANDOM, reason="So.")
        history = history.with_trial(
            Trial(number=number, proposal=proposal, state=TrialState.COMPLETED, value=value)
        )
    assert score(stated("answer.samples", "gain_up_to", 4), history, after=1)[0] == "held"
