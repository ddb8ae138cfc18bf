"""Our executors pass what every executor passes; so does the example package, in a run of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from fakes.plugins import PLUGINS, make_findable
from tunesmith.errors import ExecutorError
from tunesmith.registry import EXECUTORS
from tunesmith.testing.executors import SLEEP, Bench, ExecutorCases
from tunesmith.tools.execution.base import ExecutorMember, Resources, Waits
from tunesmith.tools.execution.local import LocalExecutor

TASK = """\
metric: score
direction: maximize
objective: train.py:train
space: {x: {type: float, low: 0, high: 1}}
budget: {trials: 4}
tuner: numeric
executor: one-by-one
"""


class TestLocal(ExecutorCases):
    @pytest.fixture
    def member(self) -> ExecutorMember:
        return EXECUTORS.get("local")

    def test_a_job_waits_for_memory_and_what_can_never_run_is_an_error(self, tmp_path: Path) -> None:
        machine = psutil.virtual_memory().total >> 20
        executor = LocalExecutor(2)
        bench = Bench(executor, tmp_path)
        try:
            running = bench.start(SLEEP, resources=Resources(memory_mib=machine - 100))
            waits = executor.room(Resources(memory_mib=200))
            assert waits == Waits("resources", "200 MiB of memory are needed and 100 MiB are free")
            assert executor.room(Resources(memory_mib=100)) is None
            with pytest.raises(ExecutorError, match="this machine has"):
                executor.room(Resources(memory_mib=machine + 1))
            with pytest.raises(ExecutorError, match="no GPUs"):
                executor.offer(bench.job(running.objective, resources=Resources(gpus=1)))
        finally:
            executor.close()


class TestTheExample(ExecutorCases):
    workers = 1
    bounded_log = False

    @pytest.fixture
    def member(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ExecutorMember:
        make_findable(PLUGINS / "executors", tmp_path / "packages", monkeypatch)
        return EXECUTORS.get("one-by-one")

    def test_a_task_runs_through_it(self, member: ExecutorMember, tmp_path: Path) -> None:
        (tmp_path / "task.yaml").write_text(TASK)
        (tmp_path / "train.py").write_text("def train(config, trial): return config['x']\n")
        command = [sys.executable, "-P", "-m", "tunesmith", "run", "task.yaml", "--no-model", "--quiet"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        results = sorted((tmp_path / "runs").glob("*/trials/*/result.json"))
        assert len(results) == 4 and all('"completed"' in path.read_text() for path in results)
