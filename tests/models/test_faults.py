"""Every way a server may behave, over real HTTP, and what the model makes of it."""

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
from fakes.served_model import HELLO, KEY, Point, ServedModel
from tunesmith.agent.models import open_model
from tunesmith.agent.models.openai_compatible import OpenAICompatible
from tunesmith.budget import ModelCaps
from tunesmith.errors import ModelRefused, ModelUnavailable
from tunesmith.settings import ModelSettings

Open = Callable[..., ServedModel]
GOOD = {"lr": 0.01, "layers": 2}
BAD = {"lr": "high", "layers": 2}
LOOK = {
    "type": "function",
    "function": {"name": "look", "description": "Look.", "parameters": {"type": "object", "properties": {}}},
}


def test_a_valid_answer_comes_back_as_a_value_with_its_tokens(serve: Open) -> None:
    served = serve([answer(GOOD, usage=(120, 30))])
    done = served.ask()
    assert done.value == Point(lr=0.01, layers=2)
    assert done.tokens == 150
    (call,) = served.calls
    assert (call.ok, call.purpose, call.model) == (True, "test", "fake-model")
    assert (call.prompt_tokens, call.completion_tokens, call.spend.calls) == (120, 30, 1)
    assert served.model.usage == call.spend
    sent = served.server.chats[0]
    assert sent.body["response_format"]["json_schema"]["strict"] is True
    assert sent.headers["authorization"] == f"Bearer {KEY}"
    assert "x-tunesmith-purpose" not in sent.headers


def test_without_a_model_name_the_first_that_the_server_lists_is_used(serve: Open) -> None:
    served = serve([answer(GOOD)], model=None, server={"models": ("qwen-1.5b", "other")})
    assert served.model.model == "qwen-1.5b"
    served.ask()
    assert served.server.chats[0].body["model"] == "qwen-1.5b"
    assert served.model.usage.calls == 1  # listing models is free and no call


def test_a_server_that_lists_no_models_is_named_with_the_fix(serve: Open) -> None:
    served = serve([answer(GOOD)], model=None, server={"models": ()})
    with pytest.raises(ModelUnavailable, match="lists no models. Set TUNESMITH_MODEL"):
        _ = served.model.model


def test_a_refused_key_is_not_retried_and_never_tried_again(serve: Open) -> None:
    served = serve([answer(GOOD)], server={"key": "sk-another-key"})
    with pytest.raises(ModelUnavailable, match="refuses the key .401.*OPENAI_API_KEY"):
        served.ask()
    with pytest.raises(ModelUnavailable, match="not asked again in this run"):
        served.ask()
    assert len(served.server.chats) == 1
    assert [(d.what, d.where) for d in served.degraded] == [("fallback", "model")]


@pytest.mark.parametrize("status", [403, 404])
def test_other_lasting_faults_are_not_retried(serve: Open, status: int) -> None:
    served = serve([failing(status, "no such model")])
    with pytest.raises(ModelUnavailable, match=f"{status}.*no such model"):
        served.ask()
    assert len(served.server.chats) == 1


def test_a_used_up_quota_is_lasting_though_its_status_is_429(serve: Open) -> None:
    body = b'{"error": {"message": "You exceeded your quota", "code": "insufficient_quota"}}'
    served = serve([Reply(status=429, raw=body)])
    with pytest.raises(ModelUnavailable, match="exceeded your quota"):
        served.ask()
    assert len(served.server.chats) == 1


def test_a_rate_limit_is_waited_out_as_the_server_asks(serve: Open) -> None:
    served = serve([rate_limited(0.3), answer(GOOD)])
    started = time.monotonic()
    assert served.ask().value.lr == 0.01
    assert time.monotonic() - started >= 0.3
    assert [call.ok for call in served.calls] == [False, True]
    assert served.model.usage.calls == 2
    (retry,) = served.degraded
    assert (retry.what, retry.continuation) == ("retry", "attempt 2")
    assert "429" in retry.cause


def test_a_rate_limit_longer_than_the_timeout_fails_at_once(serve: Open) -> None:
    served = serve([rate_limited(6000), answer(GOOD)], timeout_s=3000)
    with pytest.raises(ModelUnavailable, match="429"):
        served.ask()
    assert len(served.server.chats) == 1


def test_a_server_fault_is_retried_and_every_attempt_counted(serve: Open) -> None:
    served = serve([failing(500), failing(503), answer(GOOD)])
    assert served.ask().value.layers == 2
    assert [call.ok for call in served.calls] == [False, False, True]
    assert served.model.usage.calls == 3


