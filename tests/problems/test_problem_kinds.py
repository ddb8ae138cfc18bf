"""Kinds of problems: today's is `training`, and another package's fills in a task."""

from __future__ import annotations

from pathlib import Path

import pytest

from fakes.plugins import PLUGINS, make_findable
from tunesmith.api import run_task
from tunesmith.errors import TaskError
from tunesmith.task import load_task
from tunesmith.tools.records.run_folder import RunFolder


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    make_findable(PLUGINS / "problems", tmp_path / "package", monkeypatch)
    return tmp_path / "task.yaml"


def test_a_kind_of_another_package_fills_in_the_task_and_is_run_and_continued(path: Path):
    path.write_text("name: valley\nproblem: {name: rosenbrock, dimensions: 3}\nbudget: {trials: 2}\n")
    task = load_task(path)
    assert task.space.names == ("x0", "x1", "x2") and (task.metric, task.direction) == ("value", "minimize")
    result = run_task(task, runs=path.parent / "runs", model=None)
    x0, x1, x2 = (result.best[name] for name in task.space.names)
    steps = [100 * (b - a * a) ** 2 + (1 - a) ** 2 for a, b in ((x0, x1), (x1, x2))]
    assert result.best_value == sum(steps)
    again = RunFolder.open(result.folder).task
    assert again.problem == task.problem and again.space.to_dict() == task.space.to_dict()
    path.write_text(path.read_text().replace("trials: 2", "trials: 3"))
    assert len(run_task(load_task(path), runs=path.parent / "runs", model=None).history) == 3


@pytest.mark.parametrize(
    ("problem", "message"),
    [
        ("rosenbrok", r":2: problem: 'rosenbrok' is no kind of problem; did you mean 'rosenbrock'\?"),
        ("{name: rosenbrock, dimensions: 1}", ":2: problem: rosenbrock: `dimensions` should be"),
        ("{name: rosenbrock, dimensions: 2, bumps: 3}", ":2: problem: rosenbrock has no setting 'bumps'"),
        ("training", "space: is missing"),
    ],
    ids=["unknown kind", "illegal setting", "unknown setting", "training states all itself"],
)
def test_a_wrong_problem_is_told_with_its_place(path: Path, problem: str, message: str):
    path.write_text(f"name: valley\nproblem: {problem}\n")
    with pytest.raises(TaskError, match=message):
        load_task(path)
