"""What enters the records is bounded: steps, names, numbers of metrics and reports, remarks."""

import json
from contextlib import closing
from itertools import pairwise
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.bounded import LONGEST_TEXT
from tunesmith.commands import Ask, Try
from tunesmith.events import Answered, Noted
from tunesmith.outcome import Outcome, TrialState
from tunesmith.tools.engine.live_curve import LiveCurve
from tunesmith.tools.engine.optuna_rule import OptunaRule
from tunesmith.tools.engine.pruning import Pruner
from tunesmith.tools.execution.handle import TrialHandle
from tunesmith.tools.records.bounds import MAX_STEP, MOST_ATTRIBUTE_BYTES, MOST_METRICS, MOST_POINTS
from tunesmith.tools.records.curve_file import CURVE, recorded_curve
from tunesmith.tools.records.event_store import EventStore
from tunesmith.tools.records.outcomes import finished_trial
from tunesmith.tools.records.reconcile import reconcile
from tunesmith.tools.records.study import StudyStore
from tunesmith.tools.records.study_notes import provenance
from tunesmith.tools.records.thinning import GrowingCurve, thinned
from tunesmith.trial import Configuration, Origin, Proposal, Trial

POISON = ((0, 0.1), (MAX_STEP, 0.2), (MAX_STEP + 1, 0.3), (2**63, 0.9), (-1, 0.5))


class NoChannel:
    """Takes reports, and never says stop."""

    def __init__(self):
        self.sent = 0

    def report(self, step, value):
        self.sent += 1

    def verdict(self, step):
        return False


def poisoned(**changes):
    names = {f"metric {n}": float(n) for n in range(2_000)} | {"x" * 500_000: 1.0, "nul\x00": 2.0}
    return Outcome(
        TrialState.COMPLETED,
        values={**names, "accuracy": 0.5},
        curve=POISON,
        notes=("n" * 10_000,) * 50,
        **changes,
    )


@pytest.mark.parametrize("storage", ["journal", "sqlite"])
def test_a_run_whose_records_hold_poison_goes_on(request, folder, task, make_trial, storage):
    url = None if storage == "journal" else request.getfixturevalue("database_url")
    for number in range(2):
        folder.write_config(make_trial(number))
        StudyStore.open(folder, task, url).started(make_trial(number))
        folder.record_outcome(number, poisoned())  # and the session ended by the error that this caused
    for _ in range(2):  # the second time everything is in the study already
        history = reconcile(folder, StudyStore.open(folder, task, url))
        assert [trial.state for trial in history] == [TrialState.COMPLETED] * 2
        assert history.trials[0].curve == ((0, 0.1), (MAX_STEP, 0.2))
        assert history.trials[0].value == 0.5 and len(history.trials[0].values) == MOST_METRICS + 1
        assert (
            "further metrics were left out" in history.trials[0].notes[-1]
            or len(history.trials[0].notes) == 8
        )
    assert StudyStore.open(folder, task, url).load()[0].curve == ((0, 0.1), (MAX_STEP, 0.2))


@settings(max_examples=30)
@given(
    st.dictionaries(st.text(max_size=200), st.floats(allow_nan=False, allow_infinity=False), max_size=300),
    st.lists(st.text(max_size=900), max_size=12).map(tuple),
)
def test_a_trials_attribute_fits_the_narrowest_database(values, notes):
    trial = finished_trial(
        a_trial(), Outcome(TrialState.COMPLETED, values={**values, "accuracy": 0.5}, notes=notes), "accuracy"
    )
    stored = json.dumps(provenance(trial))
    assert len(stored) <= MOST_ATTRIBUTE_BYTES + 100 and "\\u0000" not in stored


def a_trial():
    return Trial(
        number=0, proposal=Proposal(configuration=Configuration({}, "0"), origin=Origin.RANDOM, reason="r")
    )


@pytest.mark.parametrize("step", [2**31, 2**63, 10**40, -1, 1.5, True, "3"])
def test_a_step_that_no_store_can_hold_is_refused_where_it_enters(tmp_path, step):
    handle = TrialHandle(0, tmp_path, 0, "accuracy", NoChannel())
    with pytest.raises(ValueError, match=r"from 0 to\s+2,147,483,647"):
        handle.report(0.5, step)
    handle.report(0.5, MAX_STEP)
    assert recorded_curve(tmp_path)["curve"] == ((MAX_STEP, 0.5),)


