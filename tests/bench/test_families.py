"""The suites of scikit-learn families: what a task says of itself is true of what it evaluates."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tunesmith.bench.suites import open_suite
from tunesmith.bench.suites.generated import data
from tunesmith.bench.task import BenchTask

TASKS = [
    task
    for suite in map(open_suite, (["development"], ["held-out"]))
    for task in suite.tasks()
    if task.name in suite.quick
]


@pytest.mark.long
@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_an_evaluation_repeats_and_depends_on_the_configuration(task: BenchTask) -> None:
    assert task.default is not None
    values = [task.evaluate(configuration) for configuration in (task.default, *task.initial(0))]
    assert task.evaluate(task.default) == values[0]
    assert all(map(math.isfinite, values)) and len(set(values)) > 1
    assert task.initial(0) == task.initial(0) != task.initial(1)


def test_the_suite_that_proves_shares_no_family_with_the_one_to_develop_on() -> None:
    developed, held = (
        {task.name.split("/")[0] for task in open_suite([name]).tasks()}
        for name in ("development", "held-out")
    )
    assert not developed & held and len(held) == 13


def test_features_are_scaled_as_a_task_says() -> None:
    spreads = {scale: data(f"cls{scale}", 0)[0].std(axis=0) for scale in ("", "unit", "raw")}
    np.testing.assert_allclose(spreads[""], 1.0)
    assert spreads["unit"].max() < 1 and spreads["raw"].max() > 10 * spreads["raw"].min()
