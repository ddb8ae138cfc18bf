"""Every way a server may behave, over real HTTP, and what the door makes of it."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable

import pytest
from pydantic import SecretStr

from fakes.chat_server import (
    Reply,
    answer,
    calls,
    cut,
    disconnecting,
    empty,
    failing,
    hanging,
    malformed,
    rate_limited,
    refusal,
    text,
    truncated,
    without_usage,
)
from fakes.door_house import HELLO, KEY, House, Point
from tunesmith.agent.models import OpenAICompatible, translate
from tunesmith.budget import ModelCaps
from tunesmith.errors import InvalidAnswer, ModelBudgetReached, ModelRefused, ModelUnavailable
from tunesmith.settings import ModelSettings

Open = Callable[..., House]
GOOD = {"lr": 0.01, "layers": 2}
BAD = {"lr": "high", "layers": 2}
LOOK = {
    "type": "function",
    "function": {"name": "look", "description": "Look.", "parameters": {"type": "object", "properties": {}}},
}


def test_a_valid_answer_comes_back_as_a_value_with_its_tokens_and_level(open_house: Open) -> None:
    house = open_house([answer(GOOD, usage=(120, 30))])
    done = house.ask()
    assert done.value == Point(lr=0.01, layers=2)
    assert (done.tokens, done.level, done.repaired) == (150, "schema", False)
    (call,) = house.calls
    assert (call.ok, call.purpose, call.model) == (True, "test", "fake-model")
    assert (call.prompt_tokens, call.completion_tokens, call.spend.calls) == (120, 30, 1)
    assert house.door.spend == call.spend
    sent = house.server.chats[0]
    assert sent.body["response_format"]["json_schema"]["strict"] is True
    assert sent.headers["authorization"] == f"Bearer {KEY}"
    assert "x-tunesmith-purpose" not in sent.headers


def test_without_a_model_name_the_first_that_the_server_lists_is_used(open_house: Open) -> None:
    house = open_house([answer(GOOD)], model=None, server={"models": ("qwen-1.5b", "other")})
    assert house.door.model == "qwen-1.5b"
    house.ask()
    assert house.server.chats[0].body["model"] == "qwen-1.5b"
    assert house.door.spend.calls == 1  # listing models is free and no call


def test_a_server_that_lists_no_models_is_named_with_the_fix(open_house: Open) -> None:
    house = open_house([answer(GOOD)], model=None, server={"models": ()})
    with pytest.raises(ModelUnavailable, match="lists no models. Set TUNESMITH_MODEL"):
        _ = house.door.model


def test_a_refused_key_is_not_retried_and_never_tried_again(open_house: Open) -> None:
    house = open_house([answer(GOOD)], server={"key": "sk-another-key"})
    with pytest.raises(ModelUnavailable, match="refuses the key .401.*OPENAI_API_KEY"):
        house.ask()
    with pytest.raises(ModelUnavailable, match="not asked again in this run"):
        house.ask()
    assert len(house.server.chats) == 1
    assert [(d.what, d.where) for d in house.degraded] == [("fallback", "model")]


@pytest.mark.parametrize("status", [403, 404])
def test_other_lasting_faults_are_not_retried(open_house: Open, status: int) -> None:
    house = open_house([failing(status, "no such model")])
    with pytest.raises(ModelUnavailable, match=f"{status}.*no such model"):
        house.ask()
    assert len(house.server.chats) == 1


def test_a_used_up_quota_is_lasting_though_its_status_is_429(open_house: Open) -> None:
    body = b'{"error": {"message": "You exceeded your quota", "code": "insufficient_quota"}}'
    house = open_house([Reply(status=429, raw=body)])
    with pytest.raises(ModelUnavailable, match="exceeded your quota"):
        house.ask()
    assert len(house.server.chats) == 1


def test_a_rate_limit_is_waited_out_as_the_server_asks(open_house: Open) -> None:
    house = open_house([rate_limited(0.3), answer(GOOD)])
    started = time.monotonic()
    assert house.ask().value.lr == 0.01
    assert time.monotonic() - started >= 0.3
    assert [call.ok for call in house.calls] == [False, True]
    assert house.door.spend.calls == 2
    (retry,) = house.degraded
    assert (retry.what, retry.continuation) == ("retry", "attempt 2")
    assert "429" in retry.cause


def test_a_rate_limit_longer_than_the_timeout_fails_at_once(open_house: Open) -> None:
    house = open_house([rate_limited(60), answer(GOOD)], timeout_s=5)
    started = time.monotonic()
    with pytest.raises(ModelUnavailable, match="429"):
        house.ask()
    assert time.monotonic() - started < 2
    assert len(house.server.chats) == 1


def test_a_server_fault_is_retried_and_every_attempt_counted(open_house: Open) -> None:
    house = open_house([failing(500), failing(503), answer(GOOD)])
    assert house.ask().value.layers == 2
    assert [call.ok for call in house.calls] == [False, False, True]
    assert house.door.spend.calls == 3


def test_a_dead_server_opens_the_circuit_and_later_calls_fail_at_once(open_house: Open) -> None:
    house = open_house([failing(500, "out of order")])
    with pytest.raises(ModelUnavailable, match="500.*out of order"):
        house.ask()
    assert len(house.server.chats) == 3
    started = time.monotonic()
    for _ in range(20):
        with pytest.raises(ModelUnavailable, match="asked again in .* s, after: .*out of order"):
            house.ask()
    assert time.monotonic() - started < 0.5
    assert len(house.server.chats) == 3
    assert [d.what for d in house.degraded] == ["retry", "retry", "fallback"]


def test_a_port_where_nothing_listens_is_named_and_costs_no_tokens(open_house: Open) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = ModelSettings(base_url=f"http://127.0.0.1:{port}/v1", model="m", api_key=SecretStr(KEY))
    door = OpenAICompatible(settings, ModelCaps(), lambda event: None, mode="live")
    with pytest.raises(ModelUnavailable, match=f"127.0.0.1:{port}: cannot connect"):
        door.complete(HELLO, Point, purpose="test")
    assert (door.spend.calls, door.spend.tokens) == (3, 0)


def test_a_hanging_server_costs_one_timeout_retries_included(open_house: Open) -> None:
    house = open_house([hanging()], timeout_s=0.6)
    started = time.monotonic()
    with pytest.raises(ModelUnavailable, match=r"no answer within 0.6 s"):
        house.ask()
    assert time.monotonic() - started < 1.5
    assert len(house.server.chats) == 1
    # Sent and never answered: it may be billed, so the worst case is what the ledger holds.
    assert house.door.spend.completion_tokens == 4096
    with pytest.raises(ModelUnavailable):
        house.ask()
    with pytest.raises(ModelUnavailable, match="asked again in"):
        house.ask()
    assert len(house.server.chats) == 2


def test_a_stream_that_drips_for_ever_ends_at_the_deadline(open_house: Open) -> None:
    house = open_house([text("word " * 1000, pace_s=0.05)], timeout_s=0.5)
    started = time.monotonic()
    with pytest.raises(ModelUnavailable, match="no answer within 0.5 s"):
        list(house.door.chat_model().stream("hi"))
    assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(truncated(), id="truncated"),
        pytest.param(malformed(), id="half a JSON"),
        pytest.param(malformed(b"<html>502</html>"), id="HTML"),
        pytest.param(malformed(b"[]"), id="another JSON"),
        pytest.param(empty(), id="no choices"),
    ],
)
def test_an_answer_that_is_no_completion_is_retried_then_unavailable(open_house: Open, fault: Reply) -> None:
    house = open_house([fault, answer(GOOD)])
    assert house.ask().value.lr == 0.01
    dead = open_house([fault])
    with pytest.raises(ModelUnavailable, match="broken answer"):
        dead.ask()
    assert len(dead.server.chats) == 3
    assert dead.door.spend.calls == 3


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(refusal("I will not."), id="in the protocol's field"),
        pytest.param(text("I'm sorry, but I can't help with that."), id="in prose"),
        pytest.param(Reply(content="", finish_reason="content_filter"), id="content filter"),
    ],
)
def test_a_refusal_is_taken_as_one_and_not_argued_with(open_house: Open, said: Reply) -> None:
    house = open_house([said])
    with pytest.raises(ModelRefused, match="declined to answer"):
        house.ask()
    assert len(house.server.chats) == 1


def test_a_reply_cut_at_the_token_limit_is_asked_again_then_invalid(open_house: Open) -> None:
    house = open_house([cut('{"lr": 0.00')])
    with pytest.raises(InvalidAnswer, match="cut off at the token limit"):
        house.ask()
    assert len(house.server.chats) == 2


def test_a_server_that_counts_nothing_is_charged_by_estimate(open_house: Open) -> None:
    house = open_house([without_usage(answer(GOOD))])
    assert house.ask().tokens > 10
    assert house.door.spend.tokens > 10


def test_a_parameter_that_the_model_will_not_have_is_left_out_from_then_on(open_house: Open) -> None:
    house = open_house([answer(GOOD)], server={"rejects": ("temperature", "max_tokens")})
    assert house.ask(temperature=0.7).value.lr == 0.01
    assert house.ask(temperature=0.7).level == "schema"
    assert "temperature" not in house.server.chats[-1].body
    assert house.server.chats[-1].body["max_completion_tokens"] == 4096
    assert len(house.server.chats) == 4  # two rejections, then one call for each answer


def test_a_request_that_no_level_can_send_is_unavailable_and_the_level_stays(open_house: Open) -> None:
    house = open_house([failing(400, "the prompt does not fit the context")])
    with pytest.raises(ModelUnavailable, match="400.*does not fit the context"):
        house.ask()
    assert house.door.level == "schema"


class TestLangChain:
    """ChatOpenAI over the same transport."""

    def test_tool_calls_come_through_and_are_counted(self, open_house: Open) -> None:
        house = open_house([calls(("look", {"n": 3}), usage=(50, 5))])
        said = house.door.chat_model(purpose="policy").bind_tools([LOOK]).invoke("hi")
        assert [(c["name"], c["args"]) for c in said.tool_calls] == [("look", {"n": 3})]
        assert [(c.purpose, c.prompt_tokens, c.completion_tokens) for c in house.calls] == [("policy", 50, 5)]
        assert house.server.chats[0].headers.get("x-tunesmith-purpose") is None

    def test_streamed_words_arrive_one_by_one_and_their_usage_is_counted(self, open_house: Open) -> None:
        house = open_house([text("one two three", usage=(70, 7), pace_s=0.1)])
        arrivals = [time.monotonic() for chunk in house.door.chat_model().stream("hi") if chunk.content]
        assert len(arrivals) == 3 and arrivals[-1] - arrivals[0] > 0.15
        assert [(c.ok, c.prompt_tokens, c.completion_tokens) for c in house.calls] == [(True, 70, 7)]

    def test_a_stream_without_usage_is_charged_by_estimate(self, open_house: Open) -> None:
        house = open_house([without_usage(text("one two three"))])
        list(house.door.chat_model().stream("hi"))
        assert house.calls[0].ok and house.calls[0].completion_tokens >= 3

    def test_a_dropped_stream_is_settled(self, open_house: Open) -> None:
        house = open_house([text("one two three four", pace_s=0.02)])
        stream = house.door.chat_model().stream("hi")
        next(stream)
        stream.close()
        assert [call.error for call in house.calls] == ["the stream was dropped before its end"]

    @pytest.mark.parametrize(
        ("said", "words"),
        [
            pytest.param(failing(401), "refuses the key (401)", id="401"),
            pytest.param(failing(500), "status 500", id="500"),
            pytest.param(rate_limited(900), "(429)", id="429"),
            pytest.param(hanging(), "no answer within 0.4 s", id="hanging"),
            pytest.param(truncated(), "broken answer", id="truncated"),
            pytest.param(malformed(), "broken answer", id="malformed"),
            pytest.param(empty(), "broken answer", id="no choices"),
            pytest.param(failing(400, "bad"), "rejects the request (400): bad", id="400"),
        ],
    )
    def test_every_fault_comes_out_as_unavailable(self, open_house: Open, said: Reply, words: str) -> None:
        house = open_house([said], timeout_s=0.4 if said.delay_s else 5)
        with pytest.raises(Exception) as caught:  # LangChain's, openai's or ours: what `translate` is for
            house.door.chat_model().invoke("hi")
        error = translate(caught.value)
        assert isinstance(error, ModelUnavailable)
        assert words in str(error)

    def test_a_disconnected_stream_comes_out_typed_and_is_not_retried(self, open_house: Open) -> None:
        house = open_house([disconnecting("one two three", chunks=2)])
        with pytest.raises(ModelUnavailable, match="broke off in the middle"):
            list(house.door.chat_model().stream("hi"))
        assert len(house.server.chats) == 1
        assert [call.ok for call in house.calls] == [False]

    def test_a_cap_stops_it_before_anything_is_sent_and_nothing_is_retried(self, open_house: Open) -> None:
        house = open_house([text("hi")], caps=ModelCaps(calls=1))
        model = house.door.chat_model()
        model.invoke("hi")
        for ask in (model.invoke, lambda words: list(model.stream(words))):
            started = time.monotonic()
            with pytest.raises(ModelBudgetReached, match="cap of 1 model calls"):
                ask("hi")
            assert time.monotonic() - started < 0.2
        assert len(house.server.chats) == 1
        assert house.degraded == []

    def test_it_cannot_be_asked_around_the_door(self, open_house: Open) -> None:
        import asyncio

        house = open_house([text("hi")])
        with pytest.raises(ModelUnavailable, match="synchronous"):
            asyncio.run(house.door.chat_model().ainvoke("hi"))
        assert house.server.chats == []

    def test_an_agent_plays_a_whole_conversation(self, open_house: Open) -> None:
        from langchain.agents import create_agent

        def look(n: int) -> str:
            """Look at n trials."""
            return f"{n} trials, best 0.9"

        house = open_house(lambda r: calls(("look", {"n": 2})) if r.turn == 0 else text(f"I saw: {r.last}"))
        agent = create_agent(house.door.chat_model(), [look])
        said = agent.invoke({"messages": [("user", "how is it going?")]})
        assert said["messages"][-1].content == "I saw: 2 trials, best 0.9"
        assert house.door.spend.calls == 2


def test_without_settings_the_fix_is_named() -> None:
    with pytest.raises(ModelUnavailable, match="set OPENAI_API_KEY or TUNESMITH_BASE_URL"):
        OpenAICompatible(None, ModelCaps(), lambda event: None)


def test_a_key_that_no_header_can_carry_is_refused_without_being_shown() -> None:
    settings = ModelSettings(base_url="http://localhost/v1", model="m", api_key=SecretStr("sk-ca\nnary"))
    with pytest.raises(ModelUnavailable, match="pasted with a line end") as caught:
        OpenAICompatible(settings, ModelCaps(), lambda event: None)
    assert "nary" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("localhost:8000/v1", "is no base URL"),
        ("https://me:pass-word@host/v1", "put the key into TUNESMITH_API_KEY"),
    ],
)
def test_a_base_url_that_cannot_be_used_is_refused_at_once(url: str, words: str) -> None:
    settings = ModelSettings(base_url=url, model="m", api_key=SecretStr(KEY))
    with pytest.raises(ModelUnavailable, match=words) as caught:
        OpenAICompatible(settings, ModelCaps(), lambda event: None)
    assert "pass-word" not in str(caught.value)


def test_only_chat_completions_go_through_the_door(open_house: Open) -> None:
    house = open_house([text("hi")])
    with pytest.raises(ModelUnavailable, match="chat completions only"):
        house.door.chat_model(use_responses_api=True).invoke("hi")
    assert house.server.requests == []


def test_openai_gets_its_own_name_for_the_limit_and_other_servers_theirs(open_house: Open) -> None:
    settings = ModelSettings(base_url="https://api.openai.com/v1", model="gpt-5-mini", api_key=SecretStr(KEY))
    official = OpenAICompatible(settings, ModelCaps(), lambda event: None, mode="live").chat_model(
        max_tokens=9
    )
    assert (official.max_tokens, official.extra_body) == (9, None)
    own = open_house([text("hi")])
    own.door.chat_model(max_tokens=9).invoke("hi")
    assert own.server.chats[0].body["max_tokens"] == 9


def test_importing_the_door_loads_no_client_library() -> None:
    heavy = "('openai', 'langchain', 'langchain_core', 'langchain_openai', 'httpx2', 'genai_prices')"
    code = (
        "import sys, pkgutil, tunesmith.agent.models as room\n"
        f"loaded = [m for m in {heavy} if m in sys.modules]\n"
        "assert not loaded, loaded"
    )
    subprocess.run([sys.executable, "-P", "-c", code], check=True)
