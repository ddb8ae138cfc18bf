"""What a task says about time and threads reaches the training code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fakes.tiny_job import tunesmith

TRAIN = """
import os, time

def train(config, trial):
    if trial.number == 1:
        time.sleep(3600)
    return {"threads": float(os.environ["OMP_NUM_THREADS"])}
"""
TASK = """
name: limits
metric: threads
direction: minimize
objective: train.py:train
space: {x: {type: float, low: 0, high: 1}}
budget: {trials: 3, trial_time: 2s}
threads: 3
"""


@pytest.mark.long
def test_the_time_of_a_trial_and_its_threads_are_those_of_the_task(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(TRAIN)
    (tmp_path / "task.yaml").write_text(TASK)
    done = tunesmith("run", "task.yaml", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    trials = json.loads(done.stdout)["trials"]
    assert [trial["state"] for trial in trials] == ["completed", "timed_out", "completed"]
    assert [trial["value"] for trial in trials] == [3.0, None, 3.0]
