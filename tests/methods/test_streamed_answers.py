"""Parts of a model's answer, used while the model still writes and after it broke off."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from fakes.chat_server import ChatServer, Reply, answer, cut
from fakes.histories import Log, configured, grown, history, task
from tunesmith.agent.methods.hybrid.partial import Part
from tunesmith.agent.methods.hybrid.proposer import ModelProposer, Opening
from tunesmith.agent.models import LanguageModel, open_model
from tunesmith.budget import ModelCaps
from tunesmith.errors import ModelUnavailable
from tunesmith.events import AnswersParsed, Degraded, ElicitedPrior
from tunesmith.settings import ModelSettings
from tunesmith.trial import WARM_START, Proposal


def candidate(**values: Any) -> dict[str, Any]:
    said = {"reason": "Wide nets do well.", "expected": 0.8, "spread": 0.1}
    return {"configuration": {**configured(), "momentum": None, **values}, **said}


def belief(parameter: str, low: float, best: float, high: float) -> dict[str, Any]:
    said = {"parameter": parameter, "low": low, "best": best, "high": high}
    return {**said, "weights": None, "why": "Small steps suit it."}


LR, WIDTH = belief("lr", 1e-3, 3e-3, 1e-2), belief("width", 64, 128, 200)
SAID = {
    "view": "Width matters.",
    "beliefs": [LR, WIDTH],
    "candidates": [candidate(width=w) for w in (90, 91)],
}


class Slow:
    """Lets a server write on only when a test lets it; the pieces before `freely` go at once."""

    def __init__(self, freely: int) -> None:
        self.freely, self.go = freely, threading.Event()

    def __call__(self, number: int) -> None:
        if number > self.freely:
            assert self.go.wait(60)


def pieces_to(text: str) -> int:
    """How many pieces the server sends until it has written the text."""
    return len((json.dumps(SAID).partition(text)[0] + text).split(" ")) + 1


@pytest.fixture
def proposing(tmp_path: Path, request: pytest.FixtureRequest) -> Callable[..., Any]:
    def opened(script: Any, **server: Any) -> tuple[ModelProposer, Log, ChatServer, LanguageModel]:
        running = ChatServer(script, **server)
        running.__enter__()
        request.addfinalizer(lambda: running.__exit__())
        log = Log()
        settings = ModelSettings(base_url=running.url, model="m", api_key=SecretStr("k"))
        path = tmp_path / "exchanges.jsonl"
        model = open_model(settings, ModelCaps(), log, exchanges=path, max_retries=0, timeout_s=600)
        request.addfinalizer(model.close)
        return ModelProposer(model, task(), log), log, running, model

    return opened


def replayed(tmp_path: Path) -> tuple[Opening, list[Part], Log]:
    log, parts = Log(), list[Part]()
    path = tmp_path / "exchanges.jsonl"
    model = open_model(None, ModelCaps(), log, exchanges=path, mode="replay", max_retries=0)
    return ModelProposer(model, task(), log).opening(history(), 5, parts.append), parts, log


def told(log: Log) -> list[tuple[str, str]]:
    return [(e.what, e.continuation) for e in log.of(Degraded) if e.where.startswith("hybrid.")]


@pytest.mark.parametrize("rejects", [(), ("response_format",), ("response_format", "tools")], ids=str)
def test_each_part_is_handed_over_while_the_model_still_writes(proposing, rejects):
    slow = Slow(pieces_to('"width": 90') + 12)
    proposer, log, _, _ = proposing(
        lambda r: SAID if r.forced_tool else answer(SAID, before=slow),
        rejects=rejects,
    )
    parts: list[Part] = []

    def take(part: Part) -> None:
        parts.append(part)
        if isinstance(part, Proposal):
            slow.go.set()  # without this the server never comes to the second candidate

    opening = proposer.opening(history(), 5, take)
    assert [p.parameter for p in parts if isinstance(p, ElicitedPrior)] == ["lr", "width"]
    proposals = [p for p in parts if isinstance(p, Proposal)]
    assert [p.configuration["width"] for p in proposals] == [90, 91]
    assert [p.configuration for p in opening.proposals] == [p.configuration for p in proposals]
    assert all(p.provenance.stage == WARM_START and p.expected == 0.8 for p in proposals)
    assert opening.view == "Width matters." and [p.parameter for p in opening.priors] == ["lr", "width"]
    assert told(log) == [] and [e.strict for e in log.of(AnswersParsed)] == [1]


def test_what_was_complete_when_the_connection_broke_is_the_opening_and_replays_so(proposing, tmp_path):
    broken = Reply(content=json.dumps(SAID), cut_after=pieces_to('"width": 91'))
    proposer, log, server, _ = proposing([broken])
    live: list[Part] = []
    opening = proposer.opening(history(), 5, live.append)
    assert len(server.chats) == 1
    assert [p.configuration["width"] for p in opening.proposals] == [90] and len(opening.priors) == 2
    assert told(log) == [("repair", "what was complete of the answer is used: 1 candidate and 2 beliefs")]
    assert "broke off" in log.of(Degraded)[0].cause and [e.tolerant for e in log.of(AnswersParsed)] == [1]
    again, parts, log = replayed(tmp_path)
    assert again == opening and parts == live and len(told(log)) == 1


def test_an_answer_cut_at_the_token_limit_is_not_asked_for_again(proposing, tmp_path):
    text = json.dumps(SAID)
    proposer, log, server, _ = proposing([cut(text[: text.index('"candidates"')])])
    opening = proposer.opening(history(), 5)
    assert len(server.chats) == 1 and opening.proposals == [] and len(opening.priors) == 2
    assert told(log) == [("repair", "what was complete of the answer is used: 2 beliefs")]
    assert replayed(tmp_path)[0] == opening


def test_an_answer_that_breaks_off_before_its_first_part_is_asked_for_once_more(proposing, tmp_path):
    proposer, log, server, _ = proposing([Reply(content=json.dumps(SAID), cut_after=4), answer(SAID)])
    opening = proposer.opening(history(), 5)
    assert len(server.chats) == 2 and len(opening.proposals) == 2 and len(opening.priors) == 2
    assert [e.what for e in log.of(Degraded)] == ["retry"]
    assert replayed(tmp_path)[0] == opening


def test_a_candidate_that_is_not_legal_waits_for_the_answer_to_the_question_about_it(proposing):
    wrong = {**SAID, "candidates": [candidate(width=9999), candidate(width=90)]}
    right = {**SAID, "candidates": [candidate(width=99), candidate(width=90)]}
    proposer, _, server, _ = proposing([wrong, right])
    parts: list[Part] = []
    opening = proposer.opening(history(), 5, parts.append)
    assert len(server.chats) == 2
    assert [p.configuration["width"] for p in parts if isinstance(p, Proposal)] == [90, 99]
    assert [p.configuration["width"] for p in opening.proposals] == [99, 90]


def test_candidates_are_streamed_too_and_a_broken_one_costs_only_itself(proposing):
    said = {"candidates": [{**candidate(width=w), "evidence": [1]} for w in (201, 202, 203)]}
    text = json.dumps(said)
    sent = len(text[: text.index('"width": 203')].split(" ")) + 1
    proposer, log, _, _ = proposing([Reply(content=text, cut_after=sent)])
    parts: list[Part] = []
    found = proposer.candidates(grown(12), 6, parts.append)
    assert (
        [p.configuration["width"] for p in found] == [201, 202] == [p.configuration["width"] for p in parts]
    )
    assert found[0].evidence == (1,)
    assert told(log) == [("repair", "what was complete of the answer is used: 2 candidates")]


def test_repeats_more_than_asked_for_and_elements_of_no_use_are_not_handed_over(proposing):
    odd = ["lr", {"configuration": 3}, {"reason": "no configuration"}, None]
    many = [candidate(width=w) for w in (64, 90, 90, 91, 92, 93)]  # the default has 64
    broken = json.dumps({"candidates": [*odd, *many], "beliefs": [LR, LR, *odd, WIDTH]})
    proposer, _, _, _ = proposing([cut(broken[:-2])])
    parts: list[Part] = []
    opening = proposer.opening(history(), 3, parts.append)
    given = [p.configuration["width"] for p in parts if isinstance(p, Proposal)]
    assert given[:3] == [p.configuration["width"] for p in opening.proposals]
    assert len(given) == len(set(given)) == 3
    assert [p.parameter for p in parts if isinstance(p, ElicitedPrior)] == ["lr", "width"]


def test_nothing_of_use_is_an_error_as_before(proposing):
    proposer, log, _, _ = proposing([Reply(content='{"view": "Let me', cut_after=3)])
    with pytest.raises(ModelUnavailable, match="broke off"):
        proposer.opening(history(), 5)
