"""One training started as a trial is, for `tunesmith check`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tunesmith.objective import Objective
from tunesmith.tools.execution.trying import try_training
from tunesmith.trial import TrialState

SURROUNDINGS = """
import json, os, sys
ABOUT = [sys.argv, os.getcwd(), sys.stdin.read(), os.environ.get("OMP_NUM_THREADS"), __name__]
def train(config, trial):
    for step in range(1000):
        trial.report(step, step)
        if trial.should_prune():
            break
    open("about.json", "w").write(json.dumps(ABOUT))
"""


def test_a_try_loads_the_code_as_a_trial_does_and_trains_nothing(tmp_path: Path):
    script = tmp_path / "train.py"
    script.write_text("import sys\nassert len(sys.argv) == 1\ndef train(config, trial): open('ran', 'w')")
    tried = try_training(
        Objective(function=f"{script}:train", workdir=tmp_path), "score", {"x": 1.5}, reports=0, preload=()
    )
    assert (tried.outcome.state, tried.reports) == (TrialState.COMPLETED, ())
    assert not (tmp_path / "ran").exists()


def test_a_try_is_stopped_after_as_many_reports_as_asked_for_and_sees_what_a_trial_sees(bench):
    script = bench.script(SURROUNDINGS)
    objective = Objective(function=f"{script}:train", workdir=bench.root)
    bench.outcome(bench.start(objective), prune=lambda report: report.step == 1)
    of_a_trial = json.loads((bench.root / "about.json").read_text())
    (bench.root / "about.json").unlink()
    tried = try_training(objective, "accuracy", {"x": 1.5}, reports=2, preload=())
    assert tried.outcome.state is TrialState.PRUNED
    assert tried.reports[:2] == ((0, 0.0), (1, 1.0))
    assert json.loads((bench.root / "about.json").read_text()) == of_a_trial


@pytest.mark.parametrize(
    ("command", "said"),
    [
        pytest.param(("no-such-program", "--x", "{x}"), "no-such-program", id="program"),
        pytest.param((sys.executable, "gone.py"), "gone.py", id="script"),
    ],
)
def test_a_try_of_a_command_looks_for_its_program_and_script(tmp_path: Path, command, said):
    tried = try_training(
        Objective(command=command, workdir=tmp_path), "score", {"x": 1.5}, reports=0, preload=()
    )
    assert tried.outcome.state is TrialState.CRASHED
    assert said in tried.outcome.message
