"""An ordinary script, run as the engine runs it: by its command, its metrics read from JSON lines."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tunesmith.task import load_task


@pytest.fixture(scope="module")
def folder(examples):
    return examples / "command_line"


def printed(folder, command, values, seed=3):
    """The JSON lines that `command` prints for a configuration."""
    filled = [part.format(seed=seed, **values) for part in command]
    assert filled[0] == "python"
    done = subprocess.run([sys.executable, *filled[1:]], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.long
def test_the_search_prints_a_line_a_fold_and_the_result(folder):
    task = load_task(folder / "task.yaml")
    *folds, result = printed(folder, task.objective_ref().command, {**task.default, "n_estimators": 20})
    assert [line["step"] for line in folds] == [0, 1, 2, 3, 4]
    assert result["rmse"] == pytest.approx(folds[-1]["rmse"])
    assert 50 < result["rmse"] < 75
    assert task.direction == "minimize"


@pytest.mark.slow
def test_the_comparison_prints_the_error_on_the_test_patients(folder):
    task = load_task(folder / "task.yaml")
    command, values = task.confirm_ref().command, {**task.default, "subsample": 0.5}
    ((first,), (again,), (other,)) = (printed(folder, command, values, seed=seed) for seed in (1, 1, 2))
    assert set(first) == {task.confirm.metric}
    assert first == again != other


@pytest.mark.long
def test_the_default_is_that_of_the_script_itself(folder):
    task = load_task(folder / "task.yaml")
    command = ["python", "fit.py", "--test"]
    assert printed(folder, command, {}) == printed(folder, task.confirm_ref().command, task.default, seed=0)
