"""A pipeline's space follows from its stages: commands leave it alone, and its budget can be changed."""

from __future__ import annotations

import pytest

from fakes.small_pipeline import task
from tunesmith.commands import AddChoice, ChangeBudget, Freeze, Narrow, Widen
from tunesmith.steering.applying import TaskCommand, applied
from tunesmith.steering.faults import CannotSteer


@pytest.mark.parametrize(
    "command",
    [
        Freeze(parameter="find.samples", value=3),
        Narrow(parameter="find.samples", low=1, high=10),
        Widen(parameter="find.samples", high=200),
        AddChoice(parameter="find.model", choices=("huge",)),
    ],
    ids=lambda command: command.kind,
)
def test_its_space_is_not_changed_by_commands(command: TaskCommand) -> None:
    with pytest.raises(CannotSteer, match="problem"):
        applied(task(), command, task().empty_history())


def test_its_budget_is() -> None:
    before = task()
    more = applied(before, ChangeBudget(more_trials=2), before.empty_history()).task
    assert more.budget.trials == before.budget.trials + 2 and more.space == before.space
