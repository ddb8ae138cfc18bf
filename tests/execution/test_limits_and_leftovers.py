"""Memory limits, processes that a trial leaves on purpose, and the true cause of what our own line ends."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from fakes.tiny_job import tunesmith
from tunesmith.errors import TaskError
from tunesmith.objective import Objective
from tunesmith.task import load_task
from tunesmith.text.sizes import read_size, write_size
from tunesmith.tools.execution.base import Finished
from tunesmith.tools.execution.processes import has_ended
from tunesmith.tools.records.trial_folder import LOG
from tunesmith.trial import TrialState

LEAVERS = {
    "in a session of its own": """
        done = subprocess.Popen(["sleep", "600"], start_new_session=True)
        save(done.pid)""",
    "forked twice": """
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                save(os.getpid())
                os.close(1), os.close(2)
                while True: time.sleep(1)
            os._exit(0)
        os.wait()""",
    "by a shell that has ended": """
        subprocess.run(["sh", "-c", "setsid sleep 600 > /dev/null 2>&1 & echo $! > x; mv x left"])""",
    "and its children": """
        code = "import subprocess; subprocess.run(['sleep', '600'])"
        save(subprocess.Popen([sys.executable, "-c", code], start_new_session=True).pid)""",
}


@pytest.mark.skipif(sys.platform != "linux", reason="found by /proc")
@pytest.mark.parametrize("body", LEAVERS.values(), ids=LEAVERS)
def test_what_a_trial_leaves_on_purpose_is_ended_and_told(own_bench, body: str):
    told: list[str] = []
    bench = own_bench(1, tell=told.append)
    script = bench.script(
        f"""
import os, subprocess, sys, time
def save(pid):
    open("x", "w").write(str(pid))
    os.rename("x", "left")
def train(config, trial):
    if True:{body}
    while not os.path.exists("left"): time.sleep(0.01)
    left = int(open("left").read())
    while os.getsid(left) == os.getsid(0): time.sleep(0.01)  # else it would end with the trial's session
    return 0.5
"""
    )
    job = bench.start(Objective(function=f"{script}:train", workdir=bench.root))
    assert bench.outcome(job).state is TrialState.COMPLETED
    assert has_ended(int((bench.root / "left").read_text()))
    (sentence,) = told
    assert f"trial {job.number} left" in sentence and "ended now: " in sentence
    assert "left" in (job.folder / LOG).read_text()


def test_what_one_trial_leaves_is_not_taken_from_another(own_bench):
    told: list[str] = []
    bench = own_bench(2, tell=told.append)
    long = bench.script(
        "import subprocess, time\n"
        "def train(c, t):\n"
        "    p = subprocess.Popen(['sleep', '600'], start_new_session=True)\n"
        "    t.report(0.1, 0)\n"
        "    for step in range(1, 10**6):\n"
        "        if t.should_prune(): break\n"
        "        t.report(0.1, step); time.sleep(0.01)\n"
        "    open('alive', 'w').write(str(p.poll()))\n",
        name="long.py",
    )
    first = bench.start(Objective(function=f"{long}:train", workdir=bench.root))
    bench.wait(lambda: bool(bench.reports))
    bench.outcome(bench.start("def train(c, t): return 0.5"))
    bench.outcome(first, prune=lambda report: True)
    assert (bench.root / "alive").read_text() == "None"
    assert len(told) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="found by /proc")
def test_what_a_library_starts_when_it_is_imported_was_left_by_no_trial(own_bench, tmp_path, monkeypatch):
    code = "import subprocess\nP = subprocess.Popen(['sleep', '600'])\n"
    (tmp_path / "starts_a_helper.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    told: list[str] = []
    bench = own_bench(1, ["starts_a_helper"], tell=told.append)
    script = "import starts_a_helper, os\ndef train(c, t): os.kill(starts_a_helper.P.pid, 0); return 0.5"
    for _ in range(2):
        assert bench.run(script).state is TrialState.COMPLETED
    assert told == []


GROWS = """
import time
def train(config, trial):
    kept = bytearray(b"x") * (300 << 20)
    trial.report(0.1, 0)
    time.sleep(600)
