"""Slow models are measured and waited for by a stated rule; absent ones are asked again."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import SecretStr

from fakes.chat_server import ChatServer, Reply, answer, failing, free_port, hanging, text, without_usage
from fakes.served_model import KEY, Point, ServedModel
from tunesmith.agent.models import LanguageModel, open_model
from tunesmith.agent.models.speed import HOSTED, OWN_SERVER, SMALL, Patience, SpeedMeter, guess
from tunesmith.agent.models.streaming import Hearing, Timing
from tunesmith.budget import ModelCaps
from tunesmith.errors import ModelUnavailable
from tunesmith.events import Degraded
from tunesmith.settings import ModelSettings

Open = Callable[..., ServedModel]
GOOD = {"lr": 0.01, "layers": 2}


def ask(model: LanguageModel, words: str = "Suggest one.") -> Point:
    """A streamed question."""
    asked = [{"role": "user", "content": words}]
    return model.complete(asked, Point, purpose="test", on_item=lambda name, element: None).value


def replay(path: Path, events: list[Any] | None = None) -> LanguageModel:
    emit = (events if events is not None else []).append
    return open_model(None, ModelCaps(), emit, exchanges=path, mode="replay")


@pytest.mark.parametrize(
    ("model", "own", "expected"),
    [
        ("qwen2.5-coder-1.5b-instruct-q4_k_m", True, SMALL),
        ("SmolLM2-135M-Instruct", False, SMALL),
        ("gemma-3-270m", True, SMALL),
        ("llama-3.1-70B", True, OWN_SERVER),
        ("qwen3-30b-a3b", True, OWN_SERVER),
        ("scripted", True, OWN_SERVER),
        ("gpt-5-mini", False, HOSTED),
        ("mixtral-8x7b", False, HOSTED),
    ],
)
def test_speed_is_guessed_from_the_models_size_and_place(model, own, expected):
    assert guess(model, own_server=own) == expected


def test_speed_is_measured_apart_for_reading_and_writing_and_newer_answers_count_more():
    meter = SpeedMeter()
    assert meter.speed(SMALL) == SMALL
    meter.note(400, 50, Timing(10.0, 20.0))
    first = meter.speed(SMALL)
    assert (first.reading, first.writing, first.source) == (40.0, 5.0, "measured over 1 answer")
    meter.note(400, 50, Timing(10.0, 12.5))
    assert meter.speed(SMALL).writing == pytest.approx((25 + 50) / (5 + 2.5))
    meter.note(400, 3, Timing(1.0, 1.1))  # too short to say anything
    assert meter.speed(SMALL).source == "measured over 2 answers"


def test_an_answer_in_one_piece_says_only_how_long_all_of_it_took():
    meter = SpeedMeter()
    meter.note(400, 50, Timing(10.0, 10.0))
    assert (meter.speed(SMALL).reading, meter.speed(SMALL).writing) == (SMALL.reading, 5.0)


def test_a_server_that_counts_no_tokens_is_measured_by_its_pieces():
    hearing = Hearing(lambda name, element: None)
    for _ in range(12):
        hearing.add({"choices": [{"delta": {"content": "1"}}]})
    assert hearing.usage is None and hearing.tokens == 12


def test_after_each_silence_the_wait_is_halved_to_an_eighth_and_whole_again_after_a_word():
    patience = Patience(160.0)
    waits = []
    for _ in range(5):
        waits.append(patience.wait_s)
        patience.was_silent()
    assert waits == [160.0, 80.0, 40.0, 20.0, 20.0]
    patience.spoke()
    assert patience.wait_s == 160.0


def test_a_silent_question_shortens_the_next_wait_and_an_answer_restores_it(serve: Open, tmp_path: Path):
    served = serve([hanging(), answer(GOOD)], timeout_s=0.4)
    with pytest.raises(ModelUnavailable, match=r"within 0.4 s .* the next question waits 0.2 s"):
        ask(served.model)
    assert served.model.pace().silent == 1
    path = tmp_path / "exchanges.jsonl"
    again = replay(path)
    with pytest.raises(ModelUnavailable):
        ask(again)
    assert again.pace().silent == 1 and again.pace().limit_s == 0.4


def test_a_replay_knows_the_speed_that_was_measured(serve: Open, tmp_path: Path):
    long = {**GOOD, "layers": 1234567}
    served = serve([without_usage(answer(long, pace_s=0.001)), answer(long, pace_s=0.001)])
    for words in ("first", "second"):
        ask(served.model, words)
    assert served.model.pace().speed.source == "measured over 2 answers"
    again = replay(tmp_path / "exchanges.jsonl")
    assert again.pace().speed == OWN_SERVER and served.model.pace().limit_s == again.pace().limit_s
    for words in ("first", "second"):
        ask(again, words)
    assert again.pace() == served.model.pace()


class Clock:
    """A clock that moves on whenever it is looked at, which is once for every chunk that comes."""

    def __init__(self, step_s: float) -> None:
        self.now, self.step_s = time.monotonic(), step_s

    def monotonic(self) -> float:
        self.now += self.step_s
        return self.now


@pytest.mark.parametrize(("step_s", "whole"), [(20.0, True), (60.0, False)], ids=["flows", "too long"])
def test_while_words_come_an_answer_may_take_three_times_the_limit(serve, monkeypatch, step_s, whole):
    clock = Clock(step_s)  # about 18 looks: past 180 s in both cases, past 540 s in the second only
    monkeypatch.setattr("tunesmith.agent.models.exchange.time", SimpleNamespace(monotonic=clock.monotonic))
    content = json.dumps({"lr": 0.01, "layers": 2}) + " " + " ".join("abcdefgh")
    served = serve([text(content)])
    if whole:
        assert ask(served.model) == Point(**GOOD)
    else:
        with pytest.raises(ModelUnavailable, match="no end within 540 s"):
            ask(served.model)
    assert served.model.pace().silent == 0 and len(served.server.chats) == 1


@pytest.mark.parametrize("refused", [("stream_options",), ("stream",)], ids=str)
def test_a_server_that_does_not_stream_is_asked_without(serve: Open, refused: tuple[str, ...]):
    served = serve([answer(GOOD)], server={"rejects": refused})
    assert [ask(served.model), ask(served.model)] == [Point(**GOOD)] * 2
    assert refused[0] not in served.server.chats[-1].body
    assert served.model.usage.calls == len(served.server.chats) == 3  # what was refused counts too


def test_a_server_that_is_loading_is_waited_for(serve: Open):
    loading = failing(503, "Loading model")
    served = serve([loading, loading, answer(GOOD)])
    assert ask(served.model) == Point(**GOOD)
    assert [e.what for e in served.degraded] == ["retry", "retry"]


def opened(port: int, path: Path, events: list[Any], model: str | None) -> LanguageModel:
    settings = ModelSettings(base_url=f"http://127.0.0.1:{port}/v1", model=model, api_key=SecretStr(KEY))
    return open_model(settings, ModelCaps(), events.append, exchanges=path, max_retries=0)


def test_a_server_that_is_away_at_the_start_is_asked_when_it_has_come(monkeypatch, tmp_path: Path):
    monkeypatch.setattr("tunesmith.agent.models.openai_compatible.LIST_PAUSE_S", 0.0)
    port, path, events = free_port(), tmp_path / "exchanges.jsonl", list[Any]()
    model = opened(port, path, events, None)
    model.find()
    (told,) = [e for e in events if isinstance(e, Degraded)]
    assert "cannot connect" in told.cause and "asked again" in told.continuation
    assert model.label == f"http://127.0.0.1:{port}"
    for question in (lambda: ask(model), model.pace):
        with pytest.raises(ModelUnavailable, match="cannot connect"):
            question()
    with ChatServer([answer(GOOD)], models=("late-8b",), port=port):
        assert ask(model) == Point(**GOOD) and model.pace().silent == 0
        assert model.label == "late-8b"
    model.close()
    again = replay(path)
    again.find()
    for question in (lambda: ask(again), again.pace):
        with pytest.raises(ModelUnavailable, match="cannot connect"):
            question()
    assert ask(again) == Point(**GOOD) and again.usage == model.usage


def test_a_wrong_key_or_a_server_without_models_is_told_at_once(tmp_path: Path):
    for server, words in (({"key": "other"}, "refuses the key"), ({"models": ()}, "lists no models")):
        with ChatServer([Reply()], **server) as running:
            model = opened(running.port, tmp_path / "exchanges.jsonl", [], None)
            with pytest.raises(ModelUnavailable, match=words):
                model.find()
            model.close()


def test_what_the_open_breaker_kept_from_being_sent_is_not_sent_in_a_replay(serve: Open, tmp_path: Path):
    served = serve([failing(500), failing(500), failing(500), answer(GOOD)])
    outcomes: list[list[str]] = [[], []]
    for number in (0, 1):
        model = served.model if number == 0 else replay(tmp_path / "exchanges.jsonl")
        for words in ("first", "second"):
            with pytest.raises(ModelUnavailable) as error:
                ask(model, words)
            outcomes[number].append(str(error.value))
        assert model.usage.calls == 3
    assert "asked again in" in outcomes[0][1] == outcomes[1][1]
    assert len(served.server.chats) == 3
