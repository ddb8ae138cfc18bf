"""How a run may end, and what the same command does then."""

from __future__ import annotations

import json
import signal
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from fakes.chat_server import ChatRequest, ChatServer, Reply, calls, hanging
from fakes.plausible_model import PlausibleModel
from fakes.tiny_job import started, tunesmith, wait_for, write_job
from tunesmith import Result, tune
from tunesmith.commands import Pause, Stop
from tunesmith.events import CommandDone, Confirmed, Degraded, Event, RunFinished, RunStarted, TrialStarted
from tunesmith.space import Float, Int, Space
from tunesmith.tools.records.event_store import EventStore

HELD_COMPARISON = """
import time
from pathlib import Path


def train(config, trial):
    return {"score": config["lr"]}


def test(config, trial):
    here = Path(__file__).parent
    (here / "comparing").touch()
    while not (here / "go").exists():
        time.sleep(0.02)
    return {"score": config["lr"]}
"""


@pytest.fixture
def log(tmp_path: Path) -> Iterator[EventStore]:
    store = EventStore(tmp_path / "runs/tiny/run.db", create=False)
    yield store
    store.close()


def count(store: EventStore, kind: type[Event]) -> int:
    return sum(isinstance(event, kind) for event in store.events())


@pytest.mark.long
def test_a_kill_and_a_stop_during_the_comparison_cost_no_further_trial(
    tmp_path: Path, log: EventStore
) -> None:
    write_job(tmp_path, trials=3, train=HELD_COMPARISON)
    run = started("run", "task.yaml", cwd=tmp_path)
    wait_for((tmp_path / "comparing").exists, run)
    run.kill()
    run.communicate()
    (tmp_path / "comparing").unlink()
    run = started("run", "task.yaml", cwd=tmp_path)
    wait_for((tmp_path / "comparing").exists, run)
    pause, stop = log.post(Pause()), log.post(Stop())
    run.communicate()
    assert run.returncode == 130
    done = {e.command_id: e.ok for e in log.events() if isinstance(e, CommandDone)}
    assert done == {pause: False, stop: True}
    (tmp_path / "go").touch()
    again = tunesmith("run", "task.yaml", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert count(log, TrialStarted) == 3
    verdicts = [e.text for e in log.events() if isinstance(e, Confirmed) and e.text]
    assert ["Not compared" in text for text in verdicts] == [True, False], verdicts
    assert (tmp_path / "runs/tiny/confirm.json").is_file()


def finishing(request: ChatRequest) -> Reply:
    """An agent that ends the search as soon as it may."""
    if "finish" not in request.tools:
        return calls(("decide", {"reason": "?"}))
    if any("#2" in str(m.get("content")) for m in request.messages):
        return calls(("finish", {"reason": "It cannot get any better."}))
    return calls(("decide", {"reason": "Wait for a few.", "wake_after": 3}))


@pytest.mark.long
def test_the_agents_end_of_the_search_holds_until_more_trials_are_asked_for(
    tmp_path: Path, log: EventStore
) -> None:
    write_job(tmp_path, trials=20, train=HELD_COMPARISON, in_step=True)
    with ChatServer(finishing) as server:
        env = {"TUNESMITH_BASE_URL": server.url, "TUNESMITH_MODEL": "scripted"}
        run = started("run", "task.yaml", cwd=tmp_path, **env)
        wait_for((tmp_path / "comparing").exists, run)
        run.send_signal(signal.SIGHUP)  # as when its terminal is closed
        run.communicate()
        assert run.returncode == 130
        ended = count(log, TrialStarted)
        assert ended < 10
        (tmp_path / "go").touch()
        again = tunesmith("run", "task.yaml", cwd=tmp_path, **env)
        assert again.returncode == 0, again.stderr
        assert "It cannot get any better." in again.stdout
        assert count(log, TrialStarted) == ended, "the search went on although it had been ended"
        more = tunesmith("run", "task.yaml", "--trials", 21, cwd=tmp_path, **env)
        assert more.returncode == 0
        assert count(log, RunStarted) == 3


@pytest.mark.long
def test_ctrl_c_does_not_wait_for_a_model_that_hangs_within_a_tool(tmp_path: Path, log: EventStore) -> None:
    write_job(tmp_path, trials=60, pause=0.05)
    space = Space({"lr": Float(1e-5, 1, scale="log"), "width": Int(8, 128)})
    sensible = PlausibleModel(space, {"lr": 3e-3, "width": 48})
    hung = threading.Event()

    def script(request: ChatRequest) -> Reply:
        if "decide" in request.tools:
            return calls(("suggest", {"n": 2}))
        if request.number == 0:
            return sensible(request)
        hung.set()
        return hanging()

    with ChatServer(script) as server:
        env = {"TUNESMITH_BASE_URL": server.url, "TUNESMITH_MODEL": "scripted", "TUNESMITH_TIMEOUT_S": "3000"}
        run = started("run", "task.yaml", cwd=tmp_path, **env)
        wait_for(hung.is_set, run)
        run.send_signal(signal.SIGINT)
        output, _ = run.communicate()  # it ends although the server still hangs
    assert run.returncode == 130 and "Traceback" not in output
    kinds = [event.kind for event in log.events()]
    assert set(kinds[kinds.index("run_finished") + 1 :]) <= {"model_called"}


@pytest.mark.long
def test_time_between_a_kill_and_the_next_session_is_not_spent(tmp_path: Path, log: EventStore) -> None:
    task = write_job(tmp_path, trials=6, pause=0.15)
    task.write_text(task.read_text().replace("trial_time: 600", "trial_time: 600, wall_time: 3600"))
    nobody = {"TUNESMITH_BASE_URL": "http://127.0.0.1:9/v1"}
    run = started("run", "task.yaml", cwd=tmp_path, **nobody)
    wait_for(lambda: count(log, TrialStarted) >= 2, run)
    run.kill()
    run.communicate()
    _a_night_passes(tmp_path / "runs/tiny")
    done = tunesmith("run", "task.yaml", cwd=tmp_path, **nobody)
    assert done.returncode == 0, done.stdout
    assert "budget of 6 trials is used" in done.stdout, done.stdout
    assert count(log, Degraded) >= 2, "each session says that no model answers before it starts a trial"


def _a_night_passes(folder: Path) -> None:
    """Everything on record happened ten hours earlier than it says."""
    with closing(sqlite3.connect(folder / "run.db")) as connection, connection:
        connection.execute("UPDATE events SET at = at - 36000")
    for path in folder.glob("trials/*/config.json"):
        config = json.loads(path.read_bytes())
        path.write_text(json.dumps({**config, "started_at": config["started_at"] - 36000}))


def test_a_listener_that_fails_stops_the_run_resumably_and_hears_of_it(tmp_path: Path) -> None:
    def train(config, trial):  # type: ignore[no-untyped-def]
        return config["x"]

    def go(listen=None) -> Result:  # type: ignore[no-untyped-def]
        return tune(
            train,
            {"x": Float(0.0, 1.0)},
            metric="x",
            direction="maximize",
            trials=6,
            name="job",
            runs=tmp_path,
            model=None,
            listen=listen,
        )

    def plot(event: Event) -> None:
        if event.kind == "trial_finished":
            raise ZeroDivisionError("no axis")

    with pytest.raises(ZeroDivisionError, match="no axis"):
        go(plot)
    store = EventStore(tmp_path / "job/run.db")
    ending = store.events()[-1]
    store.close()
    assert isinstance(ending, RunFinished) and ending.status == "stopped" and "no axis" in ending.reason
    assert (tmp_path / "job/report.md").is_file()
    assert len(go().history.completed) == 6
