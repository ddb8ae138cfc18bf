"""The gate: a share of the trials is always the surrogate's own, in every stretch of a run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fakes.histories import configured, history, proposal, trial
from tunesmith.agent.methods.hybrid.gate import (
    LEAD,
    MOST_IN_ROW,
    MOST_MISSES,
    Step,
    between,
    is_open,
    side,
    steps_of,
)
from tunesmith.agent.methods.hybrid.standing import Standing
from tunesmith.goals import Goal, Goals, Limit
from tunesmith.trial import WARM_START, Origin, Proposal, Provenance, Trial, TrialState

MODEL, OURS, NEITHER = Step("model"), Step("surrogate"), Step(None)


def on(side: str | None = None, origin: Origin = Origin.SURROGATE, **fields: object) -> Proposal:
    return proposal(configured(), origin=origin, provenance=Provenance(side=side, **fields))


def test_each_kind_of_proposal_is_on_its_side():
    assert side(on()) == "surrogate" and side(on("surrogate")) == "surrogate" and side(on("model")) == "model"
    assert side(on(origin=Origin.MODEL, own_choice=True)) == "model"
    assert side(on(origin=Origin.MODEL, stage=WARM_START)) is None
    assert side(on(origin=Origin.DEFAULT)) is None and side(on(origin=Origin.USER)) is None
    assert side(on("model", origin=Origin.RETRY)) == "model"  # a lost trial of the model's, run again


def test_the_model_may_speak_first_and_then_in_its_turn_only():
    assert is_open([])
    assert not is_open([MODEL])
    assert is_open([MODEL, OURS])
    assert not is_open([MODEL, NEITHER])


@given(
    st.lists(st.tuples(st.sampled_from(["model", "surrogate", "person"]), st.booleans()), max_size=80),
    st.integers(1, 20),
)
def test_in_any_window_at_least_half_are_the_surrogates_of_a_model_that_does_not_lead(wishes, window):
    run: list[Step] = []
    for wish, missed in wishes:
        if wish == "person":
            run.append(NEITHER)
        else:
            run.append(Step("model", missed) if wish == "model" and is_open(run) else OURS)
    sides = [step.side for step in run if step.side is not None]
    for start in range(len(sides) - window + 1):
        assert sides[start : start + window].count("surrogate") >= window // 2


@given(
    st.lists(
        st.tuples(st.sampled_from(["model", "surrogate"]), st.booleans(), st.floats(-3, 3)), max_size=80
    ),
    st.integers(1, 20),
)
def test_in_any_window_at_least_a_quarter_are_the_surrogates_even_of_a_model_that_leads(wishes, window):
    run: list[Step] = []
    for wish, missed, gained in wishes:
        eager = wish == "model" and is_open(run)
        run.append(Step("model", missed, gained) if eager else OURS)
    sides = [step.side for step in run]
    for start in range(len(sides) - window + 1):
        assert sides[start : start + window].count("surrogate") >= window // 4


def test_a_model_that_leads_and_hits_gets_three_trials_of_four_and_a_miss_ends_it():
    run = [Step(None, False, LEAD)]
    for _ in range(40):
        run.append(Step("model", False) if is_open(run) else OURS)
    sides = [step.side for step in run[1:]]
    assert sides[:8] == ["model"] * MOST_IN_ROW + ["surrogate"] + ["model"] * MOST_IN_ROW + ["surrogate"]
    run.append(Step("model", True))
    assert not is_open([*run, *[OURS] * 2]) and is_open([*run, *[OURS] * 3])


def test_leading_by_log_score_alone_a_model_that_always_misses_is_heard_no_more_often():
    run = [Step(None, True, 3.0)]
    for _ in range(100):
        run.append(Step("model", True, 3.0) if is_open(run) else OURS)
    assert sum(step.side == "model" for step in run) <= 2 + 5


def test_a_lead_is_lost_within_a_few_trials_however_large_it_was_and_a_model_far_behind_waits_longer():
    led = [*[Step("model", False, 3.0)] * 5, *[OURS] * 2]
    assert is_open([*led, Step("model", False)])
    assert not is_open([*led, Step("model", False, -LEAD - 0.1)])
    behind = [Step("model", False, -LEAD)]
    assert not is_open([*behind, *[OURS] * 3]) and is_open([*behind, *[OURS] * 4])


def test_the_share_grows_with_the_evidence_towards_all():
    run: list[Step] = []
    for _ in range(300):
        run.append(Step("model", False) if is_open(run) else OURS)
    shares = [sum(step.side == "surrogate" for step in run[i : i + 50]) / 50 for i in (0, 100, 250)]
    assert 0.5 <= shares[0] < shares[1] < shares[2] and shares[2] > 0.9
    assert between(0) == 1 and between(15) == 2


def test_a_model_that_always_misses_is_heard_a_few_times_in_all():
    run = [Step(None, True)]  # its warm start, run unjudged
    for _ in range(100):
        run.append(Step("model", True) if is_open(run) else OURS)
    spoke = [i for i, step in enumerate(run) if step.side == "model"]
    assert sum(i < 30 for i in spoke) <= 2 and len(spoke) <= 5
    assert between(0, 99) == 2**MOST_MISSES


def test_a_hit_takes_a_miss_back():
    missed = [Step("model", True), *[OURS] * 2, Step("model", True)]
    assert not is_open([*missed, *[OURS] * 3]) and is_open([*missed, *[OURS] * 4])
    made_up = [*missed, *[OURS] * 4, Step("model", False)]
    assert is_open([*made_up, *[OURS] * 2])


def test_misses_are_results_below_the_median_of_those_before_whatever_the_direction():
    model = {"provenance": Provenance(side="model")}
    for direction, sign in (("maximize", 1.0), ("minimize", -1.0)):
        past = history(
            trial(0, configured(), sign * 0.4),
            trial(1, configured(width=9), sign * 0.3, provenance=Provenance(stage=WARM_START)),
            trial(2, configured(width=10), sign * 0.5, **model),
            trial(3, configured(width=11), state=TrialState.CRASHED, **model),
            trial(4, configured(width=12), sign * 0.1),
            trial(5, configured(width=13), **model),
            direction=direction,
        )
        assert [step.missed for step in steps_of(past)] == [None, True, False, True, None, None]


def test_a_lost_trial_does_not_count():
    lost = {"state": TrialState.LOST, "provenance": Provenance(side="model")}
    past = history(trial(0, configured(), 0.4), trial(1, configured(width=9), **lost))
    assert steps_of(past) == [Step("surrogate")]


def test_under_a_limit_a_choice_of_the_models_that_breaks_it_is_a_miss_however_good_its_metric():
    def run(*latencies: float) -> list[bool | None]:
        trials = [
            trial(n, configured(), 0.5 + n / 10).model_copy(
                update={
                    "values": {"val_accuracy": 0.5 + n / 10, "latency_ms": latency},
                    "proposal": on("model" if n else None),
                }
            )
            for n, latency in enumerate(latencies)
        ]
        limited = replace(history(*trials), limits=(Limit.read("latency_ms", "<= 20"),))
        return [step.missed for step in steps_of(limited)]

    assert run(15, 25, 18, 30) == [None, True, False, True]
    assert run(40, 30, 35, 21) == [None, False, False, False], "while none keeps it, nearer is better"
    assert run(30, 40) == [None, True]


def measured(**values: float) -> Trial:
    return trial(0, configured(), 0.0).model_copy(update={"values": values})


@given(st.lists(st.floats(-3, 3), min_size=1, max_size=15, unique=True))
def test_with_one_metric_a_result_stands_poorly_where_it_is_below_the_median_of_those_before(values):
    standing, before = Standing(history().goals), list[float]()
    for value in values:
        poor = standing.add(measured(val_accuracy=value))
        below = value < float(np.median(before)) if before else None
        assert poor == below if len(before) % 2 or not before else poor <= below
        before.append(value)


def test_with_two_metrics_either_end_of_the_front_stands_well():
    both = (Goal(metric="a", direction="maximize"), Goal(metric="b", direction="minimize"))
    standing = Standing(Goals(objectives=both))
    rows = [(1.0, 1.0), (2.0, 2.0), (0.5, 0.5), (0.4, 1.5), (0.3, 3.0), (3.0, 4.0)]
    poor = [standing.add(measured(a=a, b=b)) for a, b in rows]
    assert poor == [None, False, False, True, True, False]
