"""How long the rest of a run takes."""

import pytest

from tunesmith.events import Progress
from tunesmith.history import History
from tunesmith.space import Float, Space
from tunesmith.time_left import about, seconds_left
from tunesmith.trial import Origin, Proposal, Trial, TrialState

SPACE = Space({"x": Float(0, 1)})


def ended(*seconds, origin=Origin.SURROGATE, state=TrialState.COMPLETED):
    return History(
        SPACE,
        "v",
        "maximize",
        trials=tuple(
            Trial(
                number=i,
                proposal=Proposal(configuration=SPACE.validate({"x": i / 100}), origin=origin, reason=""),
                state=state,
                value=1.0 if state is TrialState.COMPLETED else None,
                seconds=s,
            )
            for i, s in enumerate(seconds)
        ),
    )


@pytest.mark.parametrize(
    ("history", "to_start", "running", "workers", "left"),
    [
        (ended(), 10, [], 2, None),
        (ended(500, origin=Origin.PREVIOUS), 10, [], 2, None),  # of another run, on another machine
        (ended(500, state=TrialState.LOST), 10, [], 2, None),
        (ended(270), 29, [], 1, 29 * 270),
        (ended(270), 28, [0], 2, 29 * 270 / 2),
        (ended(100), 0, [60, 90], 2, 40),
        (ended(100), 0, [150], 4, 0),
        (ended(100), 1, [0, 0, 0, 0], 8, 100),
    ],
)
def test_the_estimate(history, to_start, running, workers, left):
    found = seconds_left(history, to_start=to_start, running_s=running, workers=workers)
    assert found == (None if left is None else pytest.approx(left))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "a few seconds"),
        (43, "45 s"),
        (89, "90 s"),
        (91, "2 min"),
        (3 * 60 + 20, "3 min"),
        (29 * 270 / 1, "2 h 10 min"),
        (3600, "1 h"),
        (26 * 3600, "26 h"),
        (3 * 86_400, "3 days"),
    ],
)
def test_as_precise_as_it_deserves(seconds, text):
    assert about(seconds) == text


def test_the_comparison_comes_on_top():
    event = Progress(
        done=1, total=30, running=2, workers=2, seconds=9, left_s=7830, comparison_s=600, clock=1
    )
    assert event.text == (
        "about 2 h 10 min for the other 29 trials with 2 workers, then about 10 min for the comparison with "
        "the default"
    )


def test_trials_that_the_time_budget_leaves_no_room_for_are_not_promised():
    event = Progress(
        done=1, total=50, running=0, workers=1, seconds=10, left_s=50, needed_s=490
    )  # fmt: skip
    assert event.text == "the time budget ends in about 50 s, and the other 49 trials would take about 8 min"
