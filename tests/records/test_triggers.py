"""Why a policy is woken, and that each reason wakes it once."""

import pytest

from tunesmith.history import History
from tunesmith.tools.engine.triggers import Triggers, plateau
from tunesmith.tools.records.outcomes import surprise
from tunesmith.trial import TrialState

COMPLETED, CRASHED, LOST, PRUNED = (
    TrialState.COMPLETED,
    TrialState.CRASHED,
    TrialState.LOST,
    TrialState.PRUNED,
)


@pytest.fixture
def history(space, make_trial):
    """A history from values (completed) and states (anything else)."""

    def make(*ends, direction="maximize"):
        trials = []
        for number, end in enumerate(ends):
            done = {"state": end} if isinstance(end, TrialState) else {"state": COMPLETED, "value": end}
            trials.append(make_trial(number, **done))
        return History(space=space, metric="accuracy", direction=direction, trials=tuple(trials))

    return make


def feed(triggers, history, surprises=()):
    for index, trial in enumerate(history):
        triggers.finished(trial, surprises[index] if index < len(surprises) else None)


def test_it_waits_for_as_many_trials_as_the_policy_wanted(history):
    triggers = Triggers()
    for number in range(1, 8):
        now = history(*[0.1 * i for i in range(number)])
        triggers.finished(now.trials[-1], None)
        assert triggers.due(now, 3) == (("trials_finished",) if number in (3, 6) else ())


@pytest.mark.parametrize(
    ("ends", "woken_at"),
    [
        ([CRASHED, 0.5, CRASHED, CRASHED, CRASHED, CRASHED], [3, 5]),
        ([CRASHED, 0.5, CRASHED, 0.5, CRASHED, 0.5], [4]),
        ([CRASHED, PRUNED, 0.5, CRASHED, 0.5, 0.5], []),
        ([CRASHED, LOST, LOST, LOST, CRASHED], [4]),
    ],
    ids=["two in a row, twice", "three of five", "now and then", "lost ones are not failures"],
)
def test_failures_wake_and_only_new_ones_wake_again(history, ends, woken_at):
    triggers, now, woken = Triggers(), history(*ends), []
    for index, trial in enumerate(now):
        triggers.finished(trial, None)
        if "failures" in triggers.due(now, 99):
            woken.append(index)
    assert woken == woken_at


@pytest.mark.parametrize(("z", "wakes"), [(2.6, True), (-2.6, True), (2.4, False), (None, False)], ids=str)
def test_a_surprise_in_either_direction_wakes_once_and_not_after_every_trial(history, z, wakes):
    triggers, now = Triggers(), history(0.5, 0.6)
    triggers.finished(now.trials[0], z)
    assert triggers.due(now, 99) == ()
    triggers.finished(now.trials[1], None)
    assert triggers.due(now, 99) == (("surprise",) if wakes else ())
    assert triggers.due(now, 99) == ()


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
def test_a_plateau_wakes_once_until_the_incumbent_moves(history, direction):
    sign = 1 if direction == "maximize" else -1
    values = [0.1, 0.5, 0.9, *[0.6, 0.4] * 4, 1.5, *[0.6, 0.4] * 4]
    triggers, woken = Triggers(), []
    for index in range(len(values)):
        now = history(*[sign * value for value in values[: index + 1]], direction=direction)
        triggers.finished(now.trials[-1], None)
        if "plateau" in triggers.due(now, 99):
            woken.append(index)
    assert woken == [10, 19]


def test_only_trials_that_say_something_count_towards_a_plateau(history):
    assert plateau(history(0.1, 0.9, *[CRASHED, LOST] * 5)) is None
    assert plateau(history(0.1, 0.9, *[PRUNED] * 8)) == 1
    assert plateau(history(*[PRUNED] * 8)) is None


def test_a_surprise_is_measured_in_predicted_deviations_and_better_is_positive(make_trial):
    trial = make_trial(0, state=COMPLETED, value=0.9)  # expected 0.8 with spread 0.05
    assert surprise(trial, 1.0) == pytest.approx(2.0)
    assert surprise(trial, -1.0) == pytest.approx(-2.0)
    assert surprise(make_trial(0, state=CRASHED), 1.0) is None
    unsure = trial.model_copy(update={"proposal": trial.proposal.model_copy(update={"spread": 0.0})})
    assert surprise(unsure, 1.0) is None
