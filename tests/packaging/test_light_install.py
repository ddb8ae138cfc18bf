"""Without PyTorch, scikit-learn and cmaes: command lines and functions are tuned, the rest names its extra.

Each test runs in a virtual environment without these packages: one that links to the packages of this
environment, and (slow, from the package index) one that the wheel was installed into.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OPTIONAL = ("torch", "functorch", "torchgen", "sklearn", "scikit_learn", "cmaes", "pandas")

SCRIPT = """
import argparse, json
parser = argparse.ArgumentParser()
parser.add_argument("--x", type=float)
parser.add_argument("--depth", type=int)
arguments = parser.parse_args()
print(json.dumps({"loss": (arguments.x - 0.3) ** 2 + 0.1 * arguments.depth}))
"""
TASK = """
name: light
metric: loss
direction: minimize
objective: {command: "python fit.py --x {x} --depth {depth}"}
space:
  x: {type: float, low: 0.0, high: 1.0}
  depth: {type: int, low: 1, high: 4}
budget: {trials: 4, trial_time: 1m}
workers: 1
"""
FUNCTION = """
import tunesmith

def train(config, trial):
    return {"loss": (config["x"] - 0.3) ** 2}

if __name__ == "__main__":
    space = {"x": tunesmith.Float(0.0, 1.0)}
    result = tunesmith.tune(train, space, metric="loss", direction="minimize", trials=3, workers=1)
    print("best", result.best_value)
"""
HELPERS = """
import random
from tunesmith.errors import MissingExtra
from tunesmith.training import best_device, load_checkpoint, save_checkpoint, seed_everything

seed_everything(1)
first = random.random()
seed_everything(1)
assert random.random() == first
for call in (best_device, lambda: save_checkpoint("a.pt", {}), lambda: load_checkpoint("a.pt")):
    try:
        call()
    except MissingExtra as error:
        print(error)
"""


@pytest.fixture(scope="module", params=["links", pytest.param("installed", marks=pytest.mark.slow)])
def python(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment without the optional packages."""
    home = tmp_path_factory.mktemp(request.param)
    venv.create(home / "venv", with_pip=request.param == "installed", symlinks=True)
    interpreter = home / "venv" / "bin" / "python"
    if request.param == "installed":
        _run([sys.executable, "-P", "-m", "build", "--no-isolation", "--outdir", str(home), str(ROOT)], home)
        (wheel,) = home.glob("*.whl")
        constraints = str(ROOT / "constraints.txt")
        _run([str(interpreter), "-m", "pip", "install", "-q", "-c", constraints, str(wheel)], home)
    else:
        (packages,) = (home / "venv" / "lib").glob("python*/site-packages")
        for folder in (Path(entry) for entry in sys.path if Path(entry).name == "site-packages"):
            for item in folder.iterdir():
                if item.name.startswith(OPTIONAL) or item.suffix == ".pth" or (packages / item.name).exists():
                    continue
                (packages / item.name).symlink_to(item)
        (packages / "light.pth").write_text(f"{ROOT / 'src'}\n")
    return interpreter


def _run(command: list[str], folder: Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    hidden = ("PYTHONPATH", "TUNESMITH_BASE_URL", "OPENAI_API_KEY")
    env = {key: value for key, value in os.environ.items() if key not in hidden}
    env["VIRTUAL_ENV"] = str(Path(command[0]).parents[1])  # its Python runs the trials
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)
    assert done.returncode == code, done.stdout[-3000:] + done.stderr[-3000:]
    return done


@pytest.mark.long
def test_a_command_line_is_checked_and_tuned(python: Path, tmp_path: Path) -> None:
    (tmp_path / "fit.py").write_text(SCRIPT)
    (tmp_path / "task.yaml").write_text(TASK)
    tunesmith = [str(python), "-P", "-m", "tunesmith"]
    assert "Usage" in _run([*tunesmith, "--help"], tmp_path).stdout
    assert "light" in _run([*tunesmith, "check", "task.yaml"], tmp_path).stdout
    report = json.loads(_run([*tunesmith, "run", "task.yaml", "--json"], tmp_path).stdout)
    assert [trial["state"] for trial in report["trials"]] == ["completed"] * 4


@pytest.mark.long
def test_a_function_is_tuned(python: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(FUNCTION)
    assert "best 0." in _run([str(python), "mine.py"], tmp_path).stdout


@pytest.mark.long
def test_training_code_that_lacks_torch_is_told_how_to_install_it(python: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("import torch\n\ndef train(config, trial): return 0.0\n")
    (tmp_path / "task.yaml").write_text(
        TASK.replace('{command: "python fit.py --x {x} --depth {depth}"}', "mine.py:train")
    )
    done = _run([str(python), "-P", "-m", "tunesmith", "check", "task.yaml"], tmp_path, code=2)
    assert "pip install 'tunesmith[torch]'" in " ".join(done.stderr.split())


def test_helpers_of_training_code_name_the_extra_that_they_need(python: Path, tmp_path: Path) -> None:
    texts = _run([str(python), "-P", "-c", HELPERS], tmp_path).stdout.splitlines()
    names = ("best_device", "save_checkpoint", "load_checkpoint")
    assert texts == [f"{name} needs torch: pip install 'tunesmith[torch]'" for name in names]


@pytest.mark.parametrize(
    ("arguments", "needed"),
    [
        (["llambo20"], "the suite llambo20 needs scikit-learn: pip install 'tunesmith[bench]'"),
        (["held-out"], "the suite held-out needs scikit-learn: pip install 'tunesmith[bench]'"),
        (["torch"], "the suite torch needs torch: pip install 'tunesmith[torch]'"),
        (
            ["analytic", "--contenders", "cmaes"],
            "the contender cmaes needs cmaes: pip install 'tunesmith[bench]'",
        ),
    ],
    ids=lambda value: value[-1] if isinstance(value, list) else "",
)
@pytest.mark.slow
def test_a_benchmark_names_the_extra_that_it_needs(
    python: Path, tmp_path: Path, arguments: list[str], needed: str
) -> None:
    done = _run([str(python), "-P", "-m", "tunesmith", "bench", *arguments], tmp_path, code=2)
    assert needed in " ".join(done.stderr.split()) and "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_benchmark_that_needs_no_extra_runs(python: Path, tmp_path: Path) -> None:
    few = ["--tasks", "branin", "--seeds", "1", "--evaluations", "3", "--contenders", "random"]
    done = _run([str(python), "-P", "-m", "tunesmith", "bench", "analytic", *few], tmp_path)
    assert "random" in done.stdout
    done = _run([str(python), "-P", "-m", "tunesmith", "bench", "torch", "--report"], tmp_path)
    assert "torch: " in done.stdout
