"""What commands mean for a task: legal results, nothing lost silently, and reasons."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.commands import AddChoice, ChangeBudget, Freeze, Narrow, SetPrior, Widen
from tunesmith.space import Bool, Categorical, Float, Int, Ordinal, Space
from tunesmith.steering.applying import TaskCommand, applied, filled
from tunesmith.steering.faults import CannotSteer
from tunesmith.task import Task
from tunesmith.task.lineage import Epoch, LeftOut, carried
from tunesmith.trial import Origin, Proposal, Trial, TrialState

SPACE = Space(
    {
        "lr": Float(1e-5, 1e-1, scale="log"),
        "drop": Float(0.0, 0.9, step=0.1),
        "width": Int(8, 128, step=8),
        "depth": Int(1, 9),
        "batch": Ordinal([16, 32, 64, 128]),
        "optimizer": Categorical(["adam", "sgd"]),
        "momentum": Float(0.0, 0.99, when={"optimizer": "sgd"}),
        "nesterov": Bool(when={"optimizer": "sgd"}),
        "amp": Bool(),
    }
)
OPTIONS = "--lr {lr} --drop={drop} --width {width} --depth {depth} --batch {batch} --opt {optimizer}"
COMMAND = f"python train.py {OPTIONS} --momentum {{momentum}} {{--nesterov}} {{--amp}} --end".split()


def task(**changes) -> Task:
    fields = {
        "name": "job",
        "metric": "score",
        "direction": "maximize",
        "space": SPACE,
        "default": {
            "lr": 1e-3,
            "drop": 0.1,
            "width": 64,
            "depth": 3,
            "batch": 32,
            "optimizer": "adam",
            "amp": True,
        },
        "objective": {"command": COMMAND},
    }
    return Task.model_validate({**fields, **changes})


TASK = task()


def history(seed: int = 0, n: int = 8):
    import numpy as np

    found = TASK.empty_history()
    for number, one in enumerate(SPACE.sample(np.random.default_rng(seed), n)):
        proposal = Proposal(configuration=one, origin=Origin.RANDOM, reason="drawn")
        state = TrialState.COMPLETED if number else TrialState.RUNNING
        value = float(number) if number else None
        found = found.with_trial(Trial(number=number, proposal=proposal, state=state, value=value))
    return found


names = st.sampled_from(SPACE.names)
numbers = st.one_of(st.floats(-1, 200), st.sampled_from([1e-4, 1e-2, 0.05, 0.3, 16, 40, 64]))
choices = st.sampled_from(["adam", "sgd", "lion", 16, 64, 256, "32", True, False, 0.5])
commands = st.one_of(
    st.builds(Freeze, parameter=names, value=st.one_of(st.none(), numbers, choices)),
    st.builds(Narrow, parameter=names, low=st.none() | numbers, high=st.none() | numbers),
    st.builds(Narrow, parameter=names, choices=st.lists(choices, max_size=2).map(tuple)),
    st.builds(Widen, parameter=names, low=st.none() | numbers, high=st.none() | numbers),
    st.builds(AddChoice, parameter=names, choices=st.lists(choices, max_size=2).map(tuple)),
    st.builds(
        SetPrior, parameter=names, best=numbers | choices, low=st.none() | numbers, high=st.none() | numbers
    ),
    st.builds(
        ChangeBudget, trials=st.none() | st.integers(1, 99), more_trials=st.none() | st.integers(-40, 40)
    ),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(commands, max_size=4), st.integers(0, 5))
def test_any_commands_leave_a_legal_task_and_name_every_trial_that_is_left_out(
    wanted: list[TaskCommand], seed: int
) -> None:
    now, so_far = TASK, history(seed)
    for command in wanted:
        try:
            change = applied(now, command, so_far)
        except CannotSteer as error:
            assert "\n" not in str(error) and len(str(error)) > 20
            continue
        assert change.text and "\n" not in change.text
        again = applied(now, change.command, so_far) if not isinstance(command, ChangeBudget) else change
        assert (again.task.space, again.task.default) == (change.task.space, change.task.default)
        epochs = (Epoch.of(now, 1, 0), Epoch.of(change.task, 2, 0))
        kept = []
        for trial in so_far:
            try:
                one = carried(trial.configuration, epochs)
            except LeftOut:
                assert trial.number in change.left and "outside it from now on" in change.text
            else:
                assert change.task.space.validate(dict(one)) == one
                kept.append(
                    trial.model_copy(
                        update={"proposal": trial.proposal.model_copy(update={"configuration": one})}
                    )
                )
        assert len(kept) + len(change.left) == len(so_far)
        now = change.task
        so_far = now.empty_history()
        for trial in kept:
            so_far = so_far.with_trial(trial)


@settings(max_examples=25, deadline=None)
@given(low=st.floats(1e-5, 1e-3), high=st.floats(2e-3, 1e-1))
def test_a_range_narrowed_and_widened_again_is_the_range_it_was(low: float, high: float) -> None:
    narrow = applied(TASK, Narrow(parameter="lr", low=low, high=high), history())
    back = applied(narrow.task, Widen(parameter="lr", low=1e-5, high=1e-1), TASK.empty_history())
    assert back.task.space == TASK.space and not back.left
    assert (narrow.task.space.parameters["lr"].low, narrow.task.space.parameters["lr"].high) == (low, high)


def test_a_frozen_parent_drops_its_children_and_their_options() -> None:
    change = applied(TASK, Freeze(parameter="optimizer", value="adam"), history())
    assert "momentum" not in change.task.space and "nesterov" not in change.task.space
    assert change.task.objective.command == tuple(
        word for word in COMMAND if word not in ("--momentum", "{momentum}", "{--nesterov}")
    )
    assert "momentum does not apply any more" in change.text
    assert change.left == tuple(t.number for t in history() if t.configuration["optimizer"] == "sgd")
    kept = applied(TASK, Freeze(parameter="optimizer", value="sgd"), history()).task
    assert "momentum" in kept.space and kept.objective == TASK.objective
    assert kept.default["momentum"] == pytest.approx(0.495)


def test_a_frozen_value_is_that_of_the_best_trial_and_the_default_follows() -> None:
    best = history().incumbent.configuration
    change = applied(TASK, Freeze(parameter="LR"), history())
    assert change.command == Freeze(parameter="lr", value=best["lr"])
    assert change.task.space.parameters["lr"].size == 1
    assert change.task.default["lr"] == best["lr"] and "the default has lr=" in change.text


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (Freeze(parameter="lrr"), "did you mean 'lr'"),
        (Freeze(parameter="lr", value=3), "a number from 1e-5 to 0.1"),
        (Narrow(parameter="lr", low=1e-6), "/widen"),
        (Narrow(parameter="lr"), "say from where to where"),
        (Narrow(parameter="optimizer", low=1), "say which of them to keep"),
        (Narrow(parameter="width", low=10, high=15), "none of its values"),
        (Widen(parameter="lr", low=1e-4), "/narrow"),
        (Widen(parameter="lr", low=0), "log scale"),
        (Widen(parameter="optimizer", low=0), "/add"),
        (AddChoice(parameter="optimizer", choices=("adam",)), "already"),
        (AddChoice(parameter="lr", choices=(1,)), "/widen"),
        (SetPrior(parameter="lr", best=1), "a number from"),
        (SetPrior(parameter="lr", best=1e-3, low=1e-2), "does not hold"),
        (ChangeBudget(), "not said"),
        (ChangeBudget(trials=3, more_trials=3), "twice"),
        (ChangeBudget(more_trials=-30), "at least 1"),
        (ChangeBudget(cost=3.0), "no `cost`"),
    ],
)
def test_what_cannot_be_followed_is_answered_with_what_is_legal(command: TaskCommand, says: str) -> None:
    with pytest.raises(CannotSteer, match="."):
        applied(TASK, command, history())
    try:
        applied(TASK, command, history())
    except CannotSteer as error:
        assert says in str(error)


def test_choices_numbers_in_order_priors_and_budgets() -> None:
    assert applied(TASK, AddChoice(parameter="batch", choices=("256", 8)), history()).text == (
        "batch: 16, 32, 64, 128 is now 8, 16, 32, 64, 128, 256"
    )
    prior = applied(TASK, SetPrior(parameter="lr", best=3e-4), history())
    assert prior.command.low == pytest.approx(1e-4) and prior.command.high == pytest.approx(9e-4)
    assert prior.text == "lr is expected to be best near 0.0003 (0.0001 to 0.0009)" and prior.task == TASK
    budget = applied(TASK, ChangeBudget(more_trials=10, model_calls=5, wall_time_s=90), history())
    assert budget.task.budget.trials == 40 and budget.task.budget.model.calls == 5
    assert budget.text == "trials: 30 is now 40; time: no limit is now 1 min 30 s; model calls: 60 is now 5"


def test_missing_values_are_filled_from_the_best_or_the_middle() -> None:
    best = {"lr": 1e-3, "drop": 0.1, "width": 64, "depth": 3, "batch": 32, "optimizer": "adam", "amp": True}
    values, added = filled({"optimizer": "sgd", "lr": 0.02}, SPACE, best)
    assert SPACE.validate(values)["lr"] == 0.02 and values["width"] == 64
    assert set(added) == {"drop", "width", "depth", "batch", "amp", "momentum", "nesterov"}
    assert filled({"lr": 99, "nope": 1}, SPACE, best)[0]["lr"] == 99
