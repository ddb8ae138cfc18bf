"""`tunesmith.tune` as a program calls it: closures, unguarded scripts, interruptions."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest

import tunesmith
import tunesmith.training
from fakes.tiny_job import environment
from tunesmith import Float, Int
from tunesmith.errors import InvalidConfiguration, RunError, TaskError, UsageError
from tunesmith.events import Event, RunStarted, TrialFinished

SPACE = {"x": Float(-5.0, 5.0), "k": Int(1, 4)}


@pytest.mark.long
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


@pytest.mark.long
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


@pytest.mark.long
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
        ({"env": {"STAGE": "1"}}, "env.STAGE: is not a key of a task file; there are pass, set"),
    ],
    ids=lambda value: str(*value) if isinstance(value, dict) else "",
)
def test_a_wrong_limit_is_told_as_in_a_task_file(tmp_path: Path, wrong: dict[str, object], told: str) -> None:
    with pytest.raises(TaskError, match=f"^{told}"):
        tunesmith.tune(
            lambda config, trial: 1.0,
            SPACE,
            **{"metric": "x", "direction": "maximize", "runs": tmp_path, **wrong},
        )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("wrong", [{"confirm": 3}, {"confirm": print}, {"listen": "print"}], ids=str)
def test_an_argument_of_a_wrong_kind_is_named(tmp_path: Path, wrong: dict[str, object]) -> None:
    arguments = {"metric": "x", "direction": "maximize", "runs": tmp_path, **wrong}
    with pytest.raises(UsageError, match=f"^{next(iter(wrong))} should be a "):
        tunesmith.tune(lambda config, trial: 1.0, SPACE, **arguments)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.long
def test_pruner_storage_and_comparison_are_arguments_and_the_result_is_a_table(tmp_path: Path) -> None:
    def train(config: dict[str, float], trial: tunesmith.Trial) -> dict[str, float]:
        (trial.checkpoint_dir / "seed").write_text(str(trial.seed))
        trial.report(config["x"], 0)
        return {"loss": config["x"] ** 2, "<b>size</b>": config["k"]}

    result = tunesmith.tune(
        train,
        SPACE,
        metric="loss",
        direction="minimize",
        trials=4,
        default={"x": 4.0, "k": 3},
        runs=tmp_path,
        model=None,
        pruner="none",
        storage=f"sqlite:///{tmp_path}/study.db",
        confirm={"seeds": 2, "most": 2},
    )
    assert (tmp_path / "study.db").is_file() and "2" in result.verdict
    assert "kind: none" in (result.folder / "task.yaml").read_text()
    table = result.trials_dataframe()
    columns = ["number", "state", "value", "seconds", "origin", "reason", "message", "params.x", "params.k"]
    assert list(table.columns) == [*columns, "metrics.<b>size</b>"] and len(table) == 4
    assert table["value"].min() == result.best_value and (table["params.x"] ** 2 == table["value"]).all()
    assert repr(result).startswith("<Result finished: 4 trials, best ") and len(repr(result)) < 200
    shown = result._repr_html_()
    assert shown.count("<tr>") == 5 and "&lt;Result finished" in shown and "<b>" not in shown


def test_a_function_that_cannot_work_raises_with_its_cause_and_the_run(tmp_path: Path) -> None:
    def train(config, trial):  # type: ignore[no-untyped-def]
        raise KeyError("no such column: label")

    with pytest.raises(tunesmith.RunFailed, match="no such column: label") as caught:
        tunesmith.tune(train, SPACE, metric="x", direction="maximize", trials=9, runs=tmp_path, model=None)
    assert "raise KeyError" in str(caught.value) and "log.txt" in str(caught.value)
    result = caught.value.result
    assert isinstance(result, tunesmith.Result) and 0 < len(result.history) < 9, "it ends early"


def test_another_thread_stops_a_run_and_the_same_call_continues_it(tmp_path: Path) -> None:
    asked: list[int] = []

    def stop(event: Event) -> None:
        if isinstance(event, TrialFinished) and event.number == 1:
            assert tunesmith.stop(tmp_path / "another") == 0
            thread = threading.Thread(target=lambda: asked.append(tunesmith.stop(tmp_path / "job")))
            thread.start()
            thread.join()

    def go(listen: Callable[[Event], None] | None) -> tunesmith.Result:
        kinds: dict[str, Any] = {"metric": "x", "direction": "maximize", "model": None, "trials": 4}
        train = lambda config, trial: config["x"]  # noqa: E731
        return tunesmith.tune(train, SPACE, name="job", runs=tmp_path, listen=listen, **kinds)

    stopped = go(stop)
    assert asked == [1] and (stopped.status, stopped.reason) == ("stopped", "asked to end by stop()")
    assert tunesmith.stop() == 0, "nothing runs any more"
    assert go(None).status == "finished"


SPAWNED = """
import multiprocessing
import tunesmith

def train(config, trial):
    return scale * config["x"]

scale = 2.0

def job(answers):
    space = {"x": tunesmith.Float(0, 1)}
    result = tunesmith.tune(train, space, metric="x", direction="maximize", trials=2, model=None)
    answers.put((result.status, len(result.history)))

if __name__ == "__main__":
    spawn = multiprocessing.get_context("spawn")
    answers = spawn.Queue()
    process = spawn.Process(target=job, args=(answers,), daemon=True)
    process.start()
    process.join()
    print(process.exitcode, answers.get() if process.exitcode == 0 else None)
"""


@pytest.mark.long
def test_a_spawned_process_tunes_a_function_of_the_main_program(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SPAWNED)
    done = subprocess.run(
        [sys.executable, "script.py"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "0 ('finished', 2)", done.stderr


def test_the_document_names_every_event_and_every_member() -> None:
    document = (Path(__file__).parents[2] / "docs/python.md").read_text(encoding="utf-8")
    kinds = [kind.__name__ for kind in get_args(get_args(Event)[0])]
    assert "RunStarted" in kinds and [kind for kind in kinds if f"`{kind}`" not in document] == []
    public = [name for name in dir(tunesmith.Trial) if not name.startswith("_") and name != "record"]
    assert [name for name in public if f"trial.{name}" not in document] == []
    helpers = [name for name in tunesmith.training.__all__ if name not in ("TrialHandle", "Trial")]
    assert [name for name in helpers if f"`{name}" not in document] == []


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


@pytest.mark.long
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


@pytest.mark.long
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
