from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

from tunesmith.errors import ObjectiveError
from tunesmith.tools.execution.pickling import pickle_objective
from tunesmith.trial import TrialState


def test_a_closure_runs_in_another_process(bench):
    factor = 3.0

    def train(config, trial):
        return {"accuracy": config["x"] * factor}

    job = bench.start(pickle_objective(train, bench.root / "objective.pkl"))
    assert bench.outcome(job).values == {"accuracy": 4.5}


def test_what_cannot_be_sent_is_refused_with_the_fix(bench):
    lock = threading.Lock()

    def train(config, trial):
        return lock

    with pytest.raises(ObjectiveError, match="train cannot be sent.*lock.*create that inside the function"):
        pickle_objective(train, bench.root / "objective.pkl")
    assert not (bench.root / "objective.pkl").exists()


def test_something_that_is_no_function_is_refused(tmp_path):
    with pytest.raises(ObjectiveError, match="callable; dict is not"):
        pickle_objective({}, tmp_path / "objective.pkl")


UNGUARDED = """
import dataclasses, pathlib, pickle, sys
import helper
from tunesmith.tools.execution.base import Finished, Job
from tunesmith.tools.execution.local import LocalExecutor
from tunesmith.tools.execution.pickling import pickle_objective
folder = pathlib.Path(sys.argv[1])
with open(folder / "runs", "a") as file:
    file.write("x")
scale = 2.0

@dataclasses.dataclass
class Settings:
    x: float

def train(config, trial):
    return {"accuracy": scale * Settings(**config).x, "helped": helper.help(1)}

executor = LocalExecutor(1)
objective = pickle_objective(train, folder / "o.pkl")
configuration = {"x": 1.5}
executor.offer(
    Job(
        number=0,
        folder=folder / "0",
        configuration=configuration,
        seed=0,
        metric="accuracy",
        objective=objective,
    )
)
ends = []
while not ends:
    ends = [event for event in executor.events(5) if isinstance(event, Finished)]
executor.close()
print(ends[0].outcome.values, ends[0].outcome.traceback)
"""


@pytest.mark.parametrize("by", ["file", "stdin"])
def test_an_unguarded_script_is_not_run_again_and_its_own_modules_are_found(tmp_path, by):
    (tmp_path / "helper.py").write_text("def help(n): return n + 1\n")
    (tmp_path / "script.py").write_text(UNGUARDED)
    script = ["script.py"] if by == "file" else ["-"]
    # A user's script finds its neighbours; our own test command asks Python not to, for itself.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}
    done = subprocess.run(
        [sys.executable, *script, str(tmp_path)],
        input=UNGUARDED if by == "stdin" else "",
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout == "{'accuracy': 3.0, 'helped': 2.0} \n", done.stderr
    assert (tmp_path / "runs").read_text() == "x"


def test_a_callers_threads_do_not_matter(bench):
    stop = threading.Event()
    threads = [threading.Thread(target=stop.wait) for _ in range(8)]
    for thread in threads:
        thread.start()
    try:
        job = bench.start(pickle_objective(lambda config, trial: 0.5, bench.root / "objective.pkl"))
        assert bench.outcome(job).state is TrialState.COMPLETED
    finally:
        stop.set()
        for thread in threads:
            thread.join()
