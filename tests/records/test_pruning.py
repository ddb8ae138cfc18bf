"""Early stopping: by forecast, and the verdicts of Optuna's own pruners at the price of a dictionary."""

from types import SimpleNamespace

import numpy as np
import optuna
import pytest

from tunesmith.tools.engine.pruning import Pruner
from tunesmith.trial import TrialState


def spec(kind="median", warmup_steps=1, startup_trials=4):
    return SimpleNamespace(kind=kind, warmup_steps=warmup_steps, startup_trials=startup_trials)


def curve(level, steps=6):
    return tuple((step, level + 0.01 * step) for step in range(steps))


@pytest.fixture
def done(make_trial):
    def make(number, level, state=TrialState.COMPLETED, steps=6):
        points = curve(level, steps)
        value = points[-1][1] if state is TrialState.COMPLETED else None
        return make_trial(number, state=state, curve=points, value=value)

    return make


def test_a_curve_below_the_median_is_stopped_and_one_above_goes_on(done):
    pruner = Pruner(spec(), "maximize")
    for number in range(4):
        pruner.observe(done(number, 0.1 * number))
    assert pruner.should_stop(4, curve(0.05, 3))
    assert not pruner.should_stop(5, curve(0.25, 3))


def test_lower_is_better_when_minimising(done):
    pruner = Pruner(spec(), "minimize")
    for number in range(4):
        pruner.observe(done(number, 0.1 * number))
    assert not pruner.should_stop(4, curve(0.05, 3))
    assert pruner.should_stop(5, curve(0.25, 3))


@pytest.mark.parametrize("kind", ["forecast", "median", "halving"])
def test_the_first_trials_and_the_first_steps_are_always_granted(done, kind):
    pruner = Pruner(spec(kind, warmup_steps=2, startup_trials=4), "maximize")
    for number in range(3):
        pruner.observe(done(number, 0.5))
    assert not pruner.should_stop(10, curve(-9.0))
    pruner.observe(done(3, 0.5))
    assert not pruner.should_stop(11, curve(-9.0, 2))  # steps 0 and 1
    assert pruner.should_stop(11, curve(-9.0, 3))


def test_failed_and_lost_trials_are_no_measure_for_others(done):
    pruner = Pruner(spec(startup_trials=2), "maximize")
    for number, state in enumerate([TrialState.CRASHED, TrialState.DIVERGED, TrialState.LOST]):
        pruner.should_stop(number, curve(0.9))
        pruner.observe(done(number, 0.9, state))
    pruner.observe(done(3, 0.1))
    pruner.observe(done(4, 0.1))
    assert not pruner.should_stop(5, curve(0.2))


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
@pytest.mark.parametrize("kind", ["median", "halving"])
def test_verdicts_are_those_of_an_ordinary_optuna_study(make_trial, kind, direction):
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    theirs = {
        "median": optuna.pruners.MedianPruner(n_startup_trials=0, n_warmup_steps=1),
        "halving": optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=3),
    }[kind]
    study = optuna.create_study(direction=direction, pruner=theirs)
    pruner = Pruner(spec(kind, startup_trials=0), direction)
    rng = np.random.default_rng(3)
    stopped = 0
    for number in range(40):
        trial, points, pruned = study.ask(), [], False
        level = rng.normal() + 0.15 * number * (1 if direction == "maximize" else -1)  # a search that learns
        for step in range(1, 12):
            value = float(level + 0.1 * rng.normal())
            trial.report(value, step)
            points.append((step, value))
            pruned = pruner.should_stop(number, points)
            assert pruned == trial.should_prune(), (number, step)
            if pruned:
                break
        stopped += pruned
        state = TrialState.PRUNED if pruned else TrialState.COMPLETED
        pruner.observe(
            make_trial(number % 8).model_copy(
                update={"number": number, "state": state, "curve": tuple(points), "value": points[-1][1]}
            )
        )
        study.tell(trial, None if pruned else points[-1][1], state=OPTUNA[state])
    assert 5 < stopped < 35


OPTUNA = {
    TrialState.PRUNED: optuna.trial.TrialState.PRUNED,
    TrialState.COMPLETED: optuna.trial.TrialState.COMPLETE,
}


