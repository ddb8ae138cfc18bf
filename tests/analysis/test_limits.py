"""What limits cost and which trials are on the front, by hand-made trials and against brute force."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fakes.histories import SPACE, configured, history, trial
from tunesmith.goals import Goal, Limit
from tunesmith.history import History
from tunesmith.progress import Progress
from tunesmith.tools.analysis.limits import broken_text, closest, limit_costs, none_feasible, together_text
from tunesmith.tools.analysis.pareto import front_rows, front_text
from tunesmith.trial import TrialState

LATENCY = Limit(metric="latency_ms", operator="<=", bound=20)
SIZE = Limit(metric="params_m", operator="<=", bound=5)


def searched(*rows: tuple[float, ...], limits: tuple[Limit, ...] = (LATENCY,), **more: object) -> History:
    """Completed trials of (val_accuracy, latency_ms, params_m); a crashed one after them."""
    names = ("val_accuracy", "latency_ms", "params_m")
    done = [
        trial(n, configured(lr=1e-4 * (1 + n)), row[0]).model_copy(
            update={"values": dict(zip(names, row, strict=False))}
        )
        for n, row in enumerate(rows)
    ]
    crashed = trial(len(rows), configured(lr=0.05), state=TrialState.CRASHED)
    return replace(history(*done, crashed), limits=limits, **more)


def test_a_limit_costs_what_the_best_without_it_is_better_by():
    past = searched((0.90, 8), (0.938, 19.5), (0.951, 31.02), (0.94, 25), (0.93, 30))
    (cost,) = limit_costs(past)
    assert cost.text == (
        "without latency_ms <= 20 the best would be trial 2: val_accuracy 0.951 at latency_ms 31.02; "
        "with it 0.938 (trial 1): the limit costs 0.013"
    )
    assert (cost.kept, cost.completed, cost.slack) == (2, 5, 0.5)
    assert [(s.bound, s.trial, s.value, s.own) for s in cost.steps] == [
        (8.0, 0, 0.90, False),
        (19.5, 1, 0.938, False),
        (20.0, 1, 0.938, True),
        (25.0, 3, 0.94, False),
        (31.1, 2, 0.951, False),
    ], "the trial of 31.02 keeps the bound that is shown"


def test_a_value_beyond_a_bound_by_a_hair_is_not_written_as_the_bound():
    past = searched((0.95, 20.000001))
    assert none_feasible(past).endswith("with 20.000001") and broken_text(past, past.trials[0]).endswith(
        "20.000001"
    )
    (cost,) = limit_costs(searched((0.90, 8), (0.95, 20.000001)))
    assert "trial 1: val_accuracy 0.95 at latency_ms 20.000001" in cost.text


def test_a_limit_that_does_not_bind_costs_nothing():
    (cost,) = limit_costs(searched((0.95, 12.3), (0.9, 30)))
    assert cost.text == "latency_ms <= 20 costs nothing: without it the best is no better (trial 0 has 12.3)"
    assert cost.cost == 0


def test_limits_that_go_together_cost_together_what_none_costs_alone():
    past = searched((0.95, 30, 9), (0.9, 12, 2), limits=(LATENCY, SIZE))
    assert [cost.cost for cost in limit_costs(past)] == [0, 0]
    assert together_text(past) == (
        "without any limit the best would be trial 0: val_accuracy 0.95, which breaks latency_ms <= 20 "
        "with 30 and params_m <= 5 with 9; with all of them 0.9 (trial 1): together they cost 0.05"
    )
    assert together_text(searched((0.95, 30, 1), (0.9, 12, 2), limits=(LATENCY, SIZE))) == ""
    assert together_text(searched((0.95, 30, 9), limits=(LATENCY, SIZE))) == ""


@pytest.mark.parametrize(
    ("rows", "limits", "sentence"),
    [
        (
            [(0.9, 40), (0.8, 23.1), (0.7, 50)],
            (LATENCY,),
            "3 trials completed, none keeps latency_ms <= 20; the closest is trial 1 with 23.1",
        ),
        ([(0.9, 40)], (LATENCY,), "1 trial completed, and it does not keep latency_ms <= 20, with 40"),
        (
            [(0.9, 22, 4), (0.8, 15, 9), (0.7, 21, 6)],
            (LATENCY, SIZE),
            "3 trials completed, none keeps every limit (latency_ms <= 20, params_m <= 5); latency_ms <= 20 "
            "is broken most often, by 2 of 3; the closest is trial 0, which breaks latency_ms <= 20 "
            "with 22",
        ),
        (
            [(0.9, 22, 9)],
            (LATENCY, SIZE),
            "1 trial completed, and it does not keep every limit (latency_ms <= 20, params_m <= 5): trial 0 "
            "breaks latency_ms <= 20 with 22 and params_m <= 5 with 9",
        ),
        ([(0.9, 19)], (LATENCY,), ""),
        ([], (LATENCY,), ""),
    ],
    ids=["one limit", "one trial", "two limits", "one trial, two limits", "feasible", "nothing completed"],
)
def test_where_no_trial_keeps_the_limits_the_closest_is_named(rows, limits, sentence):
    past = searched(*rows, limits=limits)
    assert none_feasible(past) == sentence
    assert (closest(past) is None) == (not sentence)


def test_each_limit_says_how_it_stands_while_no_trial_keeps_all():
    past = searched((0.9, 22, 4), (0.8, 15, 9), limits=(LATENCY, SIZE))
    first, second = limit_costs(past)
    assert first.cost is None and first.text == (
        "1 of 2 completed trials keeps latency_ms <= 20, but none keeps every limit; without it the best "
        "would be trial 0: val_accuracy 0.9 at latency_ms 22"
    )
    assert "without it the best would be trial 1" in second.text
    first, second = limit_costs(searched((0.9, 10, 9), (0.8, 15, 9), limits=(LATENCY, SIZE)))
    assert first.text == "2 of 2 completed trials keep latency_ms <= 20, and none keeps every other limit"
    assert second.text == "no trial keeps params_m <= 5; the closest is trial 0 with 9"
    bad = searched((0.9, 30, 4), (0.8, 31, 9), limits=(LATENCY, SIZE))
    assert limit_costs(bad)[1].text == (
        "1 of 2 completed trials keeps params_m <= 5, and none keeps every other limit"
    )
    (only,) = limit_costs(searched((0.9, 22), (0.8, 30)))
    assert only.text == "no trial keeps latency_ms <= 20; the closest is trial 0 with 22"
    assert broken_text(past, past.trials[1]) == "breaks params_m <= 5 with 9"
    assert broken_text(past, past.trials[2]) == "", "a crashed trial breaks no limit"


def test_the_cost_of_limits_is_that_of_brute_force():
    rng = np.random.default_rng(1)
    for _ in range(60):
        n = int(rng.integers(1, 12))
        rows = [tuple(float(v) for v in row) for row in rng.normal(0, 2, (n, 3)).round(1)]
        limits = (
            Limit(metric="latency_ms", operator=rng.choice(["<=", ">="]), bound=float(rng.normal(0, 1))),
            Limit(metric="params_m", operator="<=", bound=0.0),
        )
        past = searched(*rows, limits=limits, direction=rng.choice(["maximize", "minimize"]))
        best = max if past.direction == "maximize" else min
        for cost, other in zip(limit_costs(past), reversed(limits), strict=True):
            allowed = [t for t in past.completed if other.met(t.values[other.metric])]
            free = best((t.value for t in allowed), default=None)
            assert cost.free_value == free
            if past.incumbent is not None:
                assert cost.cost == abs(free - past.incumbent.value)
            for step in cost.steps:
                bound = cost.limit.model_copy(update={"bound": step.bound})
                assert step.value == best(t.value for t in allowed if bound.met(t.values[bound.metric]))
            assert len(cost.steps) <= 5 and (not cost.steps or cost.steps[-1].value == free)
            assert any(s.own for s in cost.steps) == (past.incumbent is not None)


@pytest.mark.parametrize("value", [1e300, -1e300, 1e-300, 0.0, 1.7e308, -1.7e308, 123456.0])
@pytest.mark.parametrize("operator", ["<=", ">="])
def test_values_of_any_size_have_steps_and_a_closest(value, operator):
    limits = (Limit(metric="latency_ms", operator=operator, bound=1.0), SIZE)
    past = searched((0.5, value, 9.0), (0.6, -value, 9.0), limits=limits)
    assert closest(past) is not None and none_feasible(past)
    for cost in limit_costs(past):
        for step in cost.steps:
            assert cost.limit.model_copy(update={"bound": step.bound}).met(
                past.trials[step.trial].values[cost.limit.metric]
            )


def test_the_front_is_a_table_with_the_default_beside_it():
    two = {"others": (Goal(metric="latency_ms", direction="minimize"),), "limits": (SIZE,)}
    rows = [(0.95, 30, 4), (0.90, 10, 5), (0.85, 12, 3), (0.99, 5, 9), (0.80, 40, 2)]
    past = searched(*rows, **two)
    past = replace(past, default=past.trials[2].configuration)
    found = front_rows(past)
    assert [(row.trial, row.on_front, row.default) for row in found] == [
        (0, True, False),
        (1, True, False),
        (2, False, True),
    ]
    assert found[0].values == (0.95, 30.0, 4.0) and found[0].slack == (1.0,)
    assert found[1].configuration == SPACE.format(past.trials[1].configuration)
    assert front_text(past) == (
        "2 of 4 feasible trials are on the Pareto front: val_accuracy 0.9 to 0.95, latency_ms 10 to 30"
    )
    past = replace(past, default=past.trials[5].configuration)
    assert front_rows(past)[-1].values == (None, None, None), "the default crashed"
    assert front_rows(replace(past, limits=(SIZE.model_copy(update={"bound": 0.0}),))) == ()
    assert front_text(replace(past, others=())) == ""


def test_patience_and_texts_agree_on_the_trial_that_is_closest_to_the_limits():
    never = Limit(metric="latency_ms", operator="<=", bound=0)
    past = searched((0.9, 5, 4), (0.9, 0, 15), limits=(never, SIZE))
    steps = Progress(past.goals)
    for one in past.completed:
        steps.add(one)
    assert steps.last is closest(past) is past.trials[1]
