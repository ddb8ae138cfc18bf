"""`tunesmith best` and `tunesmith retrain`: a run's winner, in real processes."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner

from tunesmith.api.winner import find_winner
from tunesmith.cli import app
from tunesmith.events import Recommended
from tunesmith.recommendation import Recommendation
from tunesmith.tools.records.event_store import EventStore

SCRIPT = """
import json, os, sys
from pathlib import Path
here = Path(os.environ["TUNESMITH_CHECKPOINT_DIR"])
(here / "argv.json").write_text(json.dumps(sys.argv))
values = json.loads(os.environ["TUNESMITH_CONFIG"])
started = Path("started")
started.write_text(started.read_text() + "x" if started.exists() else "x")
if Path("broken").exists():
    sys.exit("the disk is full")
if Path("gate").exists():
    print("waiting", flush=True)
    open("gate").read()
seed = int(os.environ["TUNESMITH_SEED"])
print(json.dumps({"loss": values["opt.lr"] + len(values["layers"] or []) + seed % 1000 / 1e6}))
"""
TASK = """
metric: loss
direction: minimize
objective: {command: "python train.py --layers {layers:items} --lr={opt.lr} --note {note}"}
space:
  layers: {type: categorical, choices: [null, [50], [50, 100]]}
  note: {type: categorical, choices: ["it's $HOME", "a\\nb\\x1b[31m", ""]}
  opt: {lr: {type: float, low: 0.001, high: 1, scale: log}}
budget: {trials: 4}
"""


def tunesmith(folder, *arguments):
    """The command in this process, which spares half a second each."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        return CliRunner().invoke(app, list(map(str, arguments)))
    finally:
        os.chdir(before)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("winner")
    (folder / "train.py").write_text(SCRIPT)
    (folder / "t.yaml").write_text(TASK)
    ran = tunesmith(folder, "run", "t.yaml", "--no-model", "-q")
    assert ran.exit_code == 0, ran.stderr
    return folder


