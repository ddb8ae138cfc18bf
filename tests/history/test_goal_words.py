"""The trial that comes closest to keeping the limits, and the words for metrics, limits and none feasible."""

from __future__ import annotations

import random

import pytest

from fakes.histories import trial
from tunesmith.goal_words import aims, measured, none_feasible
from tunesmith.history import History
from tunesmith.space import Float, Space
from tunesmith.task import Task
from tunesmith.trial import TrialState

SPACE = Space({"x": Float(0, 1)})


def study(*values: dict[str, float], limits: dict[str, str], metrics: dict[str, str]) -> History:
    history = Task(metrics=metrics, limits=limits, space=SPACE).empty_history()
    for number, each in enumerate(values):
        done = trial(number, {"x": number / 100}, each["acc"], space=SPACE)
        history = history.with_trial(done.model_copy(update={"values": each}))
    return history


def test_a_run_without_a_feasible_trial_says_which_limit_and_which_trial_is_closest() -> None:
    limits, metrics = {"ms": "<= 20"}, {"acc": "maximize", "ms": "minimize"}
    rows = [{"acc": 0.9, "ms": 40.0}, {"acc": 0.8, "ms": 23.0}, {"acc": 0.7, "ms": 31.0}]
    history = study(*rows, limits=limits, metrics=metrics)
    assert none_feasible(history) == (
        "3 trials completed, none keeps ms <= 20; the closest is trial 1 with 23.0000"
    )
    assert none_feasible(study(rows[0], limits=limits, metrics=metrics)) == (
        "1 trial completed, and does not keep ms <= 20 with 40.0000"
    )
    kept = study(*rows, {"acc": 0.1, "ms": 20.0}, limits=limits, metrics=metrics)
    assert (kept.closest, none_feasible(kept)) == (None, "")


def test_with_two_limits_the_closest_breaks_them_by_the_smallest_share() -> None:
    limits = {"ms": "<= 20", "acc": ">= 0.95"}
    rows = [{"acc": 0.9, "ms": 10.0}, {"acc": 0.5, "ms": 30.0}]
    history = study(*rows, limits=limits, metrics={"acc": "maximize"})
    assert history.closest is not None and history.closest.number == 0
    assert none_feasible(history).endswith("the closest is trial 0: acc 0.9000 (breaks >= 0.95)")


@pytest.mark.parametrize("seed", range(20))
def test_the_closest_is_an_infeasible_trial_that_no_other_is_nearer_than_in_every_limit(seed: int) -> None:
    rng = random.Random(seed)
    rows = [{k: rng.choice([0.0, 1.0, rng.gauss(0, 9)]) for k in ("acc", "ms", "mib")} for _ in range(12)]
    history = study(*rows, limits={"ms": "<= -3", "mib": ">= 4"}, metrics={"acc": "maximize"})
    found = history.closest
    assert (found is None) == bool(history.feasible)
    if found is not None:
        mine = [max(x.excess(found.values[x.metric]), 0) for x in history.limits]
        for other in history.completed:
            theirs = [max(x.excess(other.values[x.metric]), 0) for x in history.limits]
            assert not all(a < b for a, b in zip(theirs, mine, strict=True))


def test_aims_are_one_sentence_and_of_one_metric_what_they_were() -> None:
    assert aims(study(limits={}, metrics={"acc": "maximize"}).goals) == "Maximize acc"
    goals = study(limits={"ms": "<= 20", "mib": ">= 1"}, metrics={"acc": "maximize", "ms": "minimize"}).goals
    assert aims(goals) == "Maximize acc and minimize ms, with ms <= 20 and mib >= 1"


def test_names_of_metrics_are_drawn_as_text() -> None:
    name = "[red]x[/red]|*" + "y" * 60
    goals = study(limits={name: "<= 1"}, metrics={"acc": "maximize"}).goals
    _, second = measured(goals, {"acc": 1.0, name: 2.0})
    assert second.name.startswith("[red]x[/red]|*") and len(second.name) == 40
    assert second.text.endswith("2.0000 (breaks <= 1)")


def test_trials_that_did_not_complete_are_never_the_closest() -> None:
    history = study(limits={"ms": "<= 1"}, metrics={"acc": "maximize"})
    failed = trial(0, {"x": 0.5}, None, space=SPACE, state=TrialState.CRASHED)
    assert history.with_trial(failed).closest is None
