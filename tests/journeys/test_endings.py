"""How a run may end, and what the same command does then."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

import tunesmith
from fakes.chat_server import ChatRequest, ChatServer, Reply, calls, hanging
from fakes.plausible_model import PlausibleModel
from fakes.tiny_job import command, environment, write_job
from fakes.tiny_job import tunesmith as run_to_its_end
from tunesmith.events import (
    CommandDone,
    Confirmed,
    Degraded,
    Event,
    Pause,
    RunFinished,
    RunStarted,
    Stop,
    TrialStarted,
)
from tunesmith.space import Float, Int, Space
from tunesmith.tools.records.event_store import EventStore

SLOW_TEST = """
import time


def train(config, trial):
    return {"score": config["lr"]}


def test(config, trial):
    time.sleep(0.5)
    return {"score": config["lr"]}
"""


def begun(tmp_path: Path, *arguments: object, **env: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command("run", "task.yaml", *arguments),
        cwd=tmp_path,
        env=environment(**env),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def log(tmp_path: Path) -> EventStore:
    return EventStore(tmp_path / "runs/tiny/run.db", create=False)


def until(store: EventStore, *kinds: type[Event], timeout_s: float = 30) -> list[Event]:
    deadline = time.monotonic() + timeout_s
    while not any(isinstance(event, kinds) for event in store.events()):
        assert time.monotonic() < deadline, [event.kind for event in store.events()]
        time.sleep(0.02)
    return store.events()


def count(events: list[Event], kind: type[Event]) -> int:
    return sum(isinstance(event, kind) for event in events)


def test_a_stop_during_the_comparison_is_obeyed_and_the_same_command_finishes_it(tmp_path: Path) -> None:
    write_job(tmp_path, trials=3, train=SLOW_TEST)
    store = log(tmp_path)
    run = begun(tmp_path)
    try:
        until(store, Confirmed)
        pause, stop = store.post(Pause()), store.post(Stop())
        assert run.wait(20) == 130
    finally:
        run.kill()
        run.communicate()
    done = {e.command_id: e.ok for e in store.events() if isinstance(e, CommandDone)}
    assert done == {pause: False, stop: True}
    before = count(store.events(), TrialStarted)
    again = run_to_its_end("run", "task.yaml", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert count(store.events(), TrialStarted) == before == 3
    assert (tmp_path / "runs/tiny/confirm.json").is_file()


def test_killed_during_the_comparison_it_is_finished_without_a_further_trial(tmp_path: Path) -> None:
    write_job(tmp_path, trials=3, train=SLOW_TEST)
    store = log(tmp_path)
    run = begun(tmp_path)
    until(store, Confirmed)
    run.kill()
    run.communicate()
    again = run_to_its_end("run", "task.yaml", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert count(store.events(), TrialStarted) == 3
    verdicts = [e for e in store.events() if isinstance(e, Confirmed) and e.text]
    assert len(verdicts) == 1 and "Not compared" not in verdicts[0].text


def finishing(request: ChatRequest) -> Reply:
    """An agent that ends the search as soon as it may."""
    if "finish" not in request.tools:
        return calls(("decide", {"reason": "?"}))
    if any("#2" in str(m.get("content")) for m in request.messages):
        return calls(("finish", {"reason": "It cannot get any better."}))
    return calls(("decide", {"reason": "Wait for a few.", "wake_after": 3}))


def test_the_agents_end_of_the_search_holds_until_more_trials_are_asked_for(tmp_path: Path) -> None:
    write_job(tmp_path, trials=20, train=SLOW_TEST)
    store = log(tmp_path)
    with ChatServer(finishing) as server:
        env = {"TUNESMITH_BASE_URL": server.url, "TUNESMITH_MODEL": "scripted"}
        run = begun(tmp_path, **env)
        until(store, Confirmed, RunFinished)
        run.send_signal(signal.SIGINT)
        run.communicate(timeout=30)
        started = count(store.events(), TrialStarted)
        assert started < 10
        again = run_to_its_end("run", "task.yaml", cwd=tmp_path, **env)
        assert again.returncode == 0, again.stderr
        assert "It cannot get any better." in again.stdout
        assert count(store.events(), TrialStarted) == started, "the search went on although it had been ended"
        more = run_to_its_end("run", "task.yaml", "--trials", 21, cwd=tmp_path, **env)
        assert more.returncode == 0
        assert count(store.events(), RunStarted) == 3


def test_ctrl_c_does_not_wait_for_a_model_that_hangs_within_a_tool(tmp_path: Path) -> None:
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
        return hanging(60)

    with ChatServer(script) as server:
        run = begun(tmp_path, TUNESMITH_BASE_URL=server.url, TUNESMITH_MODEL="scripted")
        try:
            assert hung.wait(60)
            began = time.monotonic()
            run.send_signal(signal.SIGINT)
            _, errors = run.communicate(timeout=20)
        finally:
            run.kill()
    assert run.returncode == 130 and "Traceback" not in errors
    assert time.monotonic() - began < 10
    kinds = [event.kind for event in log(tmp_path).events()]
    assert set(kinds[kinds.index("run_finished") + 1 :]) <= {"model_called"}


def test_time_between_a_kill_and_the_next_sitting_is_not_spent(tmp_path: Path) -> None:
    task = write_job(tmp_path, trials=6, pause=0.15)
    task.write_text(task.read_text().replace("trial_time: 30", "trial_time: 30, wall_time: 30"))
    store = log(tmp_path)
    nobody = {"TUNESMITH_BASE_URL": "http://127.0.0.1:9/v1", "TUNESMITH_TIMEOUT_S": "2"}
    for _ in range(2):  # each sitting first says what is wrong, in the morning as it were
        run = begun(tmp_path, **nobody)
        deadline = time.monotonic() + 30
        seen = count(store.events(), TrialStarted)
        while count(store.events(), TrialStarted) < seen + 2:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        run.kill()
        run.communicate()
        _a_night_passes(tmp_path / "runs/tiny")
    done = run_to_its_end("run", "task.yaml", cwd=tmp_path, **nobody)
    assert done.returncode == 0, done.stdout
    assert "budget of 6 trials is used" in done.stdout, done.stdout
    assert count(store.events(), Degraded) >= 2


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

    def go(listen=None) -> tunesmith.Result:  # type: ignore[no-untyped-def]
        return tunesmith.tune(
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
