"""Kinds of problems: today's is `training`, and another package's fills in a task."""

from __future__ import annotations

from pathlib import Path

import pytest

from fakes.plugins import PLUGINS, make_findable
from tunesmith.api import run_task
from tunesmith.errors import InvalidConfiguration, TaskError
from tunesmith.events import TrialFinished
from tunesmith.task import Task, load_task
from tunesmith.tools.records.run_folder import RunFolder


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    make_findable(PLUGINS / "problems", tmp_path / "package", monkeypatch)
    return tmp_path / "task.yaml"


@pytest.mark.long
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


@pytest.mark.long
def test_what_a_kind_cannot_run_is_never_tried_and_what_it_costs_is_never_exceeded(path: Path):
    kind = "{name: rosenbrock, dimensions: 3, radius: 4}"
    more = "budget: {trials: 40, cost: 14}\ntuner: numeric\n"
    path.write_text(f"name: valley\nproblem: {kind}\n{more}")
    result = run_task(load_task(path), runs=path.parent / "runs", model=None)
    norms = [sum(x * x for x in t.configuration.values()) ** 0.5 for t in result.history]
    assert len(norms) > 2 and max(norms) <= 4
    assert [t.cost for t in result.history] == pytest.approx([1 + norm for norm in norms])
    assert result.spend.cost == pytest.approx(sum(norms) + len(norms)) and result.spend.cost <= 14
    # A radius that was smaller than what has been tried since makes no trial of the run illegal.
    path.write_text(path.read_text().replace("radius: 4", "radius: 3").replace("cost: 14", "cost: 18"))
    more = run_task(load_task(path), runs=path.parent / "runs", model=None)
    assert len(more.history) > len(norms)
    new = [sum(x * x for x in t.configuration.values()) ** 0.5 for t in more.history][len(norms) :]
    assert max(new) <= 3
    with pytest.raises(InvalidConfiguration, match="cannot be run: rosenbrock says so"):
        load_task(path).space.validate({"x0": 3.0, "x1": 3.0, "x2": 3.0})


ODD = """
import os
from tunesmith.problem import ProblemKind
from tunesmith.space import Int, Space

class Odd(ProblemKind):
    def compile(self, options, stated):
        return {"metric": "v", "direction": "minimize", "space": Space({"x": Int(0, 10**6)}), **stated}

    def cost(self, options, configuration):
        fault = os.environ.get("ODD", "")
        if fault == "raises":
            raise OSError("the price list is gone")
        return {"nan": float("nan"), "negative": -1.0, "a text": "5"}.get(fault, 1.0)

    def feasible(self, options, configuration):
        if os.environ.get("ODD") == "refuses":
            raise OSError("the table is gone")
        return True
"""


def test_a_faulty_kind_is_told_before_a_run_and_ends_none_under_way_with_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    package = tmp_path / "odd"
    package.mkdir()
    (package / "odd_kind.py").write_text(ODD)
    points = '[project.entry-points."tunesmith.problems"]\nodd = "odd_kind:Odd"\n'
    (package / "pyproject.toml").write_text(f'[project]\nname = "odd"\nversion = "1"\n{points}')
    make_findable(package, tmp_path / "package", monkeypatch)

    def train(config, trial):
        return config["x"]

    for fault in ("nan", "negative", "a text", "raises", "refuses"):
        monkeypatch.delenv("ODD", raising=False)
        budget = {"trials": 5, "cost": 4.0}
        task = Task(name=fault.replace(" ", "-"), problem="odd", tuner="random", budget=budget, preload=())

        def breaks(event, fault=fault):
            if isinstance(event, TrialFinished) and event.number == 1:
                monkeypatch.setenv("ODD", fault)

        if fault in ("nan", "refuses"):
            result = run_task(task, runs=tmp_path / "runs", model=None, train=train, listen=breaks)
            assert result.status == "finished" and 2 <= len(result.history) <= 4, fault
        monkeypatch.setenv("ODD", fault)
        with pytest.raises(TaskError, match="odd (says that x=.* costs .* needed|fails for x=.* is gone)"):
            Task(name="t", problem="odd")


@pytest.mark.parametrize(
    ("problem", "message"),
    [
        ("rosenbrok", r":2: problem: 'rosenbrok' is no kind of problem; did you mean 'rosenbrock'\?"),
        ("{name: rosenbrock, dimensions: 1}", ":2: problem.dimensions: should be at least 2, got 1"),
        (
            "{name: rosenbrock, dimensions: 2, bumps: 3}",
            ":2: problem.bumps: is not a key of a task file",
        ),
        ("training", "space: is missing"),
    ],
    ids=["unknown kind", "illegal setting", "unknown setting", "training states all itself"],
)
def test_a_wrong_problem_is_told_with_its_place(path: Path, problem: str, message: str):
    path.write_text(f"name: valley\nproblem: {problem}\n")
    with pytest.raises(TaskError, match=message):
        load_task(path)
