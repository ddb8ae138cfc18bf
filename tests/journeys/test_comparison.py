"""The comparison at the end of a whole run: the code, metric and seeds that its task promises."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tunesmith.api import Result, run_task
from tunesmith.task import load_task
from tunesmith.tools.records.run_folder import RunFolder

SCRIPT = """
from pathlib import Path

def train(config, trial):
    return {"score": config["x"]}

def test(config, trial):
    noted = Path(__file__).with_name("trained.txt")
    with noted.open("a") as file:
        print(config["x"], trial.seed, file=file)
    return {"score": -1.0, "test_score": 2 * config["x"] + trial.seed % 100}

def deaf(config, trial):
    return {"test_score": config["x"]}

def several(config, trial):
    trial.report_items([config["x"] / 40, 0.5, 1.0])
    return {"score": config["x"] / 40, "ms": 2.0 * config["x"], "size": 1.0}

def lacking(config, trial):
    trial.report_items([config["x"] / 40 + trial.seed % 7 / 100, 0.5, 1.0])
    return {"ms": 2.0 * config["x"]}
"""
TASK = """
name: job
metric: score
direction: maximize
objective: job.py:train
space: {{x: {{type: int, low: 0, high: 40}}}}
default: {{x: 3}}
budget: {{trials: {trials}}}
confirm: {{function: "job.py:{function}", metric: test_score, seeds: {seeds}}}
"""


@pytest.fixture
def compare(tmp_path: Path) -> Any:
    (tmp_path / "job.py").write_text(SCRIPT)

    def run(trials: int = 4, seeds: int = 3, function: str = "test") -> tuple[Result, dict[str, Any]]:
        (tmp_path / "task.yaml").write_text(TASK.format(trials=trials, seeds=seeds, function=function))
        result = run_task(load_task(tmp_path / "task.yaml"), runs=tmp_path / "runs", model=None)
        return result, json.loads((result.folder / "confirm.json").read_text())

    return run


def trained(folder: Path) -> list[tuple[int, int]]:
    """(x, seed) of every training of `test`, in order."""
    lines = (folder / "trained.txt").read_text().splitlines()
    return [(int(x), int(seed)) for x, seed in (line.split() for line in lines)]


def test_both_are_trained_by_the_comparisons_own_code_and_metric_on_the_same_fresh_seeds(
    compare: Any, tmp_path: Path
) -> None:
    result, found = compare()
    best = result.best["x"]
    assert best != 3
    assert found["metric"] == "test_score" and len(set(found["seeds"])) == 3
    assert found["best"] == [2 * best + seed % 100 for seed in found["seeds"]]
    assert found["default"] == [6 + seed % 100 for seed in found["seeds"]]
    assert sorted(trained(tmp_path)) == sorted((x, seed) for seed in found["seeds"] for x in (3, best))
    run = RunFolder.open(result.folder)
    searched = {run.read_config(number).seed for number in run.trial_numbers()}  # type: ignore[union-attr]
    assert len(searched) == 4 and not searched & set(found["seeds"])
    assert len(result.history) == 4, "a comparison is no trial"


def test_a_training_that_does_not_listen_to_its_seed_is_called_out(compare: Any) -> None:
    result, found = compare(function="deaf")
    assert "no noise was measured" in result.verdict and "no noise was measured" in found["note"]


def test_what_a_finished_run_says_follows_its_task(tmp_path: Path) -> None:
    """Its budget is used; then comparison, default and space are changed, one after the other."""
    (tmp_path / "job.py").write_text(SCRIPT)
    path = tmp_path / "task.yaml"

    def run(old: str = "", new: str = "") -> tuple[Result, dict[str, Any]]:
        path.write_text(path.read_text().replace(old, new))
        result = run_task(load_task(path), runs=tmp_path / "runs", model=None)
        assert result.reason == "the budget of 4 trials is used" and len(result.history.every) == 4
        return result, json.loads((result.folder / "report.json").read_text())

    path.write_text(TASK.format(trials=4, seeds=3, function="test").partition("confirm:")[0])
    first, _ = run()
    assert "asks for no comparison" in first.verdict
    best = first.best["x"]
    result, said = run("budget:", 'confirm: {function: "job.py:test", metric: test_score, seeds: 3}\nbudget:')
    assert "mean test_score" in result.verdict and said["comparison"]["trial"] == first.best_trial.number
    before = len(trained(tmp_path))

    result, said = run("default: {x: 3}", "default: {x: 2}")
    assert {x for x, _ in trained(tmp_path)[before:]} == {2}, "the best was trained already"
    assert said["comparison"]["pairs"][0]["gain"] == 2 * (best - 2)
    before = len(trained(tmp_path))
    assert run()[0].verdict == result.verdict and len(trained(tmp_path)) == before

    result, said = run("high: 40", f"high: {best - 1}")
    assert result.recommended == result.best and result.best["x"] < best
    assert said["best"]["configuration"] == {"x": result.best["x"]}
    compared = result.best["x"] != 2
    assert (said["comparison"] is not None) == compared and result.verdict.startswith("Not") == (not compared)
    assert "the default configuration is itself the best" in said["not_compared"] or compared


def test_every_metric_limit_and_item_is_compared_as_far_as_the_comparisons_code_reports_it(
    tmp_path: Path,
) -> None:
    (tmp_path / "job.py").write_text(SCRIPT)
    task = TASK.format(trials=6, seeds=3, function="lacking").replace("job.py:train", "job.py:several")
    task = task.replace("metric: score\ndirection: maximize", "metrics: {score: maximize, ms: minimize}")
    task = task.replace("metric: test_score, ", "") + "limits: {ms: '<= 90', size: '<= 5'}\n"
    (tmp_path / "task.yaml").write_text(task)
    result = run_task(load_task(tmp_path / "task.yaml"), runs=tmp_path / "runs", model=None)
    found = json.loads((result.folder / "confirm.json").read_text())
    assert all(value is not None for value in (*found["best"], *found["default"]))
    ms, size = found["further"]["metrics"]
    x = ms["best"][0] / 2
    assert ms["default"] == [6.0] * 3 and 3 < x <= 40 and size["comparison"] is None
    assert found["further"]["limits"][0]["best"] == 3
    assert "ms worse by" in result.verdict and "size not measured" in result.verdict
    assert "keeps ms <= 90 on 3 of 3 seeds" in result.verdict
    assert "over the same 3 items: +" in result.verdict
    written = json.loads((result.folder / "report.json").read_text())
    assert written["comparison"]["beside"] in result.verdict
    assert [line["against"][:11] for line in written["items"]][0] == "the default"

    (tmp_path / "task.yaml").write_text(task.replace("<= 90", "<= 92"))
    again = run_task(load_task(tmp_path / "task.yaml"), runs=tmp_path / "runs", model=None)
    assert "keeps ms <= 92 on 3 of 3 seeds" in again.verdict, "the limits of now, by the same trainings"
