"""What is said of metrics, limits and costs that are legal and probably not meant."""

from __future__ import annotations

import pytest

from tunesmith import Float, Int, Space
from tunesmith.api.checking import hints
from tunesmith.task import Task
from tunesmith.task.budget_size import too_small
from tunesmith.task.costs import paid_trials
from tunesmith.task.goal_hints import goal_hints

SPACE = Space({"lr": Float(0.1, 1.0), "epochs": Int(1, 10)})


def task(**given):
    return Task(**{"metrics": {"val_acc": "maximize"}, "space": SPACE, **given})


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (
            {"val_acc": ">= 90"},
            "is never kept where it is a share between 0 and 1, and not in percent",
        ),
        ({"val_acc": "<= 90"}, "always kept where it is a share"),
        ({"test_f1": ">= -1"}, "always kept where it is a share"),
        ({"val_loss": "<= -1"}, "val_loss <= -1 is never kept unless it falls below 0"),
        ({"rmse": ">= -0.5"}, "always kept unless it falls below 0"),
        (
            {"val_ac": ">= 0.5"},
            "'val_ac' is a metric of its own, which every trial has to give as well; did",
        ),
        ({"val_acc": ">= 0.9", "val_loss": "<= 3", "size": ">= -4", "precision": "<= 1"}, None),
    ],
    ids=str,
)
def test_a_limit_that_is_always_or_never_kept_and_one_on_a_name_nearly_right_are_named(limits, said):
    hints = goal_hints(task(limits=limits))
    assert (len(hints) == 1 and said in hints[0]) if said else hints == []


def test_a_pruner_is_told_what_it_stops_where_there_are_several_metrics():
    several = {"metrics": {"acc": "maximize", "ms": "minimize"}}
    assert goal_hints(task(**several)) == [] == goal_hints(task(pruner="median"))
    assert (
        "it goes by acc alone, and stops what may be good in ms"
        in goal_hints(task(**several, pruner="median"))[0]
    )


def test_a_pattern_for_printed_lines_is_told_to_read_nothing_of_a_function(tmp_path):
    (tmp_path / "train.py").write_text("def train(config, trial): return config['lr'] * config['epochs']\n")
    metrics = {"val_acc": {"direction": "maximize", "regex": "acc (?P<value>[0-9.]+)"}}
    (said,) = hints(task(metrics=metrics, objective=f"{tmp_path / 'train.py'}:train"))
    assert "regex of 'val_acc': it reads what a command prints, and train.py train is a function" in said


def test_a_budget_of_costs_is_judged_by_the_trials_that_it_pays_for():
    dear = task(cost="epochs", budget={"trials": 30, "cost": 15})
    assert (dear.budget.trials, paid_trials(dear)[:2]) == (30, (1, 15))
    assert too_small(dear) == [
        "a cost of 15 pays for about 2 trials, few for 2 hyperparameters: the search will hardly leave its "
        "priors"
    ]
    assert too_small(task(cost="epochs", budget={"trials": 30, "cost": 150})) == []
    assert paid_trials(task(cost="0.1", budget={"trials": 30, "cost": 0.3})) == (3, 3, 3)
    assert paid_trials(task(cost="epochs")) is None
