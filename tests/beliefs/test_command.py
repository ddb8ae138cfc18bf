"""`tunesmith beliefs` in a process of its own, on a run that was recorded."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import tunesmith
from tunesmith.api.reporting import report_of
from tunesmith.beliefs import Beliefs
from tunesmith.cli import app
from tunesmith.errors import UsageError
from tunesmith.space import Categorical, Float


def train(config: dict[str, float], trial: object) -> dict[str, float]:
    return {"loss": (math.log10(config["lr"]) + 2) ** 2 + (config["[bold]x"] == "no")}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    runs = tmp_path_factory.mktemp("beliefs")
    space = {"lr": Float(1e-4, 1e-1, scale="log"), "[bold]x": Categorical(["yes", "no"])}
    tunesmith.tune(
        train,
        space,
        metric="loss",
        direction="minimize",
        trials=7,
        name="small",
        runs=runs,
        model=None,
    )
    return runs


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "tunesmith", "beliefs", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_a_person_and_a_program_read_the_same(runs: Path) -> None:
    done = CliRunner().invoke(app, ["beliefs", "small", "--runs", str(runs)])
    assert done.exit_code == 0, done.output
    assert "After 7 trials" in done.stdout and "[bold]x" in done.stdout and "progress" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    followed = command(str(runs / "small"), "--json", "--follow")
    assert followed.returncode == 0, followed.stderr
    (line,) = followed.stdout.splitlines()  # nobody holds the run, so it is told once
    assert Beliefs.model_validate(json.loads(line)) == tunesmith.beliefs_of("small", runs=runs)


def test_beliefs_of_an_earlier_moment(runs: Path) -> None:
    before = tunesmith.beliefs_of(runs / "small", at=0)
    assert before.finished == 0 and all(p.prior == p.posterior for p in before.parameters)
    middle = tunesmith.beliefs_of(runs / "small", at=4)
    assert middle.finished == 4 and middle.progress is not None and middle.progress.trials == 3
    with pytest.raises(UsageError, match="7 trials have ended"):
        tunesmith.beliefs_of(runs / "small", at=8)


def test_beliefs_follow_what_a_person_expects_and_the_space_of_each_moment(
    runs: Path, tmp_path: Path
) -> None:
    shutil.copytree(runs / "small", tmp_path / "steered")
    before = tunesmith.beliefs_of("steered", runs=tmp_path)
    for line in ("/prior lr ~6e-3", "/narrow lr 1e-4..5e-2", "/trials +5"):
        done = CliRunner().invoke(app, ["tell", "steered", line, "--yes", "--runs", str(tmp_path)])
        assert done.exit_code == 0, done.output
    now = tunesmith.beliefs_of("steered", runs=tmp_path)
    lr = next(p for p in now.parameters if p.name == "lr")
    expected = next(source for source in lr.sources if source.name == "person")
    assert expected.weight > 0.01 and "near 0.006" in expected.text
    assert not [source for source in lr.sources if source.name == "model"]
    assert lr.ticks[-1] == "0.05" and now.progress is not None
    assert now.progress.trials == 5 + before.finished - now.finished
    pictures = report_of(tmp_path / "steered").pictures
    assert pictures is not None and pictures.beliefs == now
    then = tunesmith.beliefs_of("steered", runs=tmp_path, at=7)
    assert then == before
    assert tunesmith.beliefs_of("steered", runs=tmp_path, at=0).parameters[0].ticks[-1] == "0.1"