@pytest.mark.parametrize("kind", ["forecast", "median", "halving"])
def test_a_resumed_run_judges_as_the_uninterrupted_one(done, kind):
    live, resumed = Pruner(spec(kind), "maximize"), Pruner(spec(kind), "maximize")
    history = [
        done(n, 0.1 * (n % 4), TrialState.PRUNED if n == 5 else TrialState.COMPLETED) for n in range(8)
    ]
    for trial in history:
        for length in range(1, len(trial.curve) + 1):
            live.should_stop(trial.number, trial.curve[:length])
        live.observe(trial)
        resumed.observe(trial)
    for number, level in enumerate([0.0, 0.12, 0.18, 0.35], start=8):
        for length in range(1, 7):
            points = curve(level, length)
            assert live.should_stop(number, points) == resumed.should_stop(number, points)


def test_none_never_stops_anything(done):
    pruner = Pruner(spec("none"), "maximize")
    for number in range(9):
        pruner.observe(done(number, 0.5))
    assert not pruner.should_stop(9, curve(-9.0))


def test_a_step_reported_twice_or_before_zero_does_no_harm(done):
    pruner = Pruner(spec(startup_trials=1), "maximize")
    pruner.observe(done(0, 0.5))
    assert not pruner.should_stop(1, ((-1, 0.0), (0, 0.9), (0, -5.0), (1, 0.9)))


def noisy(rng, end, steps=6):
    """Starts at random around .7, whatever it comes to."""
    start = rng.normal(0.7, 0.04)
    return tuple((s, float(end + (start - end) * np.exp(1 - s))) for s in range(1, steps + 1))


@pytest.mark.parametrize("sign", [1, -1], ids=["maximise", "minimise"])
def test_by_forecast_trials_about_as_good_as_the_best_go_on_and_hopeless_ones_stop(make_trial, sign):
    rng = np.random.default_rng(1)
    direction = "maximize" if sign > 0 else "minimize"
    pruners = {kind: Pruner(spec(kind), direction) for kind in ("forecast", "median")}
    ends = [0.1, 0.3, 0.8] + list(rng.normal(0.85, 0.008, 20))  # a search that has found the good region
    for number, end in enumerate(ends):
        points = tuple((s, sign * v) for s, v in noisy(rng, end))
        done = make_trial(number, state=TrialState.COMPLETED, value=points[-1][1], curve=points)
        for pruner in pruners.values():
            pruner.observe(done)

    def stopped(kind, end, n=40):
        verdicts = []
        for number in range(100, 100 + n):
            points = [(s, sign * v) for s, v in noisy(rng, end)]
            verdicts.append(any(pruners[kind].should_stop(number, points[:k]) for k in range(1, 4)))
        return sum(verdicts) / n

    assert stopped("forecast", 0.85) <= 0.1 < 0.4 < stopped("median", 0.85)
    assert stopped("forecast", 0.5) == 1.0


def test_when_cautious_a_forecast_stops_only_what_is_hopeless(done):
    pruner = Pruner(spec("forecast"), "maximize")
    for number in range(8):
        pruner.observe(done(number, 0.7 + 0.02 * (number % 5)))
    poor, hopeless = curve(0.68, 4), curve(0.1, 4)
    assert pruner.should_stop(8, poor) and not pruner.should_stop(8, poor, cautious=True)
    assert pruner.should_stop(9, hopeless) and pruner.should_stop(9, hopeless, cautious=True)


def test_by_forecast_the_first_share_of_the_usual_length_is_granted_and_the_last_one_not_cut(make_trial):
    pruner = Pruner(spec("forecast"), "maximize")
    for number in range(5):
        points = tuple((s, 0.8) for s in range(1, 31))
        pruner.observe(make_trial(number, state=TrialState.COMPLETED, value=0.8, curve=points))
    points = tuple((s, -5.0) for s in range(1, 31))
    verdicts = [pruner.should_stop(9, points[:k]) for k in range(1, 31)]
    assert [k for k, stop in enumerate(verdicts, 1) if stop] == list(range(6, 23))
