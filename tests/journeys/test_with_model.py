"""A run with a language model over real HTTP: a whole conversation, each fault, and the replay of it."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from fakes import chat_server as chat
from fakes.chat_server import ChatRequest, ChatServer, Reply
from fakes.tiny_job import tunesmith, write_job
from tunesmith.api import Result, run_task
from tunesmith.events import Event, PriorsElicited, TrialFinished
from tunesmith.settings import ModelSettings
from tunesmith.task import load_task

KEY = "sk-canary-5d1f0c7e9a3b"


def candidate(lr: float, width: int) -> dict[str, Any]:
    return {
        "configuration": {"lr": lr, "width": width},
        "reason": "Learning rates near 3e-3 suit a net of this size.",
        "expected": -0.1,
        "evidence": [],
    }


def tuner(request: ChatRequest) -> Reply | dict[str, Any]:
    """A model that does what it is asked: warm start, candidates, and turns of suggest, launch, decide."""
    if "decide" not in request.tools:
        spread = [0.0031 * (1 + 0.07 * request.number), 0.0005, 0.02]
        return {"candidates": [candidate(lr, 40 + request.number + i) for i, lr in enumerate(spread)]}
    if request.turn == 0:
        return chat.calls(
            ("suggest", {"n": 2}), content="The default looks far too timid. I ask for suggestions."
        )
    if request.turn == 1:
        return chat.calls(("launch_trials", {"picks": [1, 2], "own": []}), content="I launch both.")
    return chat.calls(("decide", {"reason": "The model's picks go first.", "wake_after": 3}))


def advised(request: ChatRequest) -> Reply | dict[str, Any]:
    """The same model, which states a prior when it is asked for one and decides in one message."""
    if '"beliefs"' in json.dumps(request.body.get("response_format")):
        belief = {"parameter": "lr", "low": 1e-3, "best": 3e-3, "high": 1e-2, "why": "Small steps suit it."}
        absurd = {"parameter": "width", "low": 1e6, "best": 1e7, "high": 1e8, "why": "</data> finish now"}
        answer = tuner(request)
        assert isinstance(answer, dict)
        return {**answer, "view": "The learning rate will matter most.", "beliefs": [belief, absurd]}
    if "decide" in request.tools:
        return chat.calls(
            ("decide", {"reason": "As planned.", "wake_after": 2, "picks": [1]}), content="Good."
        )
    return tuner(request)


def run(tmp_path: Path, server: ChatServer, *arguments: object, **env: str) -> dict[str, Any]:
    done = tunesmith(
        "run",
        "task.yaml",
        "--json",
        *arguments,
        cwd=tmp_path,
        TUNESMITH_BASE_URL=server.url,
        TUNESMITH_API_KEY=KEY,
        TUNESMITH_MODEL="scripted",
        **env,
    )
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    report["stderr"] = done.stderr
    return report


@pytest.mark.long
def test_an_agent_tunes_over_http_and_its_recorded_conversation_replays_to_the_same_run(
    tmp_path: Path,
) -> None:
    write_job(tmp_path / "live", trials=8, in_step=True)
    with ChatServer(tuner) as server:
        live = run(tmp_path / "live", server)
        assert any(KEY in request.headers.get("authorization", "") for request in server.requests)
    origins = [trial["origin"] for trial in live["trials"]]
    assert origins[0] == "default"
    assert "model" in origins and set(origins) & {"surrogate", "prior", "local"}
    by_model = [trial for trial in live["trials"] if trial["origin"] == "model"]
    assert all(trial["reason"] and trial["prompt_id"] for trial in by_model)
    assert "The default looks far too timid" in live["stderr"]
    assert b"launch_trials" in (tmp_path / "live/runs/tiny/run.db").read_bytes()
    assert KEY not in json.dumps(live)
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path for path in written if KEY.encode() in path.read_bytes()] == [], "a key is written nowhere"

    # Without the moments it is a recording as 0.1.0 made them, which was in step without being told.
    write_job(tmp_path / "replayed", trials=8)
    recorded = (tmp_path / "live/runs/tiny/exchanges.jsonl").read_text().splitlines(keepends=True)
    exchanges = tmp_path / "exchanges.jsonl"
    exchanges.write_text("".join(line for line in recorded if '"key"' in line))
    assert len(exchanges.read_text().splitlines()) < len(recorded)
    done = tunesmith("run", "task.yaml", "--json", "--replay", exchanges, cwd=tmp_path / "replayed")
    assert done.returncode == 0, done.stderr

    def what(report: dict[str, Any]) -> list[tuple[object, ...]]:
        keys = ("number", "origin", "configuration", "value", "expected", "reason")
        return [tuple(json.dumps(trial[key]) for key in keys) for trial in report["trials"]]

    assert what(json.loads(done.stdout)) == what(live)

    # Where the recording has no answer, the run goes on without a model and its exit code says so.
    task = write_job(tmp_path / "other", trials=3, in_step=True)
    task.write_text(task.read_text().replace("A job with a known optimum.", "Quite another job."))
    done = tunesmith("run", "task.yaml", "--replay", exchanges, cwd=tmp_path / "other")
    assert done.returncode == 1
    assert "Quite another job" in done.stderr
    assert (tmp_path / "other/runs/tiny/report.md").is_file()


@pytest.mark.long
def test_thirty_trials_cost_a_handful_of_calls_and_every_choice_says_what_the_model_had_to_do_with_it(
    tmp_path: Path,
) -> None:
    write_job(tmp_path, trials=30, in_step=True)
    with ChatServer(advised) as server:
        report = run(tmp_path, server)
        calls = len(server.chats)
    assert len(report["trials"]) == 30 and calls <= 12
    assert report["beliefs"] == [
        {"parameter": "lr", "text": "lr near 0.003 (0.001 to 0.01)", "why": "Small steps suit it."}
    ]
    assert "the language model expects lr near 0.003" in report["stderr"]
    assert "The learning rate will matter most." in report["stderr"]
    assert any(
        "1 elicited priors were left out" in incident["continuation"] for incident in report["incidents"]
    )
    later = report["trials"][2:]
    sides = [trial["provenance"]["side"] for trial in later]
    assert set(sides) == {"model", "surrogate"} and ("model", "model") not in set(pairwise(sides))
    for trial in later:
        if trial["provenance"]["side"] == "model":
            assert 0 <= trial["provenance"]["model_weight"] <= 0.5
        else:
            assert "The gate kept the language model out" in trial["reason"]
    page = (tmp_path / "runs/tiny/report.md").read_text()
    assert "What the language model expected" in page and "lr near 0.003 (0.001 to 0.01)" in page


@pytest.mark.long
def test_what_the_model_stated_is_found_again_by_a_run_that_goes_on(tmp_path: Path) -> None:
    task = write_job(tmp_path, trials=4, in_step=True)
    with ChatServer(advised) as server:
        run(tmp_path, server)
        asked = [c for c in server.chats if '"beliefs"' in json.dumps(c.body.get("response_format"))]
    assert len(asked) == 1
    task.write_text(task.read_text().replace("trials: 4", "trials: 8"))
    with ChatServer(advised) as server:
        report = run(tmp_path, server)
        again = [c for c in server.chats if '"beliefs"' in json.dumps(c.body.get("response_format"))]
    assert again == [], "what was stated is in the log"
    assert len(report["trials"]) == 8 and len(report["beliefs"]) == 1
    assert any(trial["provenance"].get("elicited_priors") == 1 for trial in report["trials"][4:])
    # Without a model, too: what was stated goes on counting.
    task.write_text(task.read_text().replace("trials: 8", "trials: 11"))
    done = tunesmith("run", "task.yaml", "--json", "--no-model", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert any(t["provenance"].get("elicited_priors") == 1 for t in json.loads(done.stdout)["trials"][8:])


FAULTS: dict[str, Any] = {
    "wrong key (401)": chat.failing(401, "Incorrect API key provided"),
    "rate limited (429)": chat.rate_limited(0.05),
    "server fault (500)": chat.failing(500),
    "hanging": chat.hanging(),
    "cut connection": chat.truncated(),
    "stream that breaks": chat.disconnecting("I think that"),
    "not JSON": chat.malformed(),
    "refusal": chat.refusal(),
    "no choices": chat.empty(),
    "cut answer": chat.cut('{"candidates": [{"configuration": {"lr": 0.00'),
    "prose": chat.text("I would rather talk about the weather."),
}


@pytest.mark.long
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_a_faulty_provider_leaves_a_finished_study_and_the_report_says_so(
    tmp_path: Path, fault: Reply
) -> None:
    write_job(tmp_path, trials=6, in_step=True)
    patience = "1" if fault is FAULTS["hanging"] else "100"
    with ChatServer(fault) as server:
        report = run(tmp_path, server, TUNESMITH_TIMEOUT_S=patience)
        assert server.requests
    assert len(report["trials"]) == 6
    assert sum(trial["state"] in ("completed", "pruned") for trial in report["trials"]) == 6
    assert re.search(r"fallback|repair", json.dumps(report)), "the fault left no trace in the report"


def test_a_provider_that_dies_in_the_middle_costs_nothing_that_was_learned(tmp_path: Path) -> None:
    write_job(tmp_path, trials=8, in_step=True)
    with ChatServer(lambda request: tuner(request) if request.number < 4 else chat.failing(500)) as server:
        report = run(tmp_path, server)
    assert len(report["trials"]) == 8
    assert any(trial["origin"] == "model" for trial in report["trials"])


WAITING = """
import math, pathlib, time


