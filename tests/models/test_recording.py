"""Conversations recorded over real HTTP, and replayed without any."""

from __future__ import annotations

import json
import logging
import socket
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fakes.chat_server import (
    Reply,
    answer,
    calls,
    disconnecting,
    failing,
    hanging,
    malformed,
    rate_limited,
    text,
)
from fakes.served_model import HELLO, KEY, Point, ServedModel
from tunesmith.agent.models import LanguageModel, open_model
from tunesmith.agent.models.recording import canonical, key_of
from tunesmith.budget import ModelCaps
from tunesmith.errors import ModelError, ModelUnavailable, ReplayMiss
from tunesmith.settings import ModelSettings

Open = Callable[..., ServedModel]
GOOD = {"lr": 0.01, "layers": 2}


def replay(path: Path, events: list[Any] | None = None, **more: Any) -> LanguageModel:
    emit = (events if events is not None else []).append
    return open_model(None, more.pop("caps", ModelCaps()), emit, exchanges=path, mode="replay", **more)


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object) -> None:
        raise AssertionError("a replay opened a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def look(n: int) -> str:
    """Look at n trials."""
    return f"{n} trials"


def agent_says(model: LanguageModel, question: str = "how is it going?") -> str:
    from langchain.agents import create_agent

    from tunesmith.agent.policy.chat_model import ChatModel

    chat = ChatModel(language_model=model, purpose="policy", on_piece=lambda piece: None)
    agent = create_agent(chat, [look])
    return str(agent.invoke({"messages": [("user", question)]})["messages"][-1].content)


def test_a_whole_conversation_replays_without_a_network_and_with_the_same_spend(
    serve: Open, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    served = serve(
        lambda r: (calls(("look", {"n": 2})) if r.turn == 0 else text(f"saw {r.last}")) if r.tools else GOOD,
        model=None,
        server={"models": ("tiny-1b",)},
    )
    values = [served.ask().value, agent_says(served.model), "".join(stream(served.model))]
    request.getfixturevalue("no_network")
    events: list[Any] = []
    model = replay(tmp_path / "exchanges.jsonl", events)
    assert model.model == "tiny-1b"
    point = model.complete(HELLO, Point, purpose="test").value
    assert [point, agent_says(model), "".join(stream(model))] == values
    assert model.usage == served.model.usage
    assert [e.kind for e in events if e.kind != "answers_parsed"] == ["model_called"] * 4


def stream(model: LanguageModel) -> list[str]:
    asked = [{"role": "user", "content": "stream, please"}]
    return [piece.text for piece in model.chat(asked, purpose="test")]


def test_the_same_request_asked_twice_replays_both_answers_in_order(serve: Open, tmp_path: Path) -> None:
    served = serve([answer({"lr": 0.1, "layers": 1}), answer({"lr": 0.2, "layers": 2})])
    assert [served.ask().value.layers for _ in range(2)] == [1, 2]
    model = replay(tmp_path / "exchanges.jsonl")
    assert [model.complete(HELLO, Point, purpose="t").value.layers for _ in range(2)] == [1, 2]
    with pytest.raises(ReplayMiss, match="recorded 2 times .* asked once more"):
        model.complete(HELLO, Point, purpose="t")


def test_a_miss_names_the_nearest_recording_and_what_differs(serve: Open, tmp_path: Path) -> None:
    served = serve([answer(GOOD)])
    table = "\n".join(f"trial {n}: lr=0.{n}, value 0.9{n}" for n in range(9))
    served.ask("What is the weather?")
    served.ask(f"Here are trials:\n{table}\nSuggest one.")
    model = replay(tmp_path / "exchanges.jsonl")
    with pytest.raises(ReplayMiss) as miss:
        asked = f"Here are trials:\n{table.replace('value 0.95', 'value 0.97')}\nSuggest one."
        model.complete([{"role": "user", "content": asked}], Point, purpose="t")
    words = str(miss.value)
    assert "The nearest is line 2" in words
    assert "message 1 (user): trial 5: lr=0.5, value 0.95" in words
    assert "value 0.97" in words
    assert model.usage.calls == 1  # the attempt counts; the miss is not retried


def test_a_difference_late_in_a_long_line_is_shown_where_it_is(serve: Open, tmp_path: Path) -> None:
    served = serve([answer(GOOD)])
    served.ask("x" * 3000 + " recorded words")
    model = replay(tmp_path / "exchanges.jsonl")
    with pytest.raises(ReplayMiss, match=r"message 1 .user.: .*recorded words.*other words"):
        model.complete([{"role": "user", "content": "x" * 3000 + " other words"}], Point, purpose="t")


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(failing(500), id="500"),
        pytest.param(rate_limited(0.01), id="429"),
        pytest.param(malformed(), id="malformed"),
        pytest.param(Reply(content="{}", cut_after=50), id="truncated"),
    ],
)
def test_faults_replay_too_and_so_do_the_retries_that_met_them(
    serve: Open, tmp_path: Path, fault: Reply
) -> None:
    served = serve([fault, answer(GOOD)])
    served.ask()
    events: list[Any] = []
    model = replay(tmp_path / "exchanges.jsonl", events)
    assert model.complete(HELLO, Point, purpose="test").value == Point(**GOOD)
    kinds = ["model_called", "degraded", "model_called", "answers_parsed"]
    assert [event.kind for event in events] == kinds
    assert [e.ok for e in events if e.kind == "model_called"] == [False, True]


