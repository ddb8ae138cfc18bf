"""The suite `wide`: a few of many parameters matter, and every model can be evaluated."""

from __future__ import annotations

import math

import pytest

from tunesmith.bench.suites import open_suite
from tunesmith.bench.task import BenchTask

TASKS = open_suite(["wide"]).tasks()


@pytest.mark.parametrize("task", TASKS[:4], ids=lambda task: task.name)
def test_three_of_thirty_parameters_matter(task: BenchTask) -> None:
    assert task.default is not None and len(task.space) == 30
    base = task.evaluate(task.default)
    other = task.space.decode(1 - 0.999 * task.space.encode(task.space.validate(task.default))[0])
    active = [name for name in task.space.names if task.evaluate({**task.default, name: other[name]}) != base]
    assert len(active) == 3


@pytest.mark.parametrize(
    "task",
    [*TASKS[4:6], pytest.param(TASKS[6], marks=pytest.mark.slow)],
    ids=lambda task: task.name,
)
def test_a_model_repeats_its_value_at_the_default(task: BenchTask) -> None:
    assert task.default is not None and 14 <= len(task.space) <= 20
    value = task.evaluate(task.default)
    assert math.isfinite(value) and task.evaluate(task.default) == value
