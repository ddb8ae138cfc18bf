from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tunesmith.errors import ExecutorError
from tunesmith.testing.executors import wait_for
from tunesmith.tools.execution.base import Resources
from tunesmith.tools.execution.local import LocalExecutor
from tunesmith.trial import Outcome, TrialState

FAMILY = """
import os, signal, subprocess, sys, time
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
SLEEP = [sys.executable, "-c", DEAF]
def train(config, trial):
    same = subprocess.Popen(SLEEP)
    other_group = subprocess.Popen(SLEEP, process_group=0)
    forked = os.fork() or time.sleep(600)
    (trial.folder / "pids.tmp").write_text(f"{os.getpid()} {same.pid} {other_group.pid} {forked}")
    (trial.folder / "pids.tmp").rename(trial.folder / "pids")
    {then}
"""


def pids_in(folder: Path) -> list[int]:
    wait_for((folder / "pids").exists, "the trial did not start")
    return [int(pid) for pid in (folder / "pids").read_text().split()]


def alive(pids: list[int]) -> list[int]:
    return [p for p in pids if psutil.pid_exists(p) and psutil.Process(p).status() != psutil.STATUS_ZOMBIE]


def assert_gone(pids: list[int]) -> None:
    wait_for(lambda: not alive(pids), "something still runs")


def test_a_kill_ends_the_whole_session_also_who_ignores_sigterm(bench):
    job = bench.start(bench.script(FAMILY.replace("{then}", "time.sleep(600)")))
    pids = pids_in(job.folder)
    assert len(alive(pids)) == 4
    bench.executor.kill(job.number, Outcome(state=TrialState.LOST, message="a person stopped it"))
    outcome = bench.outcome(job)
    assert (outcome.state, outcome.message) == (TrialState.LOST, "a person stopped it")
    assert_gone(pids)


def test_a_kill_ends_a_trial_that_ignores_sigterm_after_its_grace(bench):
    deaf = "signal.signal(signal.SIGTERM, signal.SIG_IGN); t.report(1, 1); time.sleep(600)"
    job = bench.start(bench.script(f"import signal, time\ndef train(c, t): {deaf}"))
    bench.wait(lambda: bool(bench.reports))
    began = time.monotonic()
    bench.executor.kill(job.number, Outcome(state=TrialState.LOST))
    assert bench.outcome(job).curve == ((1, 1.0),)
    assert time.monotonic() - began > 1.5


@pytest.mark.parametrize(
    "then", ["return 0.5", "os.kill(os.getpid(), signal.SIGSEGV)"], ids=["return", "crash"]
)
def test_what_a_trial_leaves_behind_is_ended_with_it(bench, then):
    job = bench.start(bench.script(FAMILY.replace("{then}", then)))
    bench.outcome(job)
    assert_gone(pids_in(job.folder))


def test_a_result_that_is_there_already_survives_a_kill(bench):
    job = bench.start(
        bench.script(
            """
            import atexit, time
            def train(config, trial):
                atexit.register(time.sleep, 30)
                return 0.5
            """
        )
    )
    wait_for((job.folder / "result.json").exists)
    bench.executor.kill(job.number, Outcome(state=TrialState.LOST))
    assert bench.outcome(job).state is TrialState.COMPLETED


def test_exit_handlers_run_and_threads_left_over_are_not_waited_for(bench):
    job = bench.start(
        bench.script(
            """
            import atexit, threading, time
            def train(config, trial):
                atexit.register((trial.folder / "goodbye").write_text, "x")
                threading.Thread(target=time.sleep, args=(60,)).start()
                return 0.5
            """
        )
    )
    assert bench.outcome(job).state is TrialState.COMPLETED
    assert (job.folder / "goodbye").exists()


def test_stdin_is_empty_and_numerical_threads_are_capped(bench):
    job = bench.start(
        bench.script(
            """
            import os, sys
            def train(config, trial):
                assert sys.stdin.read() == "" and os.environ["OMP_NUM_THREADS"] == "3"
                return os.getsid(0) == os.getpid() and 1.0
            """
        ),
        resources=Resources(cpus=3),
    )
    assert bench.outcome(job).values == {"accuracy": 1.0}


def test_ctrl_c_at_the_terminal_reaches_neither_trials_nor_their_parent(own_bench):
    bench = own_bench()
    text = "import os, time\ndef train(c, t): t.report(os.getpid(), 1); time.sleep(0.5); return 0.5"
    job = bench.start(bench.script(text))
    bench.wait(lambda: bool(bench.reports))
    trial = psutil.Process(int(bench.reports[0].value))
    parent = trial.parent()
    assert len({os.getsid(0), os.getsid(parent.pid), os.getsid(trial.pid)}) == 3
    parent.send_signal(signal.SIGINT)
    assert bench.outcome(job).state is TrialState.COMPLETED