def test_a_dead_server_opens_the_circuit_and_later_calls_fail_at_once(serve: Open) -> None:
    served = serve([failing(500, "out of order")])
    with pytest.raises(ModelUnavailable, match="500.*out of order"):
        served.ask()
    assert len(served.server.chats) == 3
    for _ in range(3):
        with pytest.raises(ModelUnavailable, match="asked again in .* s, after: .*out of order"):
            served.ask()
    assert len(served.server.chats) == 3
    assert [d.what for d in served.degraded] == ["retry", "retry", "fallback"]


def test_a_port_where_nothing_listens_is_named_and_costs_no_tokens(serve: Open) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = ModelSettings(base_url=f"http://127.0.0.1:{port}/v1", model="m", api_key=SecretStr(KEY))
    model = open_model(settings, ModelCaps(), lambda event: None, mode="live")
    with pytest.raises(ModelUnavailable, match=f"127.0.0.1:{port}: cannot connect"):
        model.complete(HELLO, Point, purpose="test")
    assert (model.usage.calls, model.usage.tokens) == (3, 0)


def test_a_hanging_server_costs_one_timeout_retries_included(serve: Open) -> None:
    served = serve([hanging()], timeout_s=1.0)
    with pytest.raises(ModelUnavailable, match=r"no answer within 1 s"):
        served.ask()
    assert len(served.server.chats) == 1
    # Sent and never answered: it may be billed, so the worst case is what the ledger holds.
    assert served.model.usage.completion_tokens == 4096
    with pytest.raises(ModelUnavailable):
        served.ask()
    with pytest.raises(ModelUnavailable, match="asked again in"):
        served.ask()
    assert len(served.server.chats) == 2


def test_a_stream_that_drips_for_ever_ends_at_the_deadline(serve: Open) -> None:
    served = serve([text("word " * 1000, pace_s=0.05)], timeout_s=0.5)
    with pytest.raises(ModelUnavailable, match="no end within 0.5 s"):
        served.say()


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
def test_an_answer_that_is_no_completion_is_retried_then_unavailable(serve: Open, fault: Reply) -> None:
    served = serve([fault, answer(GOOD)])
    assert served.ask().value.lr == 0.01
    dead = serve([fault])
    with pytest.raises(ModelUnavailable, match="broken answer"):
        dead.ask()
    assert len(dead.server.chats) == 3
    assert dead.model.usage.calls == 3


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(refusal("I will not."), id="in the protocol's field"),
        pytest.param(text("I'm sorry, but I can't help with that."), id="in prose"),
        pytest.param(Reply(content="", finish_reason="content_filter"), id="content filter"),
    ],
)
def test_a_refusal_is_taken_as_one_and_not_argued_with(serve: Open, said: Reply) -> None:
    served = serve([said])
    with pytest.raises(ModelRefused, match="declined to answer"):
        served.ask()
    assert len(served.server.chats) == 1


def test_a_parameter_that_the_model_will_not_have_is_left_out_from_then_on(serve: Open) -> None:
    served = serve([answer(GOOD)], server={"rejects": ("temperature", "max_tokens")})
    assert served.ask(temperature=0.7).value.lr == 0.01
    served.ask(temperature=0.7)
    assert "temperature" not in served.server.chats[-1].body
    assert served.server.chats[-1].body["max_completion_tokens"] == 4096
    assert len(served.server.chats) == 4  # two rejections, then one call for each answer


def test_a_request_that_no_level_can_send_is_unavailable_and_the_level_stays(serve: Open) -> None:
    served = serve([failing(400, "the prompt does not fit the context")])
    with pytest.raises(ModelUnavailable, match="400.*does not fit the context"):
        served.ask()
    with pytest.raises(ModelUnavailable):
        served.ask()
    assert "response_format" in served.server.chats[3].body


