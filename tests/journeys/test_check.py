"""`tunesmith check` tries what `run` would, and both refuse the same before anything is spent."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import tunesmith
from tunesmith.cli import app
from tunesmith.errors import ObjectiveError

TASK = """
metric: score
direction: maximize
space:
  lr: {type: float, low: 0.001, high: 1.0, scale: log}
  width: {type: int, low: 1, high: 64}
budget: {trials: 4}
"""
GOOD = "def train(config, trial): return config['lr'] * config['width']\n"
FUNCTION = "objective: train.py:train\n"
COMMAND = "objective: {command: 'python train.py {lr} {width}'}\n"


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Calls the command line in this process, in a folder with a task and a script."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TUNESMITH_BASE_URL", raising=False)

    def ask(*arguments: str, train: str = GOOD, task: str = FUNCTION, **files: str) -> Result:
        (tmp_path / "task.yaml").write_text(task + TASK)
        (tmp_path / "train.py").write_text(train)
        for name, text in files.items():
            (tmp_path / f"{name}.py").write_text(text)
        return CliRunner().invoke(app, [arguments[0], "task.yaml", *arguments[1:]])

    return ask


CONFIRM = FUNCTION + "default: {lr: 0.1, width: 2}\nconfirm: {seeds: 1, function: 'CODE'}\n"
BROKEN = {
    "missing function": ({"train": "def trian(config, trial): ..."}, "task.yaml:1: objective"),
    "one argument": ({"train": "def train(cfg): return 1"}, "train.py:1: train(cfg) takes one argument"),
    "import error": ({"train": "import nowhere_at_all\n" + GOOD}, "No module named 'nowhere_at_all'"),
    "no file of confirm": ({"task": CONFIRM.replace("CODE", "tset.py:test")}, "task.yaml:3: confirm"),
    "no function of confirm": ({"task": CONFIRM.replace("CODE", "train.py:test")}, "no function 'test'"),
    "import error of confirm": (
        {"task": CONFIRM.replace("CODE", "final.py:test"), "final": "import gone\ndef test(c, t): return 1"},
        "No module named 'gone'",
    ),
    "no script of a command": ({"task": COMMAND.replace("train.py", "trian.py")}, "Did you mean 'train.py'"),
    "no program": ({"task": COMMAND.replace("python", "pyhton")}, "no such program"),
    "no placeholder": ({"task": COMMAND.replace("{width}", "{witdh}")}, "did you mean 'width'?"),
    "unused by a command": ({"task": COMMAND.replace("{width}", "")}, "does not pass width"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_check_and_run_refuse_the_same_with_the_same_words_and_spend_nothing(ask, tmp_path: Path, case):
    files, words = BROKEN[case]
    checked, ran = ask("check", **files), ask("run", "--no-model", **files)
    assert (checked.exit_code, ran.exit_code) == (2, 2), ran.output
    assert words in checked.stderr
    assert checked.stderr in ran.stderr
    assert not list(tmp_path.rglob("result.json"))


def test_a_refused_run_goes_on_once_its_code_is_mended(ask, tmp_path: Path):
    assert ask("run", "--no-model", train="import nowhere_at_all\n" + GOOD).exit_code == 2
    done = ask("run", "--no-model")
    assert done.exit_code == 0, done.output
    assert len(list(tmp_path.rglob("result.json"))) == 4


def test_a_refusal_is_a_document_too(ask):
    done = ask("check", "--json", task=FUNCTION.replace("objective", "objektive") + FUNCTION)
    found = json.loads(done.stdout)
    assert done.exit_code == 2
    assert not found["legal"]
    assert (found["faults"][0]["line"], found["faults"][0]["key"]) == (1, "objektive")


REPORTING = """
import time
def train(config, trial):
    for step in range(10_000):
        trial.report(step / 10, step)
        time.sleep(0.01)
        if trial.should_prune():
            return
