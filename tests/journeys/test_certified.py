"""A run that delivers the cheapest configuration of those whose quality is surely high enough."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tunesmith.api import Result, run_task
from tunesmith.api.winner import find_winner
from tunesmith.task import load_task
from tunesmith.tools.records.run_folder import RunFolder

SCRIPT = """
import random

def scores(config, n, seed):
    draw = random.Random(seed)  # the same items for every configuration
    chance = min(0.99, 0.5 + config["x"] / 20)
    return [float(draw.random() < chance) for _ in range(n)]

def train(config, trial):
    seen = scores(config, 80, 1)
    trial.report_items(seen, "quality")
    return {"cost": float(config["x"]), "quality": sum(seen) / 80}

def test(config, trial):
    assert trial.number < 0
    seen = scores(config, {n}, 2)
    trial.report_items(seen, "quality")
    return {"cost": float(config["x"]), "quality": sum(seen) / len(seen)}
"""
TASK = """
name: job
metric: cost
direction: minimize
limits: {quality: ">= 0.8"}
certify: {metric: quality, at_least: 0.8}
objective: job.py:train
space: {x: {type: int, low: 0, high: 10}}
default: {x: 10}
tuner: random
preload: []
budget: {trials: 11}
confirm: {function: "job.py:test", seeds: 1, most: 1}
"""


@pytest.fixture
def run(tmp_path: Path) -> Any:
    def start(n: int, **edits: str) -> Result:
        (tmp_path / "job.py").write_text(SCRIPT.replace("{n}", str(n)))
        text = TASK
        for old, new in edits.items():
            text = text.replace(f"{old}:", f"{old}: {new} #")
        (tmp_path / "task.yaml").write_text(text)
        return run_task(load_task(tmp_path / "task.yaml"), runs=tmp_path / "runs", model=None)

    return start


@pytest.mark.long
def test_the_cheapest_certified_configuration_is_delivered_everywhere(run: Any, tmp_path: Path) -> None:
    result = run(300)
    found = result.certificate
    assert found is not None and found.certified is not None and result.status == "finished"
    certified = next(t for t in result.history.completed if t.number == found.certified)
    cheapest = result.best_trial
    assert 6 <= certified.configuration["x"] < 10, "dearer than what only looks good enough"
    assert cheapest.value < certified.value == certified.configuration["x"]
    assert result.recommended == certified.configuration
    assert result.recommendation.text(result.history).endswith(
        "It is the best certified to keep quality >= 0.8"
    )
    data = json.loads((result.folder / "certify.json").read_text())
    assert data["sentence"] == found.sentence and data["certified"] == certified.number
    costs = [one["primary"] for one in data["tested"]]
    assert costs == sorted(costs, reverse=True)
    assert json.loads((result.folder / "report.json").read_text())["certified"] == found.sentence
    assert found.sentence.partition(":")[0] in (result.folder / "report.md").read_text()
    winner = find_winner(result.folder)
    assert winner.trial == certified.number and "certified to keep quality >= 0.8" in winner.why
    assert json.loads((result.folder / "confirm.json").read_text())["trial"] == certified.number

    # The same command has nothing left to do, and says the same; another bound is certified anew.
    jobs = sorted((result.folder / "confirm").iterdir())
    again = run(300)
    assert again.certificate == found and again.recommended == result.recommended
    assert sorted((result.folder / "confirm").iterdir()) == jobs
    stricter = run(300, certify="{metric: quality, at_least: 0.9}")
    assert stricter.certificate.limit.bound == 0.9 and stricter.certificate != found
    assert len(RunFolder.open(result.folder).trial_numbers()) == 11


@pytest.mark.long
def test_with_too_few_items_nothing_is_certified_and_the_safest_is_named(run: Any, tmp_path: Path) -> None:
    result = run(8)
    found = result.certificate
    assert found.certified is None and found.safest is not None
    assert "Nothing is certified to keep quality >= 0.8 with 95 % confidence" in found.sentence
    assert f"The safest by the search is trial {found.safest}" in found.sentence
    assert result.recommendation.trial == found.safest
    assert "Nothing is certified" in result.recommendation.text(result.history) or (
        result.recommendation.trial == result.best_trial.number
    )
    command = [sys.executable, "-P", "-m", "tunesmith", "best", str(result.folder)]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "not certified to keep quality >= 0.8" in told.stderr
