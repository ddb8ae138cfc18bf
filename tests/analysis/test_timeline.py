"""What the workers did when, read from a log, with the reason why one was free."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fakes.histories import DEFAULT, proposal
from tunesmith.budget import ModelSpend
from tunesmith.events import (
    CommandDone,
    Confirmed,
    ModelCalled,
    Noted,
    RunFinished,
    RunStarted,
    TrialFinished,
    TrialStarted,
    TrialWaits,
)
from tunesmith.tools.analysis import timeline_builder
from tunesmith.tools.analysis.timeline_builder import TimelineBuilder, timeline
from tunesmith.trial import Outcome, TrialState


def began(workers=2, at=1000.0, **more):
    fields = {"name": "n", "folder": "f", "strategy": "s", "policy": "p", "model": None, "resumed": False}
    return RunStarted(**fields | more, workers=workers, at=at)


def start(number, at):
    return TrialStarted(number=number, proposal=proposal(DEFAULT), seed=0, at=at)


def end(number, at, state=TrialState.COMPLETED):
    ended = Outcome(state=state, values={"m": 1.0} if state is TrialState.COMPLETED else {})
    return TrialFinished(number=number, outcome=ended, value=None, improved=False, at=at)


def over(at, reason="the budget of 3 trials is used"):
    return RunFinished(reason=reason, status="finished", at=at)


def reasons(events):
    return [(g.slot, g.start_s, g.end_s, g.reason) for g in timeline(events).gaps]


def test_trials_go_to_the_first_free_worker_and_sessions_stand_end_to_end():
    line = timeline(
        [
            began(),
            start(0, 1001), start(1, 1001), end(1, 1005), start(2, 1005),
            end(0, 1011), start(3, 1011), start(4, 1009),
            began(workers=1, at=5000),
            start(5, 5000), end(5, 5004), over(5004),
        ]
    )  # fmt: skip
    assert [(w.number, w.slot, w.start_s, w.end_s, w.state) for w in line.works] == [
        (0, 0, 1, 11, "completed"),
        (1, 1, 1, 5, "completed"),
        (2, 1, 5, 11, "interrupted"),
        (4, 2, 9, 11, "interrupted"),
        (3, 0, 11, 11, "interrupted"),
        (5, 0, 11, 15, "completed"),
    ]
    assert line.sessions == (0, 11) and line.total_s == 15 and line.slots == 3
    assert 0 < line.busy < 1


def test_a_gap_says_why_nothing_ran():
    call = ModelCalled(
        purpose="p", model="m", ok=True, seconds=9.0, prompt_tokens=1, completion_tokens=1, dollars=0.0,
        spend=ModelSpend(), at=1039,
    )  # fmt: skip
    events = [
        began(workers=1),
        start(0, 1004), end(0, 1010),
        CommandDone(command_id=1, command="pause", ok=True, reply="", at=1010),
        CommandDone(command_id=2, command="resume", ok=True, reply="", at=1020),
        start(1, 1020), end(1, 1029), call,
        start(2, 1040), end(2, 1050),
        Noted(text="The next trial waits although a worker is free: no GPU has 8 GiB free.", at=1050.1),
        start(3, 1060), end(3, 1070), start(4, 1075), end(4, 1080),
        Confirmed(done=1, total=3, at=1090), Confirmed(done=3, total=3, text="better", at=1100),
        over(1100),
    ]  # fmt: skip
    assert reasons(events) == [
        (0, 0, 4, "before the first trial: checking, loading the code"),
        (0, 10, 20, "the run was paused"),
        (0, 29, 40, "waiting for the language model"),
        (0, 50, 60, "no GPU has 8 GiB free"),
        (0, 70, 75, "choosing the next trial"),
        (0, 80, 100, "the comparison on fresh seeds"),
    ]
    assert list(timeline(events).waited)[:2] == [
        "the comparison on fresh seeds",
        "waiting for the language model",
    ]


def test_a_worker_that_has_nothing_more_to_do_says_so_and_a_run_that_goes_on_is_drawn_until_now():
    events = [began(), start(0, 1000), start(1, 1000), end(1, 1004)]
    builder = TimelineBuilder()
    for event in events:
        builder.take(event)
    line = builder.timeline(now=1010.0)
    assert line.total_s == 10
    assert [(g.slot, g.start_s, g.reason) for g in line.free_now] == [(1, 4, "no trial to start yet")]
    assert [(w.number, w.end_s, w.state) for w in line.works] == [(0, 10, "running"), (1, 4, "completed")]
    assert reasons([*events, end(0, 1009), over(1009)]) == [
        (1, 4, 9, "no trial was left to start: the budget of 3 trials is used")
    ]
    assert reasons([*events, end(0, 1008), start(2, 1008), end(2, 1012), over(1012)])[0][3] == (
        "other workers had the last trials"
    )
    two = [
        began(),
        start(0, 1000),
        start(1, 1000),
        end(1, 1004),
        end(0, 1008),
        start(2, 1008),
        start(3, 1008),
    ]
    assert reasons(two) == [(1, 4, 8, "waiting for the result of another trial")]


def test_the_sessions_own_clock_counts_where_events_have_one():
    events = [
        began(workers=1, clock=0.5), start(0, 900).model_copy(update={"clock": 2.5}),
        end(0, 99999).model_copy(update={"clock": 4.5}),
    ]  # fmt: skip
    (work,) = timeline(events).works
    assert (work.start_s, work.end_s) == (2.0, 4.0)
    assert timeline([]).slots == 0 and timeline([]).busy == 0.0 and timeline([]).free_now == ()


def test_a_wait_is_told_by_its_own_event_and_a_trial_that_was_told_as_started_waits_too():
    why = "9 MiB of memory are needed and 3 MiB are free"
    events = [
        began(), start(0, 1000), start(1, 1000), end(1, 1004),
        TrialWaits(text=why, why="resources", at=1004.1),
        TrialWaits(text="", at=1009), start(2, 1009),
        end(0, 1010), start(3, 1010), TrialWaits(text=why, why="resources", number=3, at=1010),
        TrialWaits(text="", at=1013), end(3, 1015), end(2, 1015), over(1015),
    ]  # fmt: skip
    assert reasons(events) == [(1, 4, 9, why), (0, 10, 13, why)]
    assert [(w.number, w.start_s) for w in timeline(events).works] == [(0, 0), (1, 0), (2, 9), (3, 13)]
    assert timeline(events).waited == {why: 8.0}


def test_a_long_log_keeps_its_sums_and_each_event_costs_the_same():
    builder, latest = TimelineBuilder(), timeline_builder.MOST
    builder.take(began(workers=1))
    for number in range(latest + 50):
        builder.take(start(number, 1001 + 2 * number))
        builder.take(end(number, 1002 + 2 * number))
    line = builder.timeline()
    assert len(line.works) == len(line.gaps) == latest and line.works[-1].number == latest + 49
    assert line.busy_s == latest + 50 and sum(line.waited.values()) == latest + 50


@given(st.data())
def test_any_events_give_a_timeline_that_fits_its_run(data):
    at, numbers, events = 1000.0, st.integers(0, 4), [began(workers=data.draw(st.integers(1, 3)))]
    for _ in range(data.draw(st.integers(0, 25))):
        at += data.draw(st.sampled_from([0.0, 0.4, 3.0, -2.0]))
        events.append(
            data.draw(
                st.sampled_from([
                    start(data.draw(numbers), at), end(data.draw(numbers), at),
                    began(at=at), over(at), TrialWaits(text="why", at=at, number=data.draw(numbers)),
                    TrialWaits(text="", at=at), Confirmed(done=1, total=2, at=at),
                    CommandDone(command_id=1, command="pause", ok=True, reply="", at=at),
                    CommandDone(command_id=1, command="resume", ok=True, reply="", at=at),
                ])
            )
        )  # fmt: skip
    line = timeline(events)
    assert 0 <= line.busy <= 1 and all(seconds >= 0 for seconds in line.waited.values())
    for each in (*line.works, *line.gaps):
        assert 0 <= each.start_s <= each.end_s <= line.total_s + 1e-9 and 0 <= each.slot < line.slots
