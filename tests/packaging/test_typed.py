"""A program that uses the installed wheel is type-checked against it."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import tunesmith
from tunesmith import Categorical, Float
from tunesmith.training import Pruned

def train(config: dict[str, float], trial: tunesmith.Trial) -> float:
    trial.report(0.1, step=trial.seed)
    if trial.should_prune():
        raise Pruned
    (trial.checkpoint_dir / "weights").touch()
    return config["lr"]

space = {"lr": Float(1e-5, 1e-1, scale="log"), "optimizer": Categorical(["adam", "sgd"])}
try:
    result = tunesmith.tune(train, space, metric="loss", direction="minimize", trials=3, pruner="none")
    value: float | None = result.best_value
except tunesmith.RunFailed as error:
    print(error.result.reason)
"""


@pytest.mark.slow
def test_the_wheel_is_typed(tmp_path: Path) -> None:
    for folder in ("src", "agent", "tools", "tui", "prompts"):
        subprocess.run(["cp", "-r", ROOT / folder, tmp_path], check=True)
    for name in ("pyproject.toml", "setup.py", "README.md"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    build = ["-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", "dist", "."]
    subprocess.run([sys.executable, *build], cwd=tmp_path, check=True)
    venv.create(tmp_path / "env")
    packages = next((tmp_path / "env").glob("lib/python*/site-packages"))
    (packages / "others.pth").write_text(sysconfig.get_path("purelib"))
    with zipfile.ZipFile(next((tmp_path / "dist").glob("*.whl"))) as wheel:
        wheel.extractall(packages)
    program = tmp_path / "user" / "program.py"
    program.parent.mkdir()

    def check() -> tuple[int, str]:
        options = ["--strict", "--python-executable", tmp_path / "env/bin/python", program.name]
        mypy = [sys.executable, "-P", "-m", "mypy", *map(str, options)]
        done = subprocess.run(mypy, cwd=program.parent, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout

    program.write_text(PROGRAM)
    assert check()[0] == 0, check()[1]
    program.write_text(PROGRAM + "tunesmith.tun\ntrain.report\nresult.best_valu\n")
    code, told = check()
    assert code == 1 and '"tun"' in told and '"best_valu"' in told
