"""The suite `failures`: how evaluations that fail are told, and counted."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tunesmith.bench.contenders import contender
from tunesmith.bench.suites import open_suite
from tunesmith.bench.task import TrialFailed, Values
from tunesmith.bench.trace import Evaluator, Measured, Steps, optimise
from tunesmith.trial import TrialState

TASKS = {task.name: task for task in open_suite(["failures"]).tasks()}


@pytest.mark.parametrize("name", TASKS)
def test_a_share_of_every_task_fails_and_what_does_not_is_finite(name: str) -> None:
    task, ends = TASKS[name], []
    for configuration in task.space.sample(np.random.default_rng(0), 60):
        try:
            value = task.evaluate(dict(configuration))
        except TrialFailed as failure:
            ends.append(failure.state)
            continue
        ends.append(TrialState.COMPLETED if math.isfinite(value) else TrialState.DIVERGED)
    failed = sum(end.failed for end in ends)
    assert 1 <= failed <= 54
    if task.default is not None:
        assert math.isfinite(task.evaluate(task.default))


def test_a_contender_is_told_how_an_evaluation_ended() -> None:
    told: list[tuple[float, TrialState]] = []

    class Fixed(Steps):
        def ask(self) -> Values:
            return [{"batch_size": 8, "width": 32}, {"batch_size": 1024, "width": 4096}][len(told) % 2]

        def tell(self, measured: Measured) -> None:
            told.append((measured.value, measured.ended))

    trace = optimise(Fixed(), 0, 4, Evaluator(TASKS["memory_border"]))
    assert [ended for _, ended in told] == [TrialState.COMPLETED, TrialState.OUT_OF_MEMORY] * 2
    assert math.isnan(told[1][0]) and trace.fault == "", "a failure of the task's own is no fault"


def test_tunesmith_keeps_clear_of_a_memory_border_and_finds_the_best_beside_it() -> None:
    task = TASKS["memory_border"]
    values = np.array(contender("tunesmith").run(task, 0, 20, Evaluator(task)).values)
    assert np.isnan(values).sum() <= 5 and np.nanmax(values) > 0.92
