"""The command as a person uses it: real processes, a store on disk, interruption and resumption."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from fakes.tiny_job import environment, tunesmith, write_job
from tunesmith.bench.run import bench
from tunesmith.bench.store import Run, Store

COMMAND = [sys.executable, "-P", "-m", "tunesmith", "bench"]
TINY: dict[str, Any] = {"tasks": ["branin", "branching"], "seeds": 2, "evaluations": 5, "jobs": 2}


def call(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return tunesmith("bench", *arguments, cwd=folder)


def stored(results: Path, suite: str = "analytic") -> list[Run]:
    return Store(results / suite).load()


@pytest.mark.slow
def test_a_second_call_runs_nothing_and_a_new_contender_costs_only_its_own_runs(tmp_path: Path) -> None:
    outcome = bench(["analytic"], contenders=["random", "tunesmith"], results=tmp_path, **TINY)
    assert outcome.failures == ()
    assert outcome.summary.missing == 0
    first = stored(tmp_path)
    assert len(first) == 8
    assert all(len(run.values) == 5 and run.date and run.versions["optuna"] for run in first)
    bench(["analytic"], contenders=["random", "tunesmith"], results=tmp_path, **TINY)
    assert stored(tmp_path) == first
    outcome = bench(["analytic"], contenders=["tpe+default"], results=tmp_path, **TINY)
    assert stored(tmp_path)[:8] == first
    assert len(stored(tmp_path)) == 12
    assert [row.label for row in outcome.summary.rows] == ["tunesmith", "tpe+default", "random"]


@pytest.mark.slow
def test_the_number_of_processes_changes_nothing_of_the_runs(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for results, jobs in ((one, 1), (two, 2)):
        bench(["analytic"], contenders=["tunesmith", "tpe"], results=results, **{**TINY, "jobs": jobs})
    assert {run.key: run.values for run in stored(one)} == {run.key: run.values for run in stored(two)}


def test_fresh_forgets_one_contender_and_a_name_that_nobody_has_is_refused(tmp_path: Path) -> None:
    options = {**TINY, "tasks": ["branin"], "jobs": 1}
    bench(["analytic"], contenders=["random", "tpe"], results=tmp_path, **options)
    before = {run.key: run.date for run in stored(tmp_path) if run.contender == "random"}
    outcome = bench(["analytic"], contenders=["tpe"], report=True, fresh=["tpe"], results=tmp_path, **options)
    assert outcome.summary.missing == 2
    assert {run.key: run.date for run in stored(tmp_path)} == before
    done = call("analytic", "--fresh", "nobody", "--report", "--results", str(tmp_path), folder=tmp_path)
    assert done.returncode == 2
    assert "there is no contender 'nobody'" in done.stderr


@pytest.mark.slow
def test_ctrl_c_keeps_finished_runs_and_the_command_goes_on(tmp_path: Path) -> None:
    arguments = ["analytic", "--contenders", "tunesmith", "--tasks", "hartmann", "--evaluations", "12"]
    arguments += ["--jobs", "2", "--results", "kept", "--seeds"]
    process = subprocess.Popen(
        [*COMMAND, *arguments, "5000"],  # far more than can end before the signal comes
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    path = tmp_path / "kept/analytic/runs.jsonl"
    while not (path.exists() and path.read_bytes().count(b"\n") >= 2):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate()
    assert process.returncode == 130
    assert "interrupted" in errors
    kept = stored(tmp_path / "kept")
    seeds = max(run.seed for run in kept) + 2
    assert 2 <= len(kept) < seeds < 5000
    done = call(*arguments, str(seeds), folder=tmp_path)
    assert done.returncode == 0, done.stderr
    after = stored(tmp_path / "kept")
    assert after[: len(kept)] == kept
    assert sorted(run.seed for run in after) == list(range(seeds))


def test_a_time_limit_starts_no_further_run_and_says_how_many_are_missing(tmp_path: Path) -> None:
    done = call("analytic", "--tasks", "branin", "--seconds", "0", "--results", "r", folder=tmp_path)
    assert done.returncode == 0
    assert "55 runs are missing" in done.stdout
    assert not (tmp_path / "r/analytic/runs.jsonl").exists()


def test_the_report_of_llambos_tasks_runs_nothing_and_needs_no_stored_run(tmp_path: Path) -> None:
    done = call("llambo20", "--report", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    table = done.stdout.partition("ratio: paired")[0].splitlines()
    figures = {label: rest.split()[:3] for label, _, rest in (line.partition("  ") for line in table)}
    assert figures["SMAC, recorded"] == ["0.1120", "0.0620", "0.0390"]
    assert figures["LLAMBO with GPT-3.5, recorded runs"] == ["0.0717", "0.0469", "0.0810"]
    assert "\x1b" not in done.stdout
    assert (tmp_path / "benchmarks/llambo20/report.html").exists()


BROKEN = """
import os
import optuna