"""


def test_a_trial_beyond_its_memory_is_ended_as_out_of_memory_by_our_limit(bench):
    script = bench.script(GROWS)
    objective = Objective(function=f"{script}:train", workdir=bench.root, memory_limit=200 << 20)
    outcome = bench.outcome(bench.start(objective))
    assert outcome.state is TrialState.OUT_OF_MEMORY
    assert "the task's `trial_memory` allows 210 MB" in outcome.message
    assert outcome.peak_memory_mib > 200


def test_memory_of_all_that_a_command_starts_counts(bench):
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]])"
    inner = "b = bytearray(b'x') * (300 << 20); import time; time.sleep(600)"
    objective = Objective(command=(sys.executable, "-c", code, inner), memory_limit=200 << 20)
    assert (
        bench.outcome(bench.start(replace(objective, workdir=bench.root))).state is TrialState.OUT_OF_MEMORY
    )


def test_the_limit_of_a_task_reaches_its_trials_and_an_illegal_one_names_its_key(tmp_path: Path):
    head = "metric: accuracy\ndirection: maximize\nspace: {x: {type: float, low: 0, high: 1}}\n"
    task = head + "budget: {trials: 1}\ntuner: random\nobjective: train.py:train\ntrial_memory: 210MB\n"
    (tmp_path / "train.py").write_text(GROWS)
    (tmp_path / "task.yaml").write_text(task)
    tunesmith("run", "task.yaml", "--no-model", "-q", cwd=tmp_path)
    assert '"out_of_memory"' in next(tmp_path.rglob("trials/00000/result.json")).read_text()
    for illegal in ("2", "GB", "-1GB", "0.1KB", "2 parsecs", "nanGB", "[1]"):
        (tmp_path / "task.yaml").write_text(task.replace("210MB", illegal))
        with pytest.raises(TaskError) as fault:
            load_task(tmp_path / "task.yaml")
        assert (fault.value.key, fault.value.line) == ("trial_memory", 7), illegal


@pytest.mark.parametrize(
    ("text", "size"), [("2GB", 2 * 10**9), ("1.5 GiB", 3 * 2**29), ("800mb", 8 * 10**8), ("2G", 2**31)]
)
def test_sizes_read_as_they_are_written(text: str, size: int):
    assert read_size(text) == size


def test_sizes_are_written_for_people():
    assert [write_size(size) for size in (12, 2e9, 1.5e6)] == ["12 bytes", "2 GB", "1.5 MB"]


def test_training_code_that_closes_our_line_is_told_so(bench):
    outcome = bench.run("import os\ndef train(c, t):\n    os.closerange(3, 256)\n    t.report(0.5, 0)")
    assert outcome.state is TrialState.CRASHED
    assert "has closed the connection to Tunesmith" in outcome.message


def test_a_line_that_is_closed_from_our_side_is_named_as_the_cause(own_bench):
    bench = own_bench(1)
    job = bench.start("import time\ndef train(c, t): t.report(0.1, 0); time.sleep(600)")
    bench.wait(lambda: bool(bench.reports))
    connection = bench.executor._running[job.number].connection
    bench.executor._selector.unregister(connection)
    connection.shutdown(2)
    bench.wait(lambda: any(isinstance(event, Finished) for event in bench.finished))
    assert "its line to Tunesmith was closed" in bench.finished[0].outcome.message


def test_a_broken_pipe_is_named(bench):
    outcome = bench.run("import os, signal\ndef train(c, t): os.kill(os.getpid(), signal.SIGPIPE); return 1")
    restored = bench.run(
        "import os, signal\ndef train(c, t):\n"
        "    signal.signal(signal.SIGPIPE, signal.SIG_DFL)\n    os.kill(os.getpid(), signal.SIGPIPE)"
    )
    assert outcome.state is TrialState.COMPLETED
    assert "whose reader had ended" in restored.message