"""


def test_a_dry_run_stops_after_some_steps_and_tells_what_it_read(ask, tmp_path: Path):
    done = ask("check", "--dry-run", "--steps", "2", "--json", train=REPORTING)
    found = json.loads(done.stdout)["dry_run"]
    assert done.exit_code == 0, done.output
    assert (found["reports"], found["state"]) == ([[0, 0.0], [1, 0.1]], "pruned")
    assert found["seconds_a_step"] > 0
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "__pycache__") == [
        "task.yaml",
        "train.py",
    ]


@pytest.mark.parametrize(
    ("train", "options", "code", "words"),
    [
        pytest.param(GOOD, (), 0, ["score", "trained to its end", "4 trials at 1 worker"], id="to its end"),
        pytest.param(
            "def train(config, trial): print('last words'); return {'scroe': 1}",
            (),
            1,
            ["ended without 'score'", "last words"],
            id="another metric",
        ),
        pytest.param(
            "import time\ndef train(config, trial): time.sleep(100)",
            ("--seconds", "0.2"),
            0,
            ["no score was reported", "--seconds"],
            id="nothing in time",
        ),
    ],
)
def test_a_dry_run_says_how_the_trial_ended(ask, train, options, code, words):
    done = ask("check", "--dry-run", *options, train=train)
    assert done.exit_code == code, done.output
    assert all(word in done.stdout for word in words), done.stdout


def test_a_hyperparameter_that_the_script_never_mentions_is_warned_about(ask):
    done = ask("check", train="def train(config, trial): return config['lr']")
    assert done.exit_code == 0
    assert "train.py never mentions 'width'" in done.stdout


def test_a_python_function_that_cannot_be_called_is_refused_before_anything_is_written(tmp_path: Path):
    async def later(config, trial): ...

    for train, words in ((lambda config: 1.0, "takes one argument"), (later, "async"), (dict, "is a class")):
        with pytest.raises(ObjectiveError, match=words):
            tunesmith.tune(
                train,
                {"x": tunesmith.Float(0.0, 1.0)},
                metric="x",
                direction="minimize",
                runs=tmp_path / "runs",
                model=None,
            )
    assert not (tmp_path / "runs").exists()


def test_a_small_budget_is_warned_of_by_check_and_by_the_run(ask):
    few = FUNCTION + "noise: 0.1\n"
    checked = ask("check", task=few)
    ran = ask("run", "--no-model", "--trials", "3", task=few)
    assert "warning    noise 0.1: the best of 4 trials" in checked.stdout
    assert "3 trials are few for 2 hyperparameters" in ran.stdout


SEVERAL = """
metrics: {acc: maximize, ms: {direction: minimize, take: last}, mib: {}}
limits: {ms: "<= 20", size: [">= 1", "<= 5"]}
cost: width * 2
objective: train.py:train
space:
  lr: {type: float, low: 0.001, high: 1.0, scale: log}
  width: {type: int, low: 1, high: 4}
budget: {trials: 30, cost: 40}
"""


def test_metrics_limits_and_costs_are_shown_and_a_dry_run_reads_every_metric(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TUNESMITH_BASE_URL", raising=False)
    returned = "{'acc': config['lr'], 'ms': 30.0 * config['width'], 'mib': 3, 'size': 2, 'loss': 0.5}"
    (tmp_path / "several.yaml").write_text(SEVERAL)

    def check(code: str, *options: str) -> Result:
        (tmp_path / "train.py").write_text(f"def train(config, trial):\n  return {code}\n")
        return CliRunner().invoke(app, ["check", "several.yaml", *options])

    shown = check(returned, "--dry-run").stdout
    for line in (
        "  metric     maximize acc: the primary metric, which is shown and ends the search",
        "             minimize ms: the last of a trial's values",
        "             mib: not optimised, but every trial has to give it",
        "  limits     ms <= 20",
        "             size <= 5: a further metric that every trial gives",
        "  budget     30 trials, cost 40; 1 at a time",
        "  cost       width * 2: 2 to 8 a trial, ",
        "             40 pays for 5 to 20 trials, about ",
        "  pruner     none: every trial is trained to its end",
    ):
        assert line in shown
    assert "(breaks <= 20), size 2.0000, mib 3.0000; and, not in the task, loss 0.5000" in shown
    assert "30 trials at 1 worker: about" in shown and "where trials are stopped" not in shown
    lacking = check("{'acc': 1, 'ms': 2, 'mi': 3, 'size': 2}", "--dry-run")
    assert "train.py: what train returns has no 'mib': a trial that lacks a metric fails" in lacking.stdout
    assert lacking.exit_code == 1 and "'mib'" in lacking.stdout.partition("dry run")[2]
    found = json.loads(check(returned, "--json").stdout)
    assert found["metrics"] == {"acc": "maximize", "ms": "minimize", "size": None, "mib": None}
    assert found["limits"] == ["ms <= 20", "size >= 1", "size <= 5"]
    assert (found["cost"]["budget"], found["cost"]["least"], found["cost"]["most"]) == (40, 2, 8)