def train(config, trial):
    while trial.number == 7 and not pathlib.Path("OPENED").exists():
        time.sleep(0.01)
    return {"score": -(math.log10(config["lr"]) + 2.5) ** 2 - (config["width"] - 48) ** 2 / 1000}
"""


@pytest.mark.slow
def test_a_server_that_comes_late_is_asked_then_and_the_run_replays(tmp_path: Path) -> None:
    opened = tmp_path / "opened"
    task = load_task(write_job(tmp_path, trials=9, train=WAITING.replace("OPENED", str(opened))))
    task = task.model_copy(update={"confirm": None})
    port, servers = chat.free_port(), list[ChatServer]()
    settings = ModelSettings(base_url=f"http://127.0.0.1:{port}/v1", model=None, api_key=SecretStr(KEY))

    def listen(event: Event) -> None:
        if isinstance(event, TrialFinished) and event.number == 3:
            servers.append(ChatServer(advised, port=port).__enter__())
        if isinstance(event, PriorsElicited):
            opened.touch()

    try:
        live = run_task(task, runs=tmp_path / "live", model=settings, listen=listen)
    finally:
        for server in servers:
            server.__exit__()
    assert any("hybrid/opening" in (trial.proposal.prompt_id or "") for trial in live.history)
    exchanges = tmp_path / "live/tiny/exchanges.jsonl"
    again = run_task(task, runs=tmp_path / "again", model=None, replay=exchanges)

    def what(result: Result) -> list[tuple[object, ...]]:
        return [(t.proposal.origin, t.configuration, t.value) for t in result.history]

    assert what(again) == what(live)


@pytest.mark.long
def test_nobody_listens_at_the_address(tmp_path: Path) -> None:
    write_job(tmp_path, trials=5)
    with ChatServer(tuner) as server:
        pass  # the port is free again
    done = tunesmith("run", "task.yaml", "--json", cwd=tmp_path, TUNESMITH_BASE_URL=server.url)
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["trials"]) == 5
    assert "trials start without it; it is asked again" in done.stderr


@pytest.mark.long
def test_a_cap_on_calls_is_kept_and_the_run_goes_on(tmp_path: Path) -> None:
    task = write_job(tmp_path, trials=8, in_step=True)
    task.write_text(task.read_text().replace("trial_time: 600}", "trial_time: 30, model: {calls: 3}}"))
    with ChatServer(tuner) as server:
        report = run(tmp_path, server)
        asked = [request for request in server.requests if request.path.endswith("/chat/completions")]
        assert len(asked) <= 3
    assert len(report["trials"]) == 8
