"""The gate: a share of the trials is always the surrogate's own, in every stretch of a run."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.histories import configured, history, proposal, trial
from tunesmith.tools.gate import GATE, OWN, WARM_START, between, is_open, side, started
from tunesmith.trial import Origin, Proposal, TrialState


def on(gate: float | None = None, origin: Origin = Origin.SURROGATE, **details: float) -> Proposal:
    marks = {**details, **({} if gate is None else {GATE: gate})}
    return proposal(configured(), origin=origin, details=marks)


def test_each_kind_of_proposal_is_on_its_side():
    assert side(on()) == "surrogate" and side(on(1.0)) == "surrogate" and side(on(0.0)) == "model"
    assert side(on(origin=Origin.MODEL, **{OWN: 1.0})) == "model"
    assert side(on(origin=Origin.MODEL, **{WARM_START: 1.0})) is None
    assert side(on(origin=Origin.DEFAULT)) is None and side(on(origin=Origin.USER)) is None
    assert side(on(0.0, origin=Origin.RETRY)) == "model"  # a lost trial of the model's, run again


def test_the_model_may_speak_first_and_then_in_its_turn_only():
    assert is_open([])
    assert not is_open([on(0.0)])
    assert is_open([on(0.0), on()])
    assert not is_open([on(0.0), on(origin=Origin.USER)])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(["model", "surrogate", "person"]), max_size=80), st.integers(1, 20))
def test_in_any_window_at_least_half_are_the_surrogates_however_eager_the_model_is(wishes, window):
    run: list[Proposal] = []
    for wish in wishes:
        if wish == "person":
            run.append(on(origin=Origin.USER))
        else:
            run.append(on(0.0 if wish == "model" and is_open(run) else 1.0))
    sides = [side(p) for p in run if side(p) is not None]
    for start in range(len(sides) - window + 1):
        assert sides[start : start + window].count("surrogate") >= window // 2


def test_the_share_grows_with_the_evidence_towards_all():
    run: list[Proposal] = []
    for _ in range(300):
        run.append(on(0.0 if is_open(run) else 1.0))
    shares = [sum(side(p) == "surrogate" for p in run[i : i + 50]) / 50 for i in (0, 100, 250)]
    assert 0.5 <= shares[0] < shares[1] < shares[2] and shares[2] > 0.9
    assert between(0) == 1 and between(15) == 2


def test_a_lost_trial_does_not_count():
    past = history(
        trial(0, configured(), 0.4, details={GATE: 0.0}),
        trial(1, configured(width=9), state=TrialState.LOST),
    )
    assert len(started(past)) == 1 and not is_open(started(past))
