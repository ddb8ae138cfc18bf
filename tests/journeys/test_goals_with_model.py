"""A run with two metrics, a limit and a budget of costs, and a language model over real HTTP."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import SecretStr

from fakes import chat_server as chat
from fakes.chat_server import ChatRequest, ChatServer, Reply
from fakes.plausible_model import PlausibleModel
from fakes.tiny_job import write_job
from tunesmith.api import run_task
from tunesmith.events import Degraded, Event, PriorsElicited, Thought, ToolReturned
from tunesmith.settings import ModelSettings
from tunesmith.task import load_task

TRAIN = """
import math


def train(config, trial):
    loss = (math.log10(config["lr"]) + 2.5) ** 2 + 400 / config["width"] ** 2
    for step in range(2):
        trial.report(-loss - 1.0 / (step + 1), step)
    return {"score": -loss, "latency_ms": config["width"] / 2}
"""
GOALS = """
metrics: {score: maximize, latency_ms: minimize}
limits: {latency_ms: "<= 20"}
cost: width / 16
preload: []
in_step: true
"""


@pytest.mark.long
def test_a_model_opens_proposes_and_decides_with_two_metrics_a_limit_and_costs(tmp_path: Path) -> None:
    path = write_job(tmp_path, trials=8, train=TRAIN)
    kept = [line for line in path.read_text().splitlines() if not line.startswith(("metric:", "direction:"))]
    path.write_text("\n".join(kept).replace("trials: 8", "trials: 8, cost: 20") + GOALS)
    task = load_task(path).model_copy(update={"confirm": None})
    sensible, said = PlausibleModel(task.space, {"lr": 3e-3, "width": 44}), "#0 is in, latency_ms 8."

    def script(request: ChatRequest) -> Reply:
        if "decide" not in request.tools:
            return sensible(request)
        if request.turn == 0:
            return chat.calls(("history", {"by": "front"}), content="I look at the front.")
        return chat.calls(("decide", {"reason": said, "wake_after": 3, "picks": [1]}), content=said)

    events: list[Event] = []
    with ChatServer(script) as server:
        settings = ModelSettings(base_url=server.url, model="m", api_key=SecretStr("sk-secret-secret"))
        result = run_task(task, runs=tmp_path / "runs", model=settings, listen=events.append)
        asked = [json.dumps(r.body["messages"]) for r in server.chats]
    past = result.history
    assert 5 <= len(past) <= 8 and past.cost <= 20 and len(past.feasible) < len(past.completed)
    assert past.incumbent is not None and past.incumbent.values["latency_ms"] <= 20
    assert [e for e in events if isinstance(e, Degraded)] == []
    assert any(isinstance(e, PriorsElicited) for e in events)
    assert any(t.proposal.origin.value == "model" for t in past)
    assert all("Limits: latency_ms <= 20." in text and "A trial costs width / 16" in text for text in asked)
    assert any("The Pareto front so far" in text for text in asked)
    looked = [e for e in events if isinstance(e, ToolReturned) and e.tool == "history"]
    assert looked and all(e.ok and "The Pareto front: " in e.result for e in looked)
    narrated = " ".join(e.text for e in events if isinstance(e, Thought) and e.speaker == "narrator")
    assert "the Pareto front" in narrated