def test_forty_thousand_reports_leave_a_bounded_curve_with_its_ends_and_its_best(tmp_path):
    handle = TrialHandle(0, tmp_path, 0, "accuracy", NoChannel())
    largest = 0
    for step in range(40_000):
        handle.report(9.0 if step == 12_345 else -9.0 if step == 777 else step / 40_000, step)
        if step % 4001 == 0:
            largest = max(largest, (tmp_path / CURVE).stat().st_size)
            assert recorded_curve(tmp_path)["curve"][-1][0] == step, (
                "a worker that is killed leaves its last report"
            )
    recorded = recorded_curve(tmp_path)
    curve = dict(recorded["curve"])
    assert recorded["reports"] == 40_000 and len(curve) <= MOST_POINTS and largest < 200_000
    assert curve[12_345] == 9.0 and curve[777] == -9.0 and 0 in curve and 39_999 in curve
    even = sorted(set(curve) - {12_345, 777, 39_999})
    assert {b - a for a, b in pairwise(even)} == {64}


@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=300), st.integers(8, 40)
)
def test_a_thinned_curve_is_a_part_of_the_curve_with_first_last_and_best(values, limit):
    whole = tuple(enumerate(values))
    thin = thinned(whole, limit)
    assert len(thin) <= limit and set(thin) <= set(whole) and list(thin) == sorted(thin)
    assert {whole[0], whole[-1]} <= set(thin)
    found = {value for _, value in thin}
    assert {min(values), max(values)} <= found
    assert thin == whole or len(whole) > limit


def test_what_a_report_costs_does_not_grow_with_their_number(monkeypatch):
    """Counted: points that are looked at when a curve is thinned, and what Optuna's rules are told."""
    looked = told = 0
    kept, take = GrowingCurve._kept, OptunaRule._take

    def counting_kept(self):
        nonlocal looked
        looked += len(self._points)
        return kept(self)

    def counting_take(self, number, curve, *, ask):
        nonlocal told
        before = len(self._reported.get(number, ()))
        stop = take(self, number, curve, ask=ask)
        told += len(self._reported[number]) - before
        return stop

    monkeypatch.setattr(GrowingCurve, "_kept", counting_kept)
    monkeypatch.setattr(OptunaRule, "_take", counting_take)
    pruner = Pruner(SimpleNamespace(kind="median", warmup_steps=1, startup_trials=4), "maximize")
    costs, shown = [], []
    curve = LiveCurve()
    for step in range(64_000):
        shown.append(curve.add(step, 0.5))
        if step < 8_000:
            pruner.should_stop(0, curve)
        if step + 1 in (16_000, 32_000, 64_000):
            costs.append(looked)
    assert costs[2] - costs[1] <= 2.5 * (costs[1] - costs[0]), "twice the reports, twice the work"
    assert looked <= 4 * 64_000
    assert told <= MOST_POINTS + 3 * MOST_POINTS // 2, "ever fewer of a long curve"
    assert sum(shown) <= 8 * MOST_POINTS and all(shown[:MOST_POINTS])


@pytest.mark.parametrize(
    "text", ["nul \0 here", "half a pair \ud800", "x" * 3_000_000], ids=["nul", "surrogate", "long"]
)
def test_what_people_and_models_say_can_be_stored_whatever_it_is(tmp_path, text):
    with closing(EventStore(tmp_path / "run.db")) as store:
        store.append_many([Noted(text=text), Answered(command_id=1, text=text, final=True)])
        store.post(Ask(text=text))
        store.post(Try(values={"lr": text}))
        noted, answered = store.events()
        (_, ask), (_, asked) = store.take_commands()
    stored = [noted.text, answered.text, ask.text, asked.values["lr"]]
    assert {len(one) for one in stored} == {min(len(text), LONGEST_TEXT)} and "\0" not in "".join(stored)
    reason = Proposal(configuration=Configuration({}, "0"), origin=Origin.MODEL, reason=text).reason
    assert len(reason) <= 2000 and reason.encode()
