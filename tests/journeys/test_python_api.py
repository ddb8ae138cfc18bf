"""`tunesmith.tune` as a program calls it: closures, unguarded scripts, interruptions."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

import tunesmith
from fakes.tiny_job import environment
from tunesmith import Float, Int
from tunesmith.errors import InvalidConfiguration, RunError, TaskError
from tunesmith.events import Event, RunStarted, TrialFinished

SPACE = {"x": Float(-5.0, 5.0), "k": Int(1, 4)}


def test_a_closure_is_tuned_and_the_result_is_what_lies_on_disk(tmp_path: Path) -> None:
    target = 1.25

    def train(config, trial):  # type: ignore[no-untyped-def]
        return (config["x"] - target) ** 2 + config["k"]

    heard: list[Event] = []
    result = tunesmith.tune(
        train,
        SPACE,
        metric="loss",
        direction="minimize",
        trials=12,
        default={"x": 4.0, "k": 3},
        runs=tmp_path,
        model=None,
        confirm_seeds=2,
        listen=heard.append,
    )
    assert result.status == "finished"
    assert result.best is not None and result.best_value is not None
    assert result.best_value == pytest.approx((result.best["x"] - target) ** 2 + result.best["k"])
    assert result.best_value < (4.0 - target) ** 2 + 3
    assert result.folder == tmp_path / "train"
    assert result.report is not None and result.report.is_file()
    assert "better" in result.verdict
    assert isinstance(heard[0], RunStarted)
    assert sum(isinstance(event, TrialFinished) for event in heard) == 12


def test_a_name_makes_a_run_that_is_continued(tmp_path: Path) -> None:
    def train(config, trial):  # type: ignore[no-untyped-def]
        return config["x"]

    def go(trials: int) -> tunesmith.Result:
        return tunesmith.tune(
            train,
            SPACE,
            metric="x",
            direction="maximize",
            trials=trials,
            name="job",
            runs=tmp_path,
            model=None,
        )

    first, second = go(3), go(6)
    assert [t.configuration for t in second.history][:3] == [t.configuration for t in first.history]
    assert len(second.history) == 6


def test_a_run_goes_on_in_a_changed_space_and_is_refused_with_another_metric(tmp_path: Path) -> None:
    def train(config, trial):  # type: ignore[no-untyped-def]
        return {"x": config["x"], "y": 0.0}

    kinds = {"direction": "maximize", "name": "job", "runs": tmp_path, "model": None}
    first = tunesmith.tune(train, SPACE, trials=3, metric="x", **kinds)
    narrow = {"x": Float(0.0, 0.5), "k": SPACE["k"]}
    result = tunesmith.tune(train, narrow, trials=5, metric="x", **kinds)
    assert sorted(t.number for t in (*result.history, *result.history.earlier)) == list(range(5))
    kept = [t.number for t in first.history if 0 <= t.configuration["x"] <= 0.5]
    assert [t.number for t in result.history if t.number < 3] == kept
    with pytest.raises(RunError, match="metric was 'x' and is now 'y'.*another `name`"):
        tunesmith.tune(train, narrow, trials=5, metric="y", **kinds)


def test_a_default_outside_the_space_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfiguration, match="'k'"):
        tunesmith.tune(
            lambda config, trial: 1.0,
            SPACE,
            metric="x",
            direction="maximize",
            default={"x": 0.0, "k": 9},
            runs=tmp_path,
        )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"trials": 0}, "budget.trials"),
        ({"wall_time_s": -1}, "budget.wall_time_s"),
        ({"confirm_seeds": -1}, "confirm.seeds"),
        ({"name": ""}, "name"),
    ],
    ids=lambda value: str(*value) if isinstance(value, dict) else "",
)
def test_a_wrong_limit_is_told_as_in_a_task_file(tmp_path: Path, wrong: dict[str, object], told: str) -> None:
    with pytest.raises(TaskError, match=f"^{told}: "):
        tunesmith.tune(
            lambda config, trial: 1.0,
            SPACE,
            **{"metric": "x", "direction": "maximize", "runs": tmp_path, **wrong},
        )
    assert list(tmp_path.iterdir()) == []


SCRIPT = """
import tunesmith
from tunesmith import Float

print("the script runs")
scale = 3.0

def train(config, trial):
    return {"loss": scale * config["x"] ** 2}

result = tunesmith.tune(train, {"x": Float(-1, 1)}, metric="loss", direction="minimize", trials=4, workers=2)
print("status", result.status, len(result.history))
"""


def test_an_unguarded_script_runs_once(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, "script.py"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["the script runs", "status finished 4"]


SLOW = """
import time
import tunesmith
from tunesmith import Float

def train(config, trial):
    time.sleep(0.3)
    print("a trial")
    return config["x"]

result = tunesmith.tune(train, {"x": Float(0, 1)}, metric="x", direction="maximize", trials=50,
                        listen=lambda event: print(event.kind, flush=True))
print("status", result.status, result.best_value is not None, flush=True)
"""


def test_ctrl_c_returns_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SLOW)
    run = subprocess.Popen(
        [sys.executable, "script.py"], cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, text=True
    )
    assert run.stdout is not None
    for line in run.stdout:
        if line.strip() == "trial_finished":
            break
    run.send_signal(signal.SIGINT)
    rest = run.stdout.read()
    assert run.wait() == 0
    assert rest.splitlines()[-1] == "status stopped True"