class TestChat:
    """Streamed answers, and LangChain's agent on top of them."""

    def test_tool_calls_come_through_and_are_counted(self, serve: Open) -> None:
        served = serve([calls(("look", {"n": 3}), usage=(50, 5))])
        pieces = [piece for p in served.model.chat(HELLO, [LOOK], purpose="policy") for piece in p.calls]
        assert (pieces[0].name, "".join(piece.arguments for piece in pieces)) == ("look", '{"n": 3}')
        assert [(c.purpose, c.prompt_tokens, c.completion_tokens) for c in served.calls] == [
            ("policy", 50, 5)
        ]
        assert served.server.chats[0].body["tools"] == [LOOK]

    def test_words_arrive_one_by_one_and_their_usage_is_counted(self, serve: Open) -> None:
        served = serve([disconnecting("one two three", chunks=2), text("one two three", usage=(70, 7))])
        arrived: list[str] = []
        with pytest.raises(ModelUnavailable):
            arrived.extend(p.text.strip() for p in served.model.chat(HELLO, purpose="test") if p.text)
        assert arrived == ["one"], "it comes although the rest does not"
        words = [p.text.strip() for p in served.model.chat(HELLO, purpose="test") if p.text]
        assert words == ["one", "two", "three"]
        last = served.calls[-1]
        assert (last.ok, last.prompt_tokens, last.completion_tokens) == (True, 70, 7)

    def test_a_stream_without_usage_is_charged_by_estimate(self, serve: Open) -> None:
        served = serve([without_usage(text("one two three"))])
        served.say()
        assert served.calls[0].ok and served.calls[0].completion_tokens >= 3

    def test_a_dropped_stream_is_settled(self, serve: Open) -> None:
        served = serve([text("one two three four", pace_s=0.02)])
        stream = served.model.chat(HELLO, purpose="test")
        next(stream)
        stream.close()
        assert [call.error for call in served.calls] == ["the stream was dropped before its end"]

    @pytest.mark.parametrize(
        ("reply", "words"),
        [
            pytest.param(failing(401), "refuses the key (401)", id="401"),
            pytest.param(failing(500), "status 500", id="500"),
            pytest.param(rate_limited(900), "(429)", id="429"),
            pytest.param(hanging(), "no answer within 0.4 s", id="hanging"),
            pytest.param(malformed(), "broken answer", id="malformed"),
            pytest.param(failing(400, "bad"), "rejects the request (400): bad", id="400"),
        ],
    )
    def test_every_fault_comes_out_as_unavailable(self, serve: Open, reply: Reply, words: str) -> None:
        served = serve([reply], timeout_s=0.4 if reply.delay_s else 60)
        with pytest.raises(ModelUnavailable) as caught:
            served.say()
        assert words in str(caught.value)

    def test_a_disconnected_stream_is_not_retried(self, serve: Open) -> None:
        served = serve([disconnecting("one two three", chunks=2)])
        with pytest.raises(ModelUnavailable, match="broke off in the middle"):
            served.say()
        assert len(served.server.chats) == 1
        assert [call.ok for call in served.calls] == [False]

    def test_what_one_call_learned_of_the_server_the_next_kind_of_call_knows(self, serve: Open) -> None:
        served = serve([answer(GOOD)], server={"rejects": ("max_tokens",)})
        served.ask()
        served.say()
        assert [chat.body.get("max_completion_tokens") for chat in served.server.chats] == [None, 4096, 4096]

    def test_langchains_agent_plays_a_whole_conversation(self, serve: Open) -> None:
        from langchain.agents import create_agent

        from tunesmith.agent.policy.chat_model import ChatModel

        def look(n: int) -> str:
            """Look at n trials."""
            return f"{n} trials, best 0.9"

        served = serve(lambda r: calls(("look", {"n": 2})) if r.turn == 0 else text(f"I saw: {r.last}"))
        model = ChatModel(language_model=served.model, purpose="policy", on_piece=lambda piece: None)
        said = create_agent(model, [look]).invoke({"messages": [("user", "how is it going?")]})
        assert said["messages"][-1].content == "I saw: 2 trials, best 0.9"
        assert served.model.usage.calls == 2


def test_without_settings_the_fix_is_named() -> None:
    with pytest.raises(ModelUnavailable, match="set OPENAI_API_KEY or TUNESMITH_BASE_URL"):
        open_model(None, ModelCaps(), lambda event: None, mode="live")


def test_a_key_that_no_header_can_carry_is_refused_without_being_shown() -> None:
    settings = ModelSettings(base_url="http://localhost/v1", model="m", api_key=SecretStr("sk-ca\nnary"))
    with pytest.raises(ModelUnavailable, match="pasted with a line end") as caught:
        open_model(settings, ModelCaps(), lambda event: None, mode="live")
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
        open_model(settings, ModelCaps(), lambda event: None, mode="live")
    assert "pass-word" not in str(caught.value)


def test_openai_gets_its_own_name_for_the_limit() -> None:
    settings = ModelSettings(base_url="https://api.openai.com/v1", model="gpt-5-mini", api_key=SecretStr(KEY))
    assert OpenAICompatible(settings).limit_name == "max_completion_tokens"


def test_importing_the_models_loads_no_client_library() -> None:
    heavy = "('openai', 'langchain', 'langchain_core', 'httpx2', 'genai_prices')"
    code = (
        "import sys, pkgutil, tunesmith.agent.models as models\n"
        f"loaded = [m for m in {heavy} if m in sys.modules]\n"
        "assert not loaded, loaded"
    )
    subprocess.run([sys.executable, "-P", "-c", code], check=True)
