"""The suite `plateaus`: what it promises of its tasks, and what its report says."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tunesmith.bench.run import bench
from tunesmith.bench.suites import open_suite
from tunesmith.bench.suites.plateaus import CHANCE, START, VOLUME, Plateau


def test_each_task_is_flat_but_for_a_box_and_starts_outside_it() -> None:
    suite = open_suite(["plateaus"])
    tasks = suite.tasks()
    assert len(tasks) == 100 and {len(task.space) for task in tasks} == {2, 3, 4, 5, 6}
    assert {task.family for task in tasks} == {"named", "unnamed"}
    rng = np.random.default_rng(0)
    for task in tasks[:20]:
        plateau = task.evaluate
        assert isinstance(plateau, Plateau)
        share = float(np.mean(plateau.value(rng.random((4000, len(task.space)))) > CHANCE))
        assert VOLUME[0] - 0.01 <= share <= VOLUME[1] + 0.02
        assert task.default is not None
        start = [task.default, *task.initial(0)]
        assert len(start) == START + 1 and {task.evaluate(c) for c in start} == {CHANCE}
        middle = task.space.decode((plateau.low + plateau.high) / 2)
        assert task.evaluate(middle) > CHANCE


def test_a_run_ends_when_it_has_left_and_the_report_says_when(tmp_path: Path) -> None:
    outcome = bench(
        ["plateaus"], contenders=["random"], tasks=["plateau-000", "plateau-001"], jobs=1, results=tmp_path
    )
    (row,) = outcome.summary.rows
    assert row.reaching is not None and row.reaching.runs == 2
    assert START < row.reaching.median <= 61
    assert row.proposal_ms is not None
