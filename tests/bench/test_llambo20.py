"""The suite of LLAMBO's tasks against what was recorded of them."""

from __future__ import annotations

import numpy as np
import pytest

from tunesmith.bench.plan import make_plan
from tunesmith.bench.suites import llambo20, open_suite
from tunesmith.bench.summary import summarise

TASKS = {task.name: task for task in llambo20.tasks()}


def test_there_are_twenty_tasks_with_five_shared_starting_points_each_seed() -> None:
    assert len(TASKS) == 20
    for task in TASKS.values():
        assert task.default is not None
        task.space.validate(task.default)
        for seed in range(5):
            points = task.initial(seed)
            assert len(points) == 5
            for point in points:
                task.space.validate(point)


def test_the_first_starting_point_is_the_recorded_one() -> None:
    assert TASKS["iris/DecisionTree"].initial(0)[0] == {
        "max_depth": 9,
        "max_features": 0.26745891,
        "min_impurity_decrease": 0.301381688,
        "min_samples_leaf": 0.083360329,
        "min_samples_split": 0.0700584344,
        "min_weight_fraction_leaf": 0.1235058981,
    }


@pytest.mark.parametrize("name", ["iris/DecisionTree", "wine/SVM", "diabetes/DecisionTree", "iris/MLP_SGD"])
def test_a_starting_point_evaluates_to_the_recorded_value(name: str) -> None:
    task, recorded = TASKS[name], llambo20.recorded(name, 0)
    assert recorded is not None
    assert task.evaluate(task.initial(0)[0]) == pytest.approx(recorded[0], abs=1e-6)


def test_llambos_recorded_runs_give_the_published_regret() -> None:
    rows = {row.label: row for row in summarise(make_plan(open_suite(["llambo20"])), []).rows}
    llambo = rows[llambo20.LLAMBO]
    assert llambo.tasks == 20
    assert f"{llambo.window.mean:.4f}" == "0.0717"
    assert f"{llambo.end.mean:.4f}" == "0.0469"
    assert f"{llambo.families['SVM']:.3f}" == "0.081"


def test_the_rows_known_as_numbers_are_in_the_table() -> None:
    rows = summarise(make_plan(open_suite(["llambo20"])), []).rows
    given = {row.label: (row.window.mean, row.end.mean) for row in rows if row.kind == "given"}
    assert given["random, recorded"] == (0.166, 0.114)
    assert given["Optuna TPE, recorded"] == (0.151, 0.096)
    assert given["TPE, recorded"] == (0.139, 0.076)
    assert given["SMAC, recorded"] == (0.112, 0.062)


def test_bounds_turn_the_recorded_extremes_into_zero_and_one() -> None:
    for task in TASKS.values():
        assert task.bounds is not None
        best, worst = task.bounds
        assert (best > worst) == (task.direction == "maximize")
        assert np.isfinite([best, worst]).all()