def test_the_best_configuration_is_given_for_a_file_a_program_and_a_shell(place):
    winner = find_winner(place / "runs" / "t")
    wanted = winner.received
    assert wanted["layers"] is None or isinstance(wanted["layers"], list)
    from_json = tunesmith(place, "best", "runs/t", "--format", "json")
    assert json.loads(from_json.stdout) == wanted
    assert "loss" in from_json.stderr
    assert YAML(typ="safe").load(tunesmith(place, "best", "t.yaml").stdout) == wanted
    line = tunesmith(place, "best", "runs/t", "--format", "argv").stdout
    assert "\x1b" not in line
    shown = "import sys, json; print(json.dumps(sys.argv[1:]))"
    said = subprocess.run(
        ["bash", "-c", f"{shlex.quote(sys.executable)} -c {shlex.quote(shown)} {line}"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    started = winner.folder.trial_folder(winner.trial) / "checkpoints" / "argv.json"
    assert json.loads(said.stdout)[1:] == json.loads(started.read_text())


def test_recommended_and_best_seen_are_told_apart(place, tmp_path):
    shutil.copytree(place / "runs" / "t", tmp_path / "t")
    best = find_winner(tmp_path / "t")
    other = next(t for t in best.history.completed if t.configuration != best.configuration)
    store = EventStore(tmp_path / "t" / "run.db")
    store.append(
        Recommended(
            recommendation=Recommendation(
                trial=other.number, configuration=other.configuration, expected=0.1,
                best_trial=best.trial, best_value=best.value, best_expected=0.2,
            ),
            text="",
        )
    )  # fmt: skip
    store.close()
    assert find_winner(tmp_path / "t").trial == other.number
    assert find_winner(tmp_path / "t", seen=True).trial == best.trial
    said = tunesmith(tmp_path, "best", "t")
    assert f"trial {other.number}, recommended" in said.stderr


def test_a_run_without_a_completed_trial_has_no_winner(tmp_path):
    (tmp_path / "t.yaml").write_text(TASK.replace("python train.py", "false"))
    none = tunesmith(tmp_path, "best", "t.yaml")
    assert (none.exit_code, none.stdout) == (2, "") and "no run of this task has begun" in none.stderr
    tunesmith(tmp_path, "run", "t.yaml", "--no-model", "-q", "--trials", 1)
    for command in ("best", "retrain"):
        failed = tunesmith(tmp_path, command, "runs/t")
        assert (failed.exit_code, failed.stdout) == (1, "")
        assert "none of its 1 trials has completed" in failed.stderr and "Traceback" not in failed.stderr


def test_a_task_file_means_its_newest_run(place, tmp_path):
    shutil.copytree(place, tmp_path / "p", ignore=shutil.ignore_patterns("gate"))
    tunesmith(tmp_path / "p", "run", "t.yaml", "--no-model", "-q", "--fresh", "--trials", 1)
    assert find_winner(tmp_path / "p" / "t.yaml", runs=tmp_path / "p" / "runs").folder.name == "t-2"


def test_the_winner_is_trained_again_and_delivered(place):
    run, count = place / "runs" / "t", (place / "started").stat().st_size
    said = tunesmith(place, "retrain", "runs/t", "--seeds", 2)
    assert said.exit_code == 0, said.stderr
    assert "on 2 fresh seeds, 95 % interval" in said.stdout
    more = tunesmith(place, "retrain", "t.yaml", "--seeds", 3, "--json")
    found = json.loads(more.stdout)
    assert (place / "started").stat().st_size == count + 3  # those that were done count
    assert found["mean"] == pytest.approx(sum(found["values"]) / 3) and found["low"] <= found["mean"]
    best = found["seeds"][found["values"].index(min(found["values"]))]
    assert found["delivered_seed"] == best
    delivered = run / "winner"
    assert Path(found["checkpoint"]) == delivered / "checkpoints" / "argv.json"
    assert json.loads((delivered / "config.json").read_text()) == find_winner(run).as_json()
    median = json.loads(tunesmith(place, "retrain", "runs/t", "--median", "--json").stdout)
    assert median["delivered_seed"] == found["seeds"][found["values"].index(sorted(found["values"])[1])]


def test_trainings_that_fail_are_told_and_tried_again(place, tmp_path):
    shutil.copytree(place, tmp_path / "p", ignore=shutil.ignore_patterns("retrain", "winner"))
    (place / "broken").touch()  # the copy's task runs where its file lies
    said = tunesmith(tmp_path / "p", "retrain", "runs/t", "--seeds", 1)
    assert said.exit_code == 1 and "none of the 1 trainings completed" in said.stderr
    (place / "broken").unlink()
    assert tunesmith(tmp_path / "p", "retrain", "runs/t", "--seeds", 1).exit_code == 0


@pytest.mark.long
def test_ctrl_c_ends_training_again_cleanly(place):
    os.mkfifo(place / "gate")
    command = [sys.executable, "-P", "-m", "tunesmith", "retrain", "runs/t", "--seeds", "5"]
    with subprocess.Popen(
        command, cwd=place, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as run:
        with open(place / "gate", "w"):  # opens once a training waits there
            run.send_signal(signal.SIGINT)
            _, told = run.communicate(timeout=60)
    assert run.returncode == 130 and "Traceback" not in told
    (place / "gate").unlink()
    assert (
        len(json.loads(tunesmith(place, "retrain", "runs/t", "--seeds", 5, "--json").stdout)["values"]) == 5
    )


def test_the_end_of_a_search_names_what_would_continue_it(place, tmp_path):
    shutil.copy(place / "train.py", tmp_path)
    task = (place / "t.yaml").read_text()
    ways = {"{trials: 1}": "--trials", "{target: 99}": "`budget.target`", "{wall_time: 1ms}": "wall_time"}
    for number, (budget, told) in enumerate(ways.items()):
        (tmp_path / f"w{number}.yaml").write_text(task.replace("{trials: 4}", budget))
        said = tunesmith(tmp_path, "run", f"w{number}.yaml", "--no-model", "-q")
        (line,) = [line for line in said.output.splitlines() if line.startswith(("More", "tunesmith:"))]
        assert told in line, said.output