class Dies(optuna.samplers.RandomSampler):
    def sample_independent(self, study, trial, name, distribution):
        os._exit(7)

class Raises(optuna.samplers.RandomSampler):
    def sample_independent(self, study, trial, name, distribution):
        raise RuntimeError("of the sampler's own")
"""


@pytest.mark.long
def test_a_contender_that_breaks_costs_only_its_own_runs(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text(BROKEN)
    arguments = ["analytic", "--contenders", "broken:Dies,broken:Raises,random", "--tasks", "branin"]
    done = call(*arguments, "--seeds", "1", "--evaluations", "3", "--jobs", "2", folder=tmp_path)
    assert done.returncode == 1
    assert "broken:Dies on branin, seed 0: its process ended with status 7, twice" in done.stderr
    assert "broken:Raises on branin, seed 0: RuntimeError: of the sampler's own" in done.stderr
    assert [run.contender for run in stored(tmp_path / "benchmarks")] == ["random"]


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["nothing"], "'nothing' is no suite; there are llambo20, analytic, torch"),
        (["analytc"], "'analytc' is no suite (did you mean 'analytic'?); there are llambo20"),
        (["analytic", "--contenders", "foo"], "there is no contender 'foo'; there are tunesmith"),
        (["analytic", "--contenders", "tunsmith"], "contender 'tunsmith' (did you mean 'tunesmith'?)"),
        (["analytic", "--tasks", "foo*"], "no task of analytic fits 'foo*'"),
        (["no.yaml"], "no.yaml"),
        (["analytic", "--seeds", "0"], "seeds"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_wrong_input_is_told_in_a_sentence(tmp_path: Path, arguments: list[str], words: str) -> None:
    done = call(*arguments, folder=tmp_path)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.long
def test_a_users_own_task_is_a_suite_with_its_limits(tmp_path: Path) -> None:
    task = write_job(tmp_path / "job", trials=4)
    task.write_text(task.read_text() + 'limits: {seconds: "<= 2"}\n')
    arguments = [str(task), "--contenders", "tunesmith,random", "--seeds", "1", "--jobs", "1"]
    done = call(*arguments, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    runs = stored(tmp_path / "benchmarks", "own")
    assert {run.contender for run in runs} == {"tunesmith", "random"}
    ours = next(run for run in runs if run.contender == "tunesmith")
    # The default first: lr 1e-4, width 16.
    assert ours.values[0] == pytest.approx(-((-4 + 2.5) ** 2) - (16 - 48) ** 2 / 1000)
    assert None not in ours.values
    assert ours.metrics["seconds"] == (1.0,) * 4 and len(ours.winners) == 1
    assert "No winner of 2 runs breaks a limit." in done.stdout
    (tmp_path / "job/train.py").write_text((tmp_path / "job/train.py").read_text() + "\n# changed\n")
    done = call(*arguments, "--report", folder=tmp_path)
    assert "2 runs are missing" in done.stdout
    assert "earlier" in done.stdout


@pytest.mark.long
def test_no_worker_outlives_the_bench(tmp_path: Path) -> None:
    arguments = [
        "analytic",
        "--contenders",
        "tunesmith",
        "--tasks",
        "branin",
        "--jobs",
        "1",
        "--evaluations",
        "9",
    ]
    process = subprocess.Popen(
        [*COMMAND, *arguments], cwd=tmp_path, env=environment(), stderr=subprocess.DEVNULL
    )
    path = tmp_path / "benchmarks/analytic/runs.jsonl"
    while not path.exists():
        time.sleep(0.01)
    import psutil

    (worker,) = psutil.Process(process.pid).children()
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    worker.wait()
    assert not worker.is_running()


def test_the_json_document_comes_alone_on_stdout(tmp_path: Path) -> None:
    arguments = [
        "analytic",
        "--contenders",
        "random",
        "--tasks",
        "branin",
        "--seeds",
        "1",
        "--evaluations",
        "2",
    ]
    done = call(*arguments, "--jobs", "1", "--json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["suite"] == "analytic"
    assert [row["label"] for row in document["rows"]] == ["random"]
    assert json.loads((tmp_path / "benchmarks/analytic/partial/summary.json").read_text()) == document


def test_own_tasks_of_one_name_are_refused(tmp_path: Path) -> None:
    tasks = [write_job(tmp_path / name, trials=4) for name in ("a", "b")]
    done = call(*map(str, tasks), folder=tmp_path)
    assert done.returncode == 2
    assert "two task files have the name 'tiny'" in done.stderr