def test_a_stream_that_broke_off_breaks_off_again(serve: Open, tmp_path: Path) -> None:
    served = serve([disconnecting("one two three", chunks=3)])
    heard: list[list[str]] = [[], []]
    for number in (0, 1):
        model = served.model if number == 0 else replay(tmp_path / "exchanges.jsonl")
        with pytest.raises(ModelUnavailable, match="broke off"):
            for piece in model.chat(HELLO, purpose="test"):
                heard[number].append(piece.text)
    assert heard[0] == heard[1] == ["", "one ", "two "]


def test_a_torn_last_line_costs_that_exchange_only(serve: Open, tmp_path: Path) -> None:
    served = serve([answer(GOOD)])
    served.ask("first")
    path = tmp_path / "exchanges.jsonl"
    with path.open("a") as file:
        file.write('{"key": "abc", "requ')
    served.ask("second")
    model = replay(path)
    for words in ("first", "second"):
        assert model.complete([{"role": "user", "content": words}], Point, purpose="t").value.layers == 2


def test_tool_call_ids_do_not_matter_and_their_pairing_does() -> None:
    def conversation(ids: list[str], results: list[str]) -> dict[str, Any]:
        tool_calls = [{"id": i, "type": "function", "function": {"name": "look"}} for i in ids]
        spoken = {"role": "assistant", "content": None, "tool_calls": tool_calls}
        tools = [{"role": "tool", "tool_call_id": i, "content": "2"} for i in results]
        return {"model": "m", "messages": [spoken, *tools]}

    def key(*which: list[str]) -> str:
        return key_of(canonical(conversation(*which)))

    assert key(["a", "b"], ["a", "b"]) == key(["x", "y"], ["x", "y"]) != key(["a", "b"], ["b", "a"])


class TestNoKeyAnywhere:
    """A canary key, and servers that do their worst to get it written down."""

    echo = f"the header was 'Authorization: Bearer {KEY}'"

    @pytest.mark.parametrize(
        "said",
        [
            pytest.param(answer({"lr": 0.1, "layers": KEY}), id="in an answer"),
            pytest.param(failing(401, echo), id="in a 401"),
            pytest.param(failing(400, echo), id="in a 400"),
            pytest.param(failing(500, echo, headers={"x-request-id": KEY}), id="in a 500"),
            pytest.param(Reply(raw=echo.encode()), id="in a body that is no JSON"),
            pytest.param(text(echo + " and so on"), id="in words"),
            pytest.param(hanging(), id="none at all"),
        ],
    )
    def test_it_is_in_no_file_no_event_no_exception_and_no_log(
        self, serve: Open, tmp_path: Path, caplog: pytest.LogCaptureFixture, said: Reply
    ) -> None:
        caplog.set_level(logging.DEBUG)
        caplog.set_level(logging.INFO, "httpcore2")  # its DEBUG prints a response's headers, echo included
        served = serve([said], timeout_s=0.3 if said.delay_s else 600)
        texts: list[str] = []
        for ask in (
            lambda: served.ask(f"my key is {KEY}"),
            lambda: [texts.append(piece) for piece in served.say()],
        ):
            try:
                texts.append(repr(ask()))
            except Exception as exc:  # noqa: BLE001  whatever comes out of either client is read here
                texts.append("".join(traceback.format_exception(exc)) + repr(exc))
        files = "".join(path.read_text() for path in tmp_path.rglob("*") if path.is_file())
        texts += [repr(event) for event in served.events] + [caplog.text, repr(served.model), files]
        assert served.server.chats[0].headers["authorization"].endswith(KEY)  # it was in play
        assert files.count('"key"') >= 1
        assert [words for words in texts if KEY in words] == []

    def test_recorded_requests_hold_no_headers(self, serve: Open, tmp_path: Path) -> None:
        serve([answer(GOOD, headers={"Set-Cookie": "session=1"})]).ask()
        (line,) = (tmp_path / "exchanges.jsonl").read_text().splitlines()
        exchange = json.loads(line)
        assert set(exchange) == {"key", "request", "response", "limits", "at"}
        assert set(exchange["request"]) == {"method", "path", "body"}
        assert set(exchange["response"]["headers"]) <= {"content-type", "retry-after", "x-request-id"}

    def test_a_replay_never_holds_the_key(self, serve: Open, tmp_path: Path) -> None:
        serve([answer(GOOD)]).ask()
        settings = ModelSettings(base_url="https://api.openai.com/v1", model="fake-model", api_key=KEY)
        path = tmp_path / "exchanges.jsonl"
        model = open_model(settings, ModelCaps(), lambda e: None, exchanges=path, mode="replay")
        assert model.complete(HELLO, Point, purpose="t").value.layers == 2
        assert KEY not in repr(vars(model)) + repr(vars(model._provider))


def test_a_recording_that_is_not_there_is_a_miss_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(ReplayMiss, match="holds no recorded exchange"):
        replay(tmp_path / "none.jsonl")
    with pytest.raises(ModelError, match="needs the path of a recording"):
        open_model(None, ModelCaps(), lambda e: None, mode="replay")
