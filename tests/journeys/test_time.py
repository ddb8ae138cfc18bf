"""Budgets of time do not follow a clock that is set, and a run says how long the rest takes."""

import time

import pytest

from tunesmith import Float, tune
from tunesmith.events import Progress, RunStarted, TrialFinished
from tunesmith.tools.records.event_store import EventStore
from tunesmith.tui.facts import Facts
from tunesmith.tui.state import RunView

MONTH = 30 * 86_400.0


@pytest.mark.long
@pytest.mark.parametrize("jump", [MONTH, -MONTH], ids=["a month ahead", "a month back"])
def test_a_jump_of_the_wall_clock_is_not_charged_and_gives_no_time(tmp_path, monkeypatch, jump):
    real, offset = time.time, 0.0
    monkeypatch.setattr(time, "time", lambda: real() + offset)
    seen = []

    def listen(event):
        nonlocal offset
        seen.append(event)
        if isinstance(event, TrialFinished):
            offset = jump  # somebody sets the clock in the middle of the session

    def go(trials):
        return tune(
            lambda config, trial: config["x"],
            {"x": Float(0, 1)},
            metric="v",
            direction="maximize",
            trials=trials,
            wall_time_s=3600,
            name="job",
            runs=tmp_path,
            model=None,
            tuner="random",
            listen=listen,
        )

    began = time.monotonic()
    first = go(2)
    second = go(3)
    took = time.monotonic() - began
    assert first.reason == "the budget of 2 trials is used"
    assert second.reason == "the budget of 3 trials is used"
    assert 0 < first.spend.seconds < second.spend.seconds <= took
    # What the next session will find is in the records, and the terminal shows the same.
    store = EventStore(tmp_path / "job" / "run.db", create=False)
    events = store.events()
    store.close()
    assert all(event.clock > 0 for event in events)
    view = RunView(Facts())
    view.fold(events)
    assert 0 < view.elapsed(time.time()) <= took
    told = [event for event in seen if isinstance(event, Progress)]
    assert [event.done for event in told][:1] == [1] and "for the other 1 trial with 1 worker" in told[0].text
    assert sum(isinstance(event, RunStarted) for event in seen) == 2


def test_the_time_left_is_told_when_it_is_known_and_at_every_tenth(capsys):
    from tunesmith.cli.stream import Stream
    from tunesmith.task import Task
    from tunesmith.tui.status import plain, segments

    fields = {"metric": "v", "direction": "maximize", "space": {"x": {"type": "float", "low": 0, "high": 1}}}
    stream = Stream(Task.model_validate({**fields, "objective": "t.py:train"}))
    told = [
        Progress(done=n, total=30, running=2, workers=2, seconds=n * 270, left_s=(30 - n) * 135, at=100.0)
        for n in range(1, 30)
    ]
    for event in told:
        stream.show(event)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "  1 of 30 done; about 1 h 10 min for the other 29 trials with 2 workers"
    assert len(lines) == 10 and lines[-1].startswith("  27 of 30 done; about 7 min for the other 3")
    view = RunView(Facts(trials=30))
    begun = RunStarted(name="", folder="", strategy="", policy="", model=None, workers=2, resumed=False)
    view.fold([begun, told[0]])
    shown = [plain(segment.spans) for segment in segments(view, 100.0 + 1200)]
    assert "left about 45 min" in shown
    view.fold([told[-1].model_copy(update={"left_s": 4.0})])
    assert "left a few seconds" in [plain(segment.spans) for segment in segments(view, 100.0)]
