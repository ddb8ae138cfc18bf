"""A slow model is asked for what it can write in its time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from fakes.chat_server import ChatServer, hanging
from fakes.histories import SPACE, Log, configured, grown, history, task
from tunesmith.agent.methods.hybrid.profile import profile_of
from tunesmith.agent.methods.hybrid.proposer import ModelProposer
from tunesmith.agent.models import Pace, open_model
from tunesmith.agent.models.speed import HOSTED, OWN_SERVER, SMALL, Speed
from tunesmith.agent.models.structured import strict_schema
from tunesmith.budget import ModelCaps
from tunesmith.errors import ModelUnavailable
from tunesmith.events import Degraded, Noted
from tunesmith.settings import ModelSettings

SAID = {
    "candidates": [
        {"configuration": {**configured(width=90), "momentum": None}, "reason": "wide"},
        {"configuration": {**configured(width=9999), "momentum": None}, "reason": "wider"},
    ],
    "beliefs": [
        {"parameter": "lr", "low": 1e-3, "best": 3e-3, "high": 1e-2},
        {"parameter": "optimizer", "weights": [{"choice": "adam", "weight": 0.8}]},
    ],
}


def profile(writing: float, *, dimensions: int = 6, limit_s: float = 180.0, silent: int = 0) -> Any:
    pace = Pace(Speed(40.0, writing, "measured over 1 answer"), limit_s, silent)
    return profile_of(pace, n=5, dimensions=dimensions, prompt_tokens=900, beliefs=True)


@pytest.mark.parametrize(
    ("writing", "asked"),
    [(3.0, (True, 2, 6)), (1.5, (True, 1, 3)), (0.5, (True, 1, 1)), (30.0, (False, 5, 6))],
    ids=str,
)
def test_as_much_is_asked_for_as_fits_into_the_limit(writing, asked):
    found = profile(writing)
    assert (found.compact, found.candidates, found.beliefs) == asked
    if found.compact:
        assert found.max_tokens is not None and found.max_tokens >= 256


def test_many_parameters_or_a_silent_question_make_it_compact_too():
    assert not profile(12.0).compact and profile(12.0, dimensions=14).compact
    assert not profile(200.0).compact and profile(200.0, silent=1).compact
    assert "said nothing to the last question" in profile(200.0, silent=1).why


def test_before_any_measurement_a_small_model_is_asked_compactly_and_a_hosted_one_in_full():
    asked = [
        profile_of(Pace(speed, limit, 0), n=5, dimensions=6, prompt_tokens=900, beliefs=True).compact
        for speed, limit in ((SMALL, 180.0), (OWN_SERVER, 180.0), (HOSTED, 60.0))
    ]
    assert asked == [True, False, False]


def proposing(server: ChatServer, path: Path, log: Log, **options: Any) -> ModelProposer:
    settings = ModelSettings(base_url=server.url, model="qwen2.5-1.5b", api_key=SecretStr("k"))
    given = {"max_retries": 0, "exchanges": path, **options}
    return ModelProposer(open_model(settings, ModelCaps(), log, **given), task(), log)


def test_a_small_local_model_gives_a_short_opening_that_replays(tmp_path: Path):
    log, path = Log(), tmp_path / "exchanges.jsonl"
    with ChatServer([SAID]) as server:
        opening = proposing(server, path, log).opening(history(), 5)
        (chat,) = server.chats
    assert chat.body["max_tokens"] < 1400 and "2 configurations" in chat.last and "at most 4" in chat.last
    # One legal, one moved to the nearest legal value without a question about it.
    assert [p.configuration["width"] for p in opening.proposals] == [90, 256]
    assert [p.parameter for p in opening.priors] == ["lr", "optimizer"]
    assert opening.priors[1].weights == {"adam": 0.8}
    assert {p.prompt_id for p in opening.proposals} == {"hybrid/opening_compact.v1"}
    (note,) = [e.text for e in log.of(Noted) if "asked" in e.text]
    asked, _, why = note.partition(": ")
    assert asked == "The language model is asked in compact form for 2 configurations and 4 beliefs"
    assert why.startswith("it writes 5 tokens a second (assumed of a small model") and "has 180 s" in why
    model = open_model(None, ModelCaps(), Log(), exchanges=path, mode="replay")
    assert ModelProposer(model, task(), Log()).opening(history(), 5) == opening


def test_a_model_that_turns_out_fast_is_asked_in_full_from_then_on(tmp_path: Path):
    log, path = Log(), tmp_path / "exchanges.jsonl"
    whole = {**SAID["candidates"][0], "expected": 0.8, "spread": None, "evidence": []}
    with ChatServer(lambda r: SAID if r.number == 0 else {"candidates": [whole]}) as server:
        proposer = proposing(server, path, log)
        proposer.opening(history(), 5)
        found = proposer.candidates(grown(12), 6)
    assert {p.prompt_id for p in found} == {"hybrid/candidates.v2"}
    assert len([e for e in log.of(Noted) if "asked in full" in e.text and "measured over 1" in e.text]) == 1
    model = open_model(None, ModelCaps(), Log(), exchanges=path, mode="replay")
    again = ModelProposer(model, task(), Log())
    again.opening(history(), 5)
    assert again.candidates(grown(12), 6) == found


def test_after_a_silent_question_the_next_is_compact_and_replays_so(tmp_path: Path):
    log, path = Log(), tmp_path / "exchanges.jsonl"
    short = {"candidates": [{**SAID["candidates"][0], "expected": None, "spread": None}]}
    with ChatServer([hanging(), short]) as server:
        settings = ModelSettings(base_url=server.url, model="large", api_key=SecretStr("k"))
        model = open_model(settings, ModelCaps(), log, max_retries=0, timeout_s=0.5, exchanges=path)
        proposer = ModelProposer(model, task(), log)
        with pytest.raises(ModelUnavailable):
            proposer.opening(history(), 5)
        found = proposer.candidates(grown(12), 6)
        model.close()
    assert [p.prompt_id for p in found] == ["hybrid/candidates_compact.v1"]
    assert log.of(Degraded) == []
    again = ModelProposer(open_model(None, ModelCaps(), Log(), exchanges=path, mode="replay"), task(), Log())
    with pytest.raises(ModelUnavailable):
        again.opening(history(), 5)
    assert again.candidates(grown(12), 6) == found


def test_the_compact_schemas_are_strict_and_hold_no_key_without_need():
    from tunesmith.agent.methods.hybrid.compact import compact_candidates, compact_opening

    shape, strict = strict_schema(compact_opening(SPACE))
    assert strict and list(shape["properties"]) == ["candidates", "beliefs"]
    candidate = shape["properties"]["candidates"]["items"]["properties"]
    assert list(candidate) == ["configuration", "reason"]
    numbers, weights = shape["properties"]["beliefs"]["items"]["anyOf"]
    assert numbers["properties"]["parameter"]["enum"] == ["lr", "width", "momentum"]
    assert list(weights["properties"]) == ["parameter", "weights"]
    assert strict_schema(compact_candidates(SPACE))[1]
