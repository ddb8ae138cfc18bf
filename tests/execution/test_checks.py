"""Training code is tried as a trial would load it, and nothing is trained."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tunesmith.errors import ObjectiveError
from tunesmith.objective import Objective
from tunesmith.tools.execution.checks import check_exists, check_loads
from tunesmith.tools.execution.pickling import pickle_objective
from tunesmith.tools.execution.programs import command_fault

TRAIN = "def train(config, trial): return 1.0"


@pytest.fixture
def check(shared_executor) -> Callable[[Objective], None]:
    def both(objective: Objective) -> None:
        check_exists(objective, ("lr",))
        check_loads(shared_executor, objective, "accuracy", {"lr": 0.1})

    return both


def test_a_sound_objective_passes(check, tmp_path: Path):
    script = tmp_path / "train.py"
    script.write_text("import beside\ndef train(config, trial): raise AssertionError('not to be run')")
    (tmp_path / "beside.py").write_text("")
    check(Objective(function=f"{script}:train"))
    check(pickle_objective(lambda config, trial: 1.0, tmp_path / "o.pkl"))
    check(Objective(command=("python", "train.py", "--x", "{x}"), workdir=tmp_path))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            f"import no_such_library_anywhere\n{TRAIN}",
            r"(?s)cannot be loaded: ModuleNotFoundError.*\n.*train.py",
        ),
        ("def train(: pass", r"train.py:1: not Python .*invalid syntax"),
        ("def fit(config, trial): pass", "no function 'train'; it defines fit"),
        ("train = 3", "no function 'train'"),
        (f"import sys; print('why'); sys.exit(0)\n{TRAIN}", r"(?s)cannot be loaded.*sys.exit.*\nwhy\n"),
        (
            "import argparse; p = argparse.ArgumentParser(); p.add_argument('--d', required=True)\n"
            f"p.parse_args()\n{TRAIN}",
            "reads a command line .*move `parse_args",
        ),
        (f"import os; os._exit(5)\n{TRAIN}", "exited with status 5"),
        (f"import os; os.kill(os.getpid(), 11)\n{TRAIN}", "killed by SIGSEGV"),
        ("import functools\ndef one(c): ...\ntrain = functools.partial(one)", "takes one argument"),
    ],
)
def test_a_broken_script_is_refused_with_its_own_words(check, tmp_path: Path, text, words):
    (tmp_path / "train.py").write_text(text)
    with pytest.raises(ObjectiveError, match=words):
        check(Objective(function=f"{tmp_path}/train.py:train"))


@pytest.mark.parametrize(
    ("objective", "words"),
    [
        (Objective(function="/nowhere/train.py:train"), "/nowhere/train.py: no such file"),
        (Objective(function="/nowhere/train.py"), "write `file.py:function`"),
        (Objective(command=()), "empty"),
        (Objective(command=("no-such-program-anywhere",)), "no such program"),
        (Objective(command=("python", "missing.py"), workdir=Path("/")), "'/missing.py' is no file"),
    ],
)
def test_what_is_not_there_is_named(check, objective, words):
    with pytest.raises(ObjectiveError, match=words):
        check(objective)


def test_a_check_does_not_show_the_script_any_key(check, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    (tmp_path / "train.py").write_text(
        "import os\nassert 'OPENAI_API_KEY' not in os.environ\ndef train(config, trial): ..."
    )
    check(Objective(function=f"{tmp_path}/train.py:train"))


def test_arguments_parsed_at_import_pass_where_a_trial_would(check, tmp_path: Path):
    parse = "import argparse; p = argparse.ArgumentParser(); p.add_argument('--x', type=int, default=1)"
    (tmp_path / "train.py").write_text(f"{parse}\nARGS = p.parse_args()\n{TRAIN}")
    check(Objective(function=f"{tmp_path}/train.py:train"))


def test_a_command_that_cannot_start_is_told_what_to_write(tmp_path: Path):
    (tmp_path / "train.py").write_text("")
    (tmp_path / "run.sh").write_text("")
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "train.py").write_text("")
    (tmp_path / "odd").write_text("#!/no/such/shell\n")
    (tmp_path / "odd").chmod(0o755)
    (tmp_path / "bare.py").write_text("print(1)")
    (tmp_path / "bare.py").chmod(0o755)
    python = Path(sys.executable).parent
    for command, words in {
        "CUDA_VISIBLE_DEVICES=0 python train.py": "`env CUDA_VISIBLE_DEVICES=0 ...`",
        "cd src && python train.py": "only a shell knows",
        "python train.py && echo": "`bash -c '...'`",
        "train.py --lr {lr}": "`python train.py ...`",
        "./run.sh {lr}": "`chmod +x ./run.sh`",
        "./odd": "'/no/such/shell'",
        "./bare.py": "no `#!` line",
        ".": "only a shell",
        "./": "is a folder",
        "~/train.py": "no shell expands it",
        "python train.py --out ~/x": "no shell expands it",
        "python train.py --out=$HOME/x": "'--out=$HOME/x'",
        "bash -c 'python train.py' $HOME": "",
        "python trian.py": "Did you mean 'train.py'?",
        "python -m pkg.trian": "Did you mean 'train.py'?",
        "python -u -m pkg.train": "",
        "python -u -W ignore sub/train.py": "no folder",
        "no-such-launcher train.py": "no such program",
        "python": "",
        "python -c pass": "",
        "python -m json.tool x.py": "",
        "python train.py --next other.py": "",
        "env A=1 python train.py": "",
        "bash -c 'a && b'": "",
    }.items():
        fault = command_fault(shlex.split(command), tmp_path, f"{python}:/usr/bin:/bin")
        assert (words in fault if words else False) if fault else not words, (command, fault)


def test_a_command_whose_script_is_not_python_is_refused_with_the_line(tmp_path: Path):
    (tmp_path / "train.py").write_text("import json\ndef main(:\n    pass\n")
    for words in (("python", "train.py"), ("python", "-W", "ignore", "train.py", "{lr}")):
        with pytest.raises(ObjectiveError, match=r"train.py:2: not Python"):
            check_exists(Objective(command=words, workdir=tmp_path))
    check_exists(Objective(command=("python", "-c", "pass", "train.py"), workdir=tmp_path))
