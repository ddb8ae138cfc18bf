"""A training job small enough to run a hundred times: real files, a real function, no model to train."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

TRAIN = """
import math
import time


def train(config, trial):
    best = -(math.log10(config["lr"]) + 2.5) ** 2 - (config["width"] - 48) ** 2 / 1000
    for step in range(4):
        time.sleep({pause})
        trial.report(best - 1.0 / (step + 1), step)
        if trial.should_prune():
            break
    (trial.checkpoint_dir / "weights.txt").write_text(str(config))
    return {{"score": best, "seconds": 1.0}}


def test(config, trial):
    return {{"score": -(math.log10(config["lr"]) + 2.5) ** 2 + (trial.seed % 7) * 1e-3}}
"""

TASK = """
name: tiny
description: A job with a known optimum.
metric: score
direction: maximize
objective: {{function: "train.py:train"}}
confirm: {{function: "train.py:test", seeds: 3}}
space:
  lr: {{type: float, low: 1e-5, high: 1, scale: log}}
  width: {{type: int, low: 8, high: 128}}
default: {{lr: 1e-4, width: 16}}
budget: {{trials: {trials}, trial_time: 30}}
workers: {workers}
seed: {seed}
"""


def write_job(
    folder: Path, *, trials: int = 6, workers: int = 1, seed: int = 0, pause: float = 0.0, train: str = TRAIN
) -> Path:
    """Write train.py and task.yaml into `folder`; returns the task file."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "train.py").write_text(train.format(pause=pause) if train is TRAIN else train)
    task = folder / "task.yaml"
    task.write_text(TASK.format(trials=trials, workers=workers, seed=seed))
    return task


def environment(**extra: str) -> dict[str, str]:
    """This process's environment without anything that names a language model."""
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("OPENAI_", "TUNESMITH_", "LANGSMITH_", "LANGCHAIN_"))
    }
    return {**kept, "NO_COLOR": "1", "OMP_NUM_THREADS": "1", **extra}


def command(*arguments: object) -> list[str]:
    """The command line as a user types it."""
    return [sys.executable, "-P", "-m", "tunesmith", *map(str, arguments)]


def tunesmith(
    *arguments: object, cwd: Path, timeout_s: float = 90, **env: str
) -> subprocess.CompletedProcess[str]:
    """Run `tunesmith` to its end."""
    return subprocess.run(
        command(*arguments),
        cwd=cwd,
        env=environment(**env),
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
