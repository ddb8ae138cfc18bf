"""A command with a progress bar, colours and a curve: `tunesmith run` reads it, and says what it took."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from tunesmith.cli import app

TRAIN = r"""
import json, sys
lr = float(sys.argv[1])
for epoch, gain in enumerate([0.1, 0.5, 0.2]):
    for i in range(5):
        sys.stdout.write(f"\rEpoch {epoch}:  {i * 20}%|{'#' * i}| {i}/5 [00:00<00:00, loss={gain:.3f}]")
    print("\x1b[32m" + repr({"epoch": epoch, "val_acc": gain + lr}) + "\x1b[0m")
"""
TASK = """
metric: METRIC
direction: maximize
objective: {command: "python train.py {lr}"}
space: {lr: {type: float, low: 0.001, high: 0.01}}
default: {lr: 0.005}
budget: {trials: 2}
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text(TRAIN)

    def run(metric: str) -> tuple[str, str]:
        (tmp_path / "job.yaml").write_text(TASK.replace("METRIC", metric))
        done = CliRunner().invoke(app, ["run", "job.yaml", "--no-model", "--fresh"])
        report = max((tmp_path / "runs").glob("job*/report.md"), key=lambda path: path.stat().st_mtime_ns)
        return " ".join(done.output.split()), report.read_text()

    return run


@pytest.mark.parametrize(
    ("metric", "told"),
    [
        ("val_acc", "The last of 3 values of val_acc is taken, at step 2; the best one is 0.505."),
        (
            "{name: val_acc, take: best}",
            "The best of 3 values of val_acc is taken, at step 1; the last one is",
        ),
    ],
)
def test_the_run_and_its_report_say_which_value_of_a_curve_was_taken(run, metric, told):
    screen, report = run(metric)
    assert f"Trial 0: {told}" in screen and screen.count("values of val_acc is taken") == 1
    assert f"Trial 0: {told}" in report and "holds for 1 other trial" in report


def test_the_closest_line_is_on_the_screen_where_nothing_counted(run):
    screen, report = run("val_accuracy")
    assert "line 3 has `val_acc`, the task asks for `val_accuracy`" in screen
    assert "line 3 has" in report
