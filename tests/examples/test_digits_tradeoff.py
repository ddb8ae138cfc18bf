"""Accuracy and number of parameters of real networks on the digits, under a limit and a budget in epochs."""

from __future__ import annotations

import itertools
import json
import os
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tunesmith.cli import app
from tunesmith.items import Items


@pytest.mark.long
def test_the_example_finds_a_front_within_its_limit_and_its_budget(examples, tmp_path, monkeypatch):
    shutil.copytree(examples / "digits_tradeoff", tmp_path / "digits_tradeoff")
    task = tmp_path / "digits_tradeoff" / "task.yaml"
    short = task.read_text().replace("seeds: 5", "seeds: 2").replace("cost: 300", "cost: 45")
    task.write_text(short)
    monkeypatch.chdir(tmp_path)
    ran = CliRunner().invoke(app, ["run", os.fspath(task), "--no-model"])
    assert ran.exit_code == 0, ran.output
    report = json.loads((tmp_path / "runs/digits_tradeoff/report.json").read_text())

    trials = {trial["number"]: trial for trial in report["trials"]}
    assert sum(trial["cost"] for trial in trials.values()) == report["used"]["cost"] <= 45
    feasible = {n for n, trial in trials.items() if trial["values"]["parameters"] <= 5000}
    best = report["best"]
    assert best["trial"] in feasible
    assert best["value"] == max(trials[n]["values"]["val_accuracy"] for n in feasible) > 0.8

    front = [(r["values"], r["trial"]) for r in report["front"] if r["on_front"]]
    assert {number for _, number in front} <= feasible
    for (one, _), (other, _) in itertools.permutations(front, 2):
        better = one["val_accuracy"] >= other["val_accuracy"], one["parameters"] <= other["parameters"]
        assert not all(better)
    # The accuracy of a trial is the mean over its images, which are kept one by one.
    stored = json.loads(Path(f"runs/digits_tradeoff/trials/{best['trial']:05d}/result.json").read_text())
    scores = Items.unpack(stored["items"]["val_accuracy"]).scores
    assert len(scores) == 500 and abs(sum(scores) / 500 - best["value"]) < 1e-6
    assert {pair["metric"] for pair in report["against"]} == {"val_accuracy", "parameters"}
    assert "parameters <= 5000" in ran.output
