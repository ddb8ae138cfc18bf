"""The argument vector, folder and environment of a command, as a trial uses them."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from tunesmith.argv import arguments
from tunesmith.tools.execution.job import Job
from tunesmith.tools.execution.starting import prefix_of, search_path, started


@dataclass(frozen=True)
class CommandLaunch:
    """How a trial starts a command; its stdin is empty and its stdout is read for metrics."""

    argv: tuple[str, ...]
    cwd: Path
    environment: dict[str, str]
    left_out: tuple[str, ...]
    """Parameters of placeholders without a value, inactive in this configuration; left out of `argv`."""


def command_launch(job: Job, checkpoints: Path) -> CommandLaunch:
    """What a trial of a command starts. Called in the trial's own process, and by `tunesmith check`."""
    assert job.objective.command is not None
    config = json.dumps(dict(job.configuration))
    reserved = {"config": config, "seed": job.seed, "checkpoint_dir": str(checkpoints)}
    vector, missing = arguments(job.objective.command, {**reserved, **job.configuration})
    python = job.objective.python or sys.executable
    environment = dict(os.environ) | {
        "TUNESMITH_CONFIG": config,
        "TUNESMITH_SEED": str(job.seed),
        "TUNESMITH_CHECKPOINT_DIR": str(checkpoints),
        "TUNESMITH_TRIAL": str(job.number),
        "TUNESMITH_PYTHON": python,
        "PATH": search_path(os.environ, python),
        "PYTHONUNBUFFERED": "1",  # or reports would wait in a buffer until the end
    }
    if (prefix := prefix_of(python)) is not None and environment.get("VIRTUAL_ENV", prefix) != prefix:
        environment["VIRTUAL_ENV"] = prefix
    vector = started(vector, job.workdir, python)
    return CommandLaunch(tuple(vector), job.workdir, environment, tuple(missing))
