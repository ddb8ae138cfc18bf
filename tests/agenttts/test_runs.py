"""Whole runs with a language model over real HTTP: `agenttts-paper` and `agenttts`."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from fakes.chat_server import ChatRequest, ChatServer, hanging
from tunesmith.api import Result, run_task
from tunesmith.bench.scripted_planner import scripted_planner
from tunesmith.events import Degraded, GuidelinesStated, RunFinished
from tunesmith.settings import ModelSettings
from tunesmith.task import load_task
from tunesmith.tools.analysis.guidelines import guidelines
from tunesmith.trial import Origin

STAGES = """
import random

def look(item, previous, *, model, seed):
    chance = {"small": 0.5, "large": 0.95}[model]
    return previous if random.Random(seed).random() < chance else "lost"

def answer(item, previous, *, model, seed):
    chance = {"small": 0.5, "large": 0.8}[model] * (previous != "lost")
    return item["n"] if random.Random(seed).random() < chance else -1

def score(item, output): return output == item["n"]
def items(): return [{"id": f"q{i}", "input": f"text {i}", "n": i} for i in range(20)]
"""
TASK = """
name: toy
problem:
  name: pipeline
  items: stages.py:items
  score: stages.py:score
  cost_model: flops
  item_budget: 1e12
  stages:
    look: {{call: stages.py:look, models: {models}, samples: {{low: 1, high: 20}}, {tokens}}}
    answer: {{call: stages.py:answer, models: {models}, samples: {{low: 1, high: 20}}, {tokens}}}
tuner: {tuner}
preload: []
pruner: none
confirm: null
in_step: {in_step}
budget: {{trials: {trials}, model: {{tokens: null}}}}
"""
PARTS = {
    "models": "{small: {parameters: 1e9}, large: {parameters: 5e9}}",
    "tokens": "tokens: {prompt: 20, completion: 10}",
}


WAIT = """
import os, time

counted, here = score, os.path.dirname(__file__)

def score(item, output):
    while len(os.listdir(os.path.join(here, "runs/toy/trials"))) > 10 and not os.path.exists(
        os.path.join(here, "asked")
    ):
        time.sleep(0.01)
    return counted(item, output)
"""


def planner(request: ChatRequest) -> Any:
    """The scripted planner behind a server; a person's questions are none of its business."""
    return json.loads(scripted_planner(request.messages))


def run(
    folder: Path,
    server: ChatServer | None,
    tuner: str,
    trials: int,
    in_step: str = "true",
    stop: int | None = None,
    stages: str = STAGES,
    **more: Any,
) -> tuple[Result, list[Any]]:
    folder.mkdir(exist_ok=True)
    (folder / "stages.py").write_text(stages)
    path = folder / "task.yaml"
    path.write_text(TASK.format(tuner=tuner, trials=trials, in_step=in_step, **PARTS))
    settings = None
    if server is not None:
        settings = ModelSettings(base_url=server.url, model="m", api_key=SecretStr("k-123456"), timeout_s=30)
    events: list[Any] = []
    result = run_task(load_task(path), runs=folder / "runs", model=settings, listen=events.append, **more)
    return result, events


def configurations(result: Result) -> list[Any]:
    return [(t.configuration, t.value, t.proposal.reason) for t in result.history]


@pytest.mark.long
def test_the_published_loop_over_http_goes_on_alike_ends_after_its_rounds_and_replays(tmp_path: Path) -> None:
    tuner = "{method: agenttts-paper, iterations: 2, batch_size: 3}"
    with ChatServer(planner) as server:
        first, before = run(tmp_path / "live", server, tuner, 5)
        result, after = run(tmp_path / "live", server, tuner, 40)
        assert len(server.chats) == 4, "the batch that was planned is taken up, not asked for again"
    (ended,) = [e for e in after if isinstance(e, RunFinished)]
    assert "the 2 rounds of agenttts-paper" in ended.reason and result.status == "finished"
    stages = Counter(t.proposal.provenance.stage for t in result.history)
    assert stages == {None: 1, "initial_design": 2, "round 1": 3, "round 2": 3} and len(first.history) == 5
    assert [e for e in (*before, *after) if isinstance(e, Degraded) and e.what != "warning"] == []
    judged = guidelines(result.history, [*before, *after])
    assert judged[0].guideline.evidence and {s.verdict for s in judged} - {"not tested"}

    # One session that was never stopped, from the recorded answers of two.
    exchanges = tmp_path / "live/runs/toy/exchanges.jsonl"
    replayed, _ = run(tmp_path / "replayed", None, tuner, 40, replay=exchanges)
    assert configurations(replayed) == configurations(result)
    written = [path for path in (tmp_path / "live/runs").rglob("*") if path.is_file()]
    assert not any(b"k-123456" in path.read_bytes() for path in written)


@pytest.mark.slow
def test_the_models_allocations_compete_and_its_guidelines_are_archived_and_judged(tmp_path: Path) -> None:
    with ChatServer(planner) as server:
        result, events = run(tmp_path / "live", server, "agenttts", 16)
        calls = len(server.chats)
    history = result.history
    assert len(history.completed) == 16 and 2 <= calls <= 8
    stated = [e for e in events if isinstance(e, GuidelinesStated)]
    assert len(stated) == calls // 2 and all(e.guidelines and not e.planned for e in stated)
    by_model = [t for t in history if t.proposal.origin is Origin.MODEL]
    assert all(t.proposal.provenance.side == "model" and t.proposal.prompt_id for t in by_model)
    assert {s.verdict for s in guidelines(history, events)} - {"not tested"}

    exchanges = tmp_path / "live/runs/toy/exchanges.jsonl"
    replayed, _ = run(tmp_path / "replayed", None, "agenttts", 16, replay=exchanges)
    assert configurations(replayed) == configurations(result)


@pytest.mark.long
def test_no_trial_waits_for_a_model_that_is_slow(tmp_path: Path) -> None:
    def asked(request: ChatRequest) -> Any:
        (tmp_path / "asked").touch()
        return hanging()

    # However fast trials are, the eleventh does not end before the model was asked.
    with ChatServer(asked) as server:
        result, events = run(tmp_path, server, "agenttts", 12, in_step="null", stages=STAGES + WAIT)
        assert server.chats
    assert len(result.history.completed) == 12 and result.status == "finished"
    assert not any(isinstance(e, GuidelinesStated) for e in events)
    assert any("still thinking when the search ended" in getattr(e, "text", "") for e in events)
