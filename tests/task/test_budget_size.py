"""A budget that cannot be enough is said to be so before it is spent."""

from __future__ import annotations

from typing import Any

import pytest

from tunesmith.task import Task
from tunesmith.task.budget_size import too_small


def task(parameters: int, **given: Any) -> Task:
    space = {f"x{i}": {"type": "float", "low": 0.0, "high": 1.0} for i in range(parameters)}
    return Task.model_validate({"metric": "loss", "direction": "minimize", "space": space, **given})


@pytest.mark.parametrize(
    ("given", "words"),
    [
        pytest.param({"budget": {"trials": 16}}, [], id="enough"),
        pytest.param(
            {"budget": {"trials": 5}}, ["5 trials are few for 6 hyperparameters", "30"], id="few trials"
        ),
        pytest.param(
            {"budget": {"trials": 30, "wall_time": "20m", "trial_time": "1h"}},
            ["wall_time 20 min 00 s is less than trial_time 1 h 00 min"],
            id="little time",
        ),
        pytest.param({"budget": {"trials": 30, "wall_time": "20m", "trial_time": "5m"}}, [], id="time"),
        pytest.param(
            {"budget": {"trials": 30}, "noise": 0.01}, ["0.026 through luck alone", "`confirm"], id="noise"
        ),
        pytest.param(
            {"budget": {"trials": 30}, "noise": 0.01, "confirm": {"seeds": 2, "most": 2}},
            ["2 seeds a side tell apart only what differs by 0.028"],
            id="noise and a small comparison",
        ),
        pytest.param(
            {"budget": {"trials": 30}, "noise": 0.01, "confirm": {"seeds": 4, "most": 8}},
            [],
            id="noise and a comparison",
        ),
        pytest.param({"budget": {"trials": 30}, "noise": "none"}, [], id="no noise"),
        pytest.param(
            {"budget": {"trials": 30, "cost": 0.5}, "cost": "1 + x0"}, ["pays for no trial"], id="no cost"
        ),
    ],
)
def test_what_a_budget_is_too_small_for(given, words):
    said = too_small(task(6, **given))
    assert all(word in " ".join(said) for word in words)
    assert bool(said) == bool(words)


def test_a_small_space_that_is_tried_whole_needs_no_more():
    space = {f"x{i}": {"type": "bool"} for i in range(3)}
    assert not too_small(
        Task.model_validate({"metric": "a", "direction": "minimize", "space": space, "budget": {"trials": 8}})
    )