def test_the_executor_survives_the_death_of_the_warm_parent(own_bench):
    bench = own_bench()
    job = bench.start(bench.script(FAMILY.replace("{then}", "time.sleep(600)")))
    bench.wait(lambda: bench.executor._running[job.number].pid is not None)
    pids = pids_in(job.folder)
    psutil.Process(pids[0]).parent().kill()
    outcome = bench.outcome(job)
    assert outcome.state is TrialState.LOST
    assert_gone(pids)
    assert bench.run("def train(config, trial): return 0.5").state is TrialState.COMPLETED
    assert len(bench.executor.warnings) == 1 and "died" in bench.executor.warnings[0]


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="limits of other processes are Linux's")
@pytest.mark.parametrize("limit", ["FSIZE", "NOFILE"])
def test_a_warm_parent_that_a_trial_made_useless_is_replaced(own_bench, limit):
    bench = own_bench()
    limits = f"import os, resource as r\ndef train(c, t): r.prlimit(os.getppid(), r.RLIMIT_{limit}, (0, 0)); "
    assert bench.run(limits + "return 0.5").state is TrialState.COMPLETED
    bench.run("def train(config, trial): return 0.5")  # may be lost: nothing it does can be recorded
    assert bench.run("def train(config, trial): return 0.5").state is TrialState.COMPLETED
    assert [w for w in bench.executor.warnings if "another was started" in w]


def test_a_trial_whose_warm_parent_dies_after_its_result_is_not_lost(own_bench):
    bench = own_bench()
    job = bench.start(
        bench.script(
            """
            import atexit, time
            def train(config, trial):
                atexit.register(time.sleep, 30)
                return 0.5
            """
        )
    )
    bench.wait(lambda: bench.executor._running[job.number].pid is not None)
    wait_for((job.folder / "result.json").exists)
    psutil.Process(bench.executor._running[job.number].pid).parent().kill()
    assert bench.outcome(job).values == {"accuracy": 0.5}


def test_libraries_that_kill_the_warm_parent_are_loaded_by_each_trial_instead(own_bench, monkeypatch):
    bench = own_bench
    folder = bench().root
    (folder / "deadly_library.py").write_text("import os\nif not os.environ.get('INSIDE'): os._exit(9)\n")
    monkeypatch.setenv("PYTHONPATH", str(folder))
    own = bench(1, ["deadly_library"])
    text = (
        "import os; os.environ['INSIDE'] = '1'\nimport deadly_library\ndef train(config, trial): return 0.5"
    )
    assert own.run(text).state is TrialState.COMPLETED
    assert "status 9" in own.executor.warnings[0]


ENGINE = """
import sys, time
from pathlib import Path
from tunesmith.objective import Objective
from tunesmith.tools.execution.base import Job
from tunesmith.tools.execution.local import LocalExecutor
executor = LocalExecutor(2, start_method=sys.argv[1])
folder = Path(sys.argv[2])
objective = Objective(function=f"{folder}/train.py:train")
executor.offer(
    Job(number=0, folder=folder / "0", configuration={}, seed=0, metric="accuracy", objective=objective)
)
while True:
    executor.events(1)  # reports are not answered
"""


@pytest.mark.parametrize("method", ["fork", "spawn"])
@pytest.mark.parametrize("state", ["computing", "waiting"])
def test_an_engine_killed_at_once_leaves_no_process_and_no_result(tmp_path, method, state):
    then = (
        "time.sleep(600)"
        if state == "computing"
        else "trial.report(0.5, 0); trial.should_prune(); return 0.5"
    )
    daemon = "    daemon = subprocess.Popen(SLEEP, start_new_session=True)\n    forked ="
    text = FAMILY.replace("    forked =", daemon).replace('{forked}")', '{forked} {daemon.pid}")')
    (tmp_path / "train.py").write_text(text.replace("{then}", then))
    engine = subprocess.Popen([sys.executable, "-P", "-c", ENGINE, method, str(tmp_path)])
    try:
        pids = pids_in(tmp_path / "0")
        parent = psutil.Process(pids[0]).ppid()
        assert psutil.Process(parent).ppid() == engine.pid
    finally:
        engine.kill()
        engine.wait()
    assert_gone([*pids, parent])
    assert not (tmp_path / "0" / "result.json").exists()


def test_a_trial_ends_itself_when_engine_and_warm_parent_are_gone_at_once(tmp_path):
    (tmp_path / "train.py").write_text(FAMILY.replace("{then}", "time.sleep(600)"))
    engine = subprocess.Popen([sys.executable, "-P", "-c", ENGINE, "fork", str(tmp_path)])
    try:
        pids = pids_in(tmp_path / "0")
        psutil.Process(psutil.Process(pids[0]).ppid()).suspend()  # it cannot help
        parent = psutil.Process(pids[0]).ppid()
    finally:
        engine.kill()
        engine.wait()
    try:
        assert_gone(pids)
    finally:
        os.kill(parent, signal.SIGKILL)
    assert not (tmp_path / "0" / "result.json").exists()


@pytest.mark.parametrize("how", ["kill", "close"])
def test_a_disk_too_full_for_the_record_lets_nothing_run_on(bench, monkeypatch, tmp_path, how):
    def full(folder, outcome, of):
        raise OSError(errno.ENOSPC, "No space left on device")

    executor = LocalExecutor(1)
    try:
        job = bench.job(bench.script(FAMILY.replace("{then}", "time.sleep(600)")))
        executor.offer(job)
        pids = pids_in(job.folder)
        executor.events(0.1)
        monkeypatch.setattr("tunesmith.tools.execution.local.record_outcome", full)
        if how == "kill":
            with pytest.raises(ExecutorError, match="No space left"):
                executor.kill(job.number, Outcome(state=TrialState.LOST))
        else:
            executor.close()
        assert_gone(pids)
    finally:
        monkeypatch.undo()
        executor.close()
