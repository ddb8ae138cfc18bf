"""A training job small enough to run a hundred times: real files, a real function, no model to train."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from unittest import mock

from typer.testing import CliRunner

from tunesmith.cli import app

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
budget: {{trials: {trials}, trial_time: 600}}
workers: {workers}
seed: {seed}
"""


def write_job(
    folder: Path,
    *,
    trials: int = 6,
    workers: int = 1,
    seed: int = 0,
    pause: float = 0.0,
    train: str = TRAIN,
    in_step: bool = False,
) -> Path:
    """Write train.py and task.yaml into `folder`; returns the task file.

    Args:
        in_step: Let trials wait for every decision, so that a model's answer has its place in the run.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "train.py").write_text(train.format(pause=pause) if train is TRAIN else train)
    task = folder / "task.yaml"
    step = "in_step: true\n" if in_step else ""
    task.write_text(TASK.format(trials=trials, workers=workers, seed=seed) + step)
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


def tunesmith(*arguments: object, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end within this process, which saves a second of imports."""
    with contextlib.chdir(cwd), mock.patch.dict(os.environ, environment(**env), clear=True):
        done = CliRunner().invoke(app, list(map(str, arguments)), catch_exceptions=False)
    return subprocess.CompletedProcess(arguments, done.exit_code, done.stdout, done.stderr)


def tunesmith_process(*arguments: object, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end in a process of its own."""
    return subprocess.run(
        command(*arguments), cwd=cwd, env=environment(**env), capture_output=True, text=True, check=False
    )


def started(*arguments: object, cwd: Path, **env: str) -> subprocess.Popen[str]:
    """Start the command in a process of its own; its output is one stream."""
    return subprocess.Popen(
        command(*arguments),
        cwd=cwd,
        env=environment(**env),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def wait_for(condition: Callable[[], bool], run: subprocess.Popen[str] | None = None) -> None:
    """Wait until something is so; how long that takes is no part of any test. Fails once `run` has ended."""
    while not condition():
        if run is not None and run.poll() is not None:
            assert condition(), f"the run ended before: {run.communicate()[0]}"
            return
        time.sleep(0.02)
