"""Tables of results as tasks: a user's CSV file, and YAHPO's surrogates where they are at hand."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from fakes.tiny_job import tunesmith
from tunesmith.bench.run import bench
from tunesmith.bench.store import Store
from tunesmith.bench.suites import open_suite
from tunesmith.bench.task import BenchTask, SuiteOptions
from tunesmith.errors import UsageError

YAHPO = Path(os.environ.get("TUNESMITH_YAHPO", "../shared/data/yahpo"))
"""The folder of `tunesmith bench tables --path`, which is no part of the repository."""

TASK = """
metric: accuracy
direction: maximize
model: small CNN, SGD
space:
  lr: {type: float, low: 0.0001, high: 1.0, scale: log}
  optimizer: {type: categorical, choices: [adam, sgd]}
default: {lr: 0.01, optimizer: adam}
objective: {command: [python, train.py, "{config}"]}
"""


def write_runs(path: Path) -> Path:
    """lr by optimizer, 13 by 2 runs; the best is sgd at lr 0.1; one run has no accuracy; a double line."""
    lines = ["lr,optimizer,note,accuracy"]
    for i, lr in enumerate(np.logspace(-4, 0, 13)):
        for optimizer, best in (("adam", -3.0), ("sgd", -1.0)):
            value = 0.9 - 0.1 * abs(np.log10(lr) - best) - (0.1 if optimizer == "adam" else 0.0)
            lines.append(f"{float(lr)!r},{optimizer},same,{'' if i == 12 and optimizer == 'adam' else value}")
    lines.append(lines[1])
    path.write_text("\n".join(lines) + "\n")
    return path


def table(path: Path, **options: str) -> BenchTask:
    (task,) = open_suite(["tables"], SuiteOptions(path=str(path), **options)).tasks()
    return task


def test_columns_become_parameters_and_a_configuration_has_the_value_of_its_nearest_run(
    tmp_path: Path,
) -> None:
    task = table(write_runs(tmp_path / "runs.csv"), metric="accuracy", direction="maximize")
    assert task.space.to_dict()["lr"] == {"type": "float", "low": 1e-4, "high": 1.0, "scale": "log"}
    assert list(task.space.names) == ["lr", "optimizer"]  # `note` never varies
    assert task.evaluate({"lr": 0.12, "optimizer": "sgd"}) == pytest.approx(0.9)
    assert task.evaluate({"lr": 0.0013, "optimizer": "adam"}) == pytest.approx(0.8)
    assert np.isnan(task.evaluate({"lr": 1.0, "optimizer": "adam"}))
    assert task.bounds is not None and task.bounds[0] == pytest.approx(0.9)
    assert task.default is None


def test_a_task_file_gives_the_space_and_leaves_out_runs_that_are_not_in_it(tmp_path: Path) -> None:
    (tmp_path / "task.yaml").write_text(TASK.replace("0.0001", "0.001"))
    task = table(write_runs(tmp_path / "runs.csv"), task=str(tmp_path / "task.yaml"))
    assert task.default == {"lr": 0.01, "optimizer": "adam"}
    assert "small CNN, SGD" in task.words
    assert "left out" in task.family
    assert task.evaluate({"lr": 0.001, "optimizer": "adam"}) == pytest.approx(0.8)


def test_the_command_runs_a_contender_on_a_csv_file(tmp_path: Path) -> None:
    write_runs(tmp_path / "runs.csv")
    arguments = ["tables", "--path", "runs.csv", "--metric", "accuracy", "--direction", "maximize"]
    arguments += ["--contenders", "random", "--seeds", "1", "--evaluations", "8", "--jobs", "1"]
    done = tunesmith("bench", *arguments, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (run,) = Store(tmp_path / "benchmarks/tables").load()
    task = table(tmp_path / "runs.csv", metric="accuracy", direction="maximize")
    first = [task.evaluate(configuration) for configuration in task.initial(0)]
    assert run.array(5) == pytest.approx(np.array(first), nan_ok=True)
    assert len(run.values) == 8


@pytest.mark.parametrize(
    "options, words",
    [
        ({}, "needs --metric COLUMN and --direction"),
        ({"metric": "loss", "direction": "minimize"}, "no column 'loss'; there are lr, optimizer"),
        ({"metric": "accuracy", "direction": "up"}, "minimize or maximize, not 'up'"),
        ({"metric": "accuracy", "direction": "maximize", "split": "report"}, "a CSV file is one task"),
    ],
    ids=["no metric", "no such column", "no direction", "split"],
)
def test_what_is_missing_is_told(tmp_path: Path, options: dict[str, str], words: str) -> None:
    with pytest.raises(UsageError, match=words.replace("(", "\\(")):
        table(write_runs(tmp_path / "runs.csv"), **options)


def test_damaged_files_are_refused_by_line(tmp_path: Path) -> None:
    path = write_runs(tmp_path / "runs.csv")
    path.write_text(path.read_text() + "0.1,adam\n")
    with pytest.raises(UsageError, match="line 29: 2 cells for 4 columns"):
        table(path, metric="accuracy", direction="maximize")
    with pytest.raises(UsageError, match="no file or folder"):
        table(tmp_path / "none.csv")
    with pytest.raises(UsageError, match="needs --path"):
        open_suite(["tables"])
    with pytest.raises(UsageError, match="belong to tables"):
        open_suite(["analytic"], SuiteOptions(path="x"))


def test_a_folder_without_yahpos_files_is_told_which_is_missing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="instance_target_statistics.csv is missing"):
        open_suite(["tables"], SuiteOptions(path=str(tmp_path))).tasks()


@pytest.mark.skipif(not YAHPO.is_dir(), reason="no folder of surrogates: TUNESMITH_YAHPO")
def test_yahpos_surrogates_are_tasks_in_two_disjoint_splits(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    split = {
        name: open_suite(["tables"], SuiteOptions(path=str(YAHPO), split=name)).tasks()
        for name in ("development", "report", "all")
    }
    names = {name: {task.name for task in tasks} for name, tasks in split.items()}
    assert not names["development"] & names["report"]
    assert names["development"] | names["report"] == names["all"] and len(names["all"]) == 34 + 117
    for task in (split["development"][0], split["report"][-1]):
        assert task.default is not None and task.bounds is not None
        value = task.evaluate(task.default)
        assert task.bounds[1] < value <= task.bounds[0]
    with pytest.raises(UsageError, match="no split 'half'"):
        open_suite(["tables"], SuiteOptions(path=str(YAHPO), split="half")).tasks()
    options = SuiteOptions(path=str(YAHPO))
    tasks = [split["development"][0].name]
    outcome = bench(
        ["tables"], options=options, contenders=["random"], tasks=tasks, seeds=1, evaluations=6, jobs=1,
        results=tmp_path,
    )  # fmt: skip
    assert outcome.failures == () and outcome.summary.missing == 0
