"""`tunesmith tell`: a run that goes on, one that has ended, with a model and without."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fakes.chat_server import ChatRequest, ChatServer
from fakes.tiny_job import started, tunesmith, wait_for, write_job
from tunesmith.events import Answered, Asked, Noted, RunFinished, TrialFinished
from tunesmith.tools.records.event_store import EventStore
from tunesmith.tools.records.run_folder import RunFolder

QUICK = """
def train(config, trial):
    print("hello from trial", trial.number)
    return {"score": config["lr"]}


def test(config, trial):
    return {"score": config["lr"]}
"""
HELD = """
import time
from pathlib import Path


def train(config, trial):
    while trial.number and not Path(__file__).with_name("go").exists():
        time.sleep(0.02)
    return {"score": config["lr"]}


def test(config, trial):
    return {"score": config["lr"]}
"""


def said(cwd: Path, *words: str, code: int = 0, **env: str) -> dict[str, Any]:
    done = tunesmith("tell", "tiny", *words, "--json", cwd=cwd, **env)
    assert done.returncode == code, (done.stdout, done.stderr)
    reply: dict[str, Any] = json.loads(done.stdout)
    return reply


def test_words_that_begin_with_a_dash_need_no_quotes_and_a_wrong_option_is_said(tmp_path: Path) -> None:
    for words in (["/trials", "-100"], ["--", "why", "--x"], ["--timeout", "1", "/prior", "lr", "~-.5"]):
        done = tunesmith("tell", "none", *words, cwd=tmp_path)
        assert done.returncode == 2 and "none is not a run folder" in done.stderr, done.stderr
    for words in (["best", "--jsn"], ["--yess", "/trials", "-100"]):
        done = tunesmith("tell", "none", *words, cwd=tmp_path)
        assert done.returncode == 2 and "No such option: " in done.stderr and "in quotes" in done.stderr


@pytest.mark.slow
def test_an_ended_run_answers_remembers_and_stays_ended(tmp_path: Path) -> None:
    write_job(tmp_path, trials=3, train=QUICK)
    assert tunesmith("run", "task.yaml", cwd=tmp_path).returncode == 0
    reply = said(tmp_path, "why", "1")
    assert reply["status"] == "done" and reply["by"] == "records" and "#1" in reply["answer"]
    assert "why 1" in said(tmp_path, "what did I ask?")["answer"]
    assert "hello from trial 2" in said(tmp_path, "/log 2")["answer"]
    assert said(tmp_path, "/note", "it", "was", "fine")["done"][0]["ok"]
    assert "it was fine" in said(tmp_path, "what changed?")["answer"]
    assert said(tmp_path, "/pause", code=1)["status"] == "refused"
    assert said(tmp_path, "please freeze lr at 0.1", code=1)["status"] == "refused"
    assert said(tmp_path, "gibberish", code=1)["status"] == "refused"
    assert "/freeze" in tunesmith("tell", "tiny", "/help", cwd=tmp_path).stdout
    for wrong in ("/frobnicate", "/kill", "/quit", "/approve"):
        assert tunesmith("tell", "tiny", wrong, cwd=tmp_path).returncode == 2, wrong
    assert tunesmith("tell", "tiny", " ", cwd=tmp_path).returncode == 2
    assert tunesmith("tell", "other", "best", cwd=tmp_path).returncode == 2
    log = EventStore(tmp_path / "runs/tiny/run.db", create=False)
    kinds = [type(e) for e in log.events()]
    assert Asked in kinds and Answered in kinds and Noted in kinds and log.take_commands() == []
    log.close()
    again = tunesmith("run", "task.yaml", cwd=tmp_path)
    assert again.returncode == 0
    log = EventStore(tmp_path / "runs/tiny/run.db", create=False)
    assert len([e for e in log.events() if isinstance(e, RunFinished)]) == 1, "it has nothing left to do"
    log.close()

    def script(request: ChatRequest) -> dict[str, Any]:
        if "fewer" in request.last.rpartition("The person says now:")[2]:
            return {"answer": "", "cites": [], "actions": [{"kind": "budget", "trials": 8}]}
        return {"answer": "#1 reached 99.5.", "cites": [1], "actions": []}

    with ChatServer(script) as server:
        model = {"TUNESMITH_BASE_URL": server.url, "TUNESMITH_MODEL": "scripted"}
        reply = said(tmp_path, "how good is 1?", **model)
        assert len(server.chats) == 1 and "it was fine" in json.dumps(server.chats[0].body)
        assert said(tmp_path, "fewer or more trials: 8", code=3, **model)["done"] == []
        changed = said(tmp_path, "fewer or more trials: 8", "--yes", **model)
        assert changed["status"] == "done" and changed["done"][0]["ok"]
    assert reply["by"] == "model" and "Not confirmed by the records: trial 1 is " in reply["answer"]
    # The same command as ever goes on with what was changed after the end.
    assert tunesmith("run", "task.yaml", cwd=tmp_path).returncode == 0
    log = EventStore(tmp_path / "runs/tiny/run.db", create=False)
    assert len([e for e in log.events() if isinstance(e, TrialFinished)]) == 8
    log.close()


def test_a_running_run_answers_and_what_plain_words_would_change_waits_for_approval(tmp_path: Path) -> None:
    def script(request: ChatRequest) -> dict[str, Any]:
        if '"cites"' not in json.dumps(request.body):
            return {"candidates": []}
        now = str(request.last).rpartition("The person says now:")[2]
        if "width" in now:
            freeze = {"kind": "freeze", "parameter": "width", "value": 20}
            return {"answer": "", "cites": [], "actions": [freeze]}
        if "enough" in now:
            return {"answer": "I pass that on.", "cites": [], "actions": [{"kind": "stop", "text": "enough"}]}
        return {"answer": "Trial 0 leads.", "cites": [0], "actions": []}

    write_job(tmp_path, trials=4, train=HELD)
    with ChatServer(script) as server:
        model = {"TUNESMITH_BASE_URL": server.url, "TUNESMITH_MODEL": "scripted"}
        process = started("run", "task.yaml", cwd=tmp_path, **model)
        try:
            db = tmp_path / "runs/tiny/run.db"
            wait_for(db.is_file, process)
            log = EventStore(db, create=False)
            wait_for(lambda: any(isinstance(e, TrialFinished) for e in log.events()), process)
            assert said(tmp_path, "who leads?")["answer"] == "Trial 0 leads."
            frozen = said(tmp_path, "freeze width at 20", "--yes")
            assert frozen["status"] == "done" and frozen["done"][0]["reply"].startswith("Done: width: ")
            assert RunFolder.open(tmp_path / "runs/tiny").task.space.parameters["width"].size == 1
            waits = said(tmp_path, "that is enough", code=3)
            assert waits["status"] == "waiting" and waits["actions"][0]["kind"] == "stop"
            assert not [e for e in log.events() if isinstance(e, RunFinished)]
            done = said(tmp_path, "/approve")
            assert done["status"] == "done"
            process.communicate()
            assert process.returncode == 130
            assert said(tmp_path, "/why 0")["by"] == "records"
            log.close()
        finally:
            process.kill()
            process.wait()
