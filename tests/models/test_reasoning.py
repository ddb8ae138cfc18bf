"""Models that think first, and servers that sort thoughts, calls and answers in their own ways."""
# ruff: noqa: E501  answers as servers send them

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from fakes.chat_server import ChatRequest, ChatServer, Reply, answer, calls, text
from fakes.served_model import HELLO, KEY, Point, ServedModel
from tunesmith.agent.models import open_model
from tunesmith.agent.models.parsing import without_thinking
from tunesmith.agent.models.spoken import Spoken
from tunesmith.budget import ModelCaps
from tunesmith.errors import InvalidAnswer, UsageError
from tunesmith.settings import ModelSettings

Open = Callable[..., ServedModel]
GOOD = {"lr": 0.01, "layers": 2}
LOOK = {
    "type": "function",
    "function": {"name": "look", "description": "Look.", "parameters": {"type": "object", "properties": {}}},
}


def completion(request: ChatRequest, *, finish: str = "stop", **message: Any) -> Reply:
    """An answer in the server's own fields, streamed where that is asked for."""
    usage = {"prompt_tokens": 9, "completion_tokens": 9}
    if not request.streamed:
        body = {"choices": [{"message": message, "finish_reason": finish}], "usage": usage}
        return Reply(raw=json.dumps(body).encode())
    events = [{"choices": [{"delta": {name: value}}]} for name, value in message.items() if value is not None]
    events += [{"choices": [{"delta": {}, "finish_reason": finish}]}, {"choices": [], "usage": usage}]
    raw = "".join(f"data: {json.dumps(event)}\n\n" for event in events) + "data: [DONE]\n\n"
    return Reply(raw=raw.encode(), headers={"Content-Type": "text/event-stream"})


def thinker(needs: int, **field: Any) -> Callable[[ChatRequest], Reply]:
    """A model whose thinking takes `needs` tokens."""

    def script(request: ChatRequest) -> Reply:
        limit = request.body.get("max_tokens") or request.body.get("max_completion_tokens")
        if limit < needs:
            return completion(request, finish="length", content=field.get("content", ""), **{
                name: value for name, value in field.items() if name != "content"})  # fmt: skip
        return completion(request, content=json.dumps(GOOD), reasoning_content="Done.")

    return script


@pytest.mark.parametrize(
    "cut",
    [
        {},
        {"content": None, "reasoning_content": "So many trials"},
        {"content": "<think>So many trials"},
        {"content": "<|channel|>analysis<|message|>So many"},
    ],
    ids=["empty", "in a field", "in a tag", "in a channel"],
)
def test_a_limit_that_thinking_used_up_grows_once_for_every_kind_of_call(
    serve: Open, cut: dict[str, Any]
) -> None:
    served = serve(thinker(10_000, **cut), exchanges=None, mode="live")
    assert served.ask().value.layers == 2
    assert [chat.body["max_tokens"] for chat in served.server.chats] == [4096, 16_384]
    (told,) = served.degraded
    assert "cut off at 4096 tokens" in told.cause and "16384 tokens from here on" in told.continuation
    assert served.ask(on_item=lambda name, item: None).value.layers == 2
    assert served.model.sample(HELLO, purpose="test", max_tokens=8).texts == [json.dumps(GOOD)]
    assert "".join(served.say()) == json.dumps(GOOD)
    assert [chat.body["max_tokens"] for chat in served.server.chats[2:]] == [16_384] * 3


def test_the_limit_grows_in_a_streamed_answer_and_in_a_chat_too(serve: Open) -> None:
    for kind in ("structured", "chat"):
        served = serve(thinker(3000), exchanges=None, mode="live", answer_tokens=1000)
        if kind == "chat":
            assert "".join(served.say()) == json.dumps(GOOD)
        else:
            assert served.ask(on_item=lambda name, item: None).value.layers == 2
        assert [chat.body["max_tokens"] for chat in served.server.chats] == [1000, 4000]


def test_it_grows_no_further_than_caps_and_server_allow(serve: Open) -> None:
    served = serve(thinker(10**9), exchanges=None, mode="live", caps=ModelCaps(tokens=9000))
    with pytest.raises(InvalidAnswer):
        served.ask()
    limits = [chat.body["max_tokens"] for chat in served.server.chats]
    assert limits[0] == 4096 and max(limits) < 9000 and len(limits) <= 4
    endless = serve(thinker(10**9), exchanges=None, mode="live", caps=ModelCaps(tokens=None))
    with pytest.raises(InvalidAnswer, match="TUNESMITH_ANSWER_TOKENS"):
        endless.say()
    assert [chat.body["max_tokens"] for chat in endless.server.chats] == [4096, 16_384, 65_536]


def test_what_was_learned_is_known_to_the_next_session_of_the_run(tmp_path: Path) -> None:
    def script(request: ChatRequest) -> Reply:
        if any(message["role"] == "system" for message in request.messages):
            return Reply(status=400, raw=b'{"error": "System role not supported"}')
        return thinker(10_000)(request)

    asked = [{"role": "system", "content": "Be brief."}, *HELLO]
    with ChatServer(script) as server:
        choice = ModelSettings(base_url=server.url, model="m", api_key=SecretStr(KEY))
        sent = []
        for _ in range(2):
            model = open_model(choice, ModelCaps(), lambda e: e, mode="live", calls=tmp_path / "calls.jsonl")
            assert model.complete(asked, Point, purpose="test").value.layers == 2
            sent.append(len(server.chats))
    assert sent == [3, 4] and server.chats[3].body["max_tokens"] == 16_384


def test_a_recording_of_two_such_sessions_replays_as_one(tmp_path: Path) -> None:
    path = tmp_path / "exchanges.jsonl"
    with ChatServer(thinker(10_000)) as server:
        choice = ModelSettings(
            base_url=server.url, model="m", api_key=SecretStr(KEY), effort="low", answer_tokens=3000
        )
        for number in range(2):
            model = open_model(
                choice, ModelCaps(), lambda e: e, exchanges=path, calls=tmp_path / "calls.jsonl"
            )
            asked = [{"role": "user", "content": f"question {number}"}]
            assert model.complete(asked, Point, purpose="test").value.layers == 2
    again = open_model(None, ModelCaps(), lambda e: e, exchanges=path, mode="replay")
    for number in range(2):
        asked = [{"role": "user", "content": f"question {number}"}]
        assert again.complete(asked, Point, purpose="test").value.layers == 2
    assert again.usage.calls == len(server.chats) == 3


def test_effort_and_limit_are_set_by_the_environment_and_left_out_where_refused(serve: Open) -> None:
    environ = {
        "TUNESMITH_BASE_URL": "http://localhost/v1",
        "TUNESMITH_EFFORT": "Low",
        "TUNESMITH_ANSWER_TOKENS": "9000",
    }
    chosen = ModelSettings.from_environment(environ)
    assert chosen is not None and (chosen.effort, chosen.answer_tokens) == ("low", 9000)
    for wrong in (
        {"TUNESMITH_EFFORT": "very low"},
        {"TUNESMITH_ANSWER_TOKENS": "many"},
        {"TUNESMITH_ANSWER_TOKENS": "1"},
    ):
        with pytest.raises(UsageError, match=next(iter(wrong))):
            ModelSettings.from_environment({**environ, **wrong})
    served = serve([answer(GOOD)], exchanges=None, mode="live", effort="low", answer_tokens=9000)
    served.ask()
    body = served.server.chats[0].body
    assert (body["reasoning_effort"], body["max_tokens"]) == ("low", 9000)
    plain = serve(
        [answer(GOOD)], exchanges=None, mode="live", effort="low", server={"rejects": ("reasoning_effort",)}
    )
    assert plain.ask().value.layers == 2 and plain.ask().value.layers == 2
    assert ["reasoning_effort" in chat.body for chat in plain.server.chats] == [True, False, False]


WHOLE = json.dumps(GOOD)
ANSWERS: dict[str, dict[str, Any]] = {
    "a tag": {"content": f"<think>Hm {{}} {{\"lr\": 1}}</think>{WHOLE}"},
    "several tags": {"content": f"<think>a</think> <thinking>b</thinking>\n{WHOLE}"},
    "a swallowed tag": {"content": f"Hm, {{\"lr\": 5}}\n</think>\n{WHOLE}"},
    "another tag": {"content": f"<reasoning>x</reasoning>{WHOLE}"},
    "channels": {"content": f"<|channel|>analysis<|message|>Hm<|end|><|start|>assistant<|channel|>final<|message|>{WHOLE}<|return|>"},
    "kimi": {"content": f"\u25c1think\u25b7Hm\u25c1/think\u25b7{WHOLE}"},
    "cohere": {"content": f"<|START_THINKING|>Hm<|END_THINKING|>{WHOLE}"},
    "parts": {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]}, {"type": "text", "text": WHOLE}]},
    "a field": {"content": WHOLE, "reasoning_content": "Hm"},
    "another field": {"content": WHOLE, "reasoning": "Hm"},
    "all in the field": {"content": None, "reasoning_content": f"Hm. {WHOLE}"},
    "a call": {"content": None, "tool_calls": [{"id": "c", "function": {"name": "answer", "arguments": WHOLE}}]},
    "a call with an object": {"content": "", "tool_calls": [{"id": "c", "function": {"name": "answer", "arguments": GOOD}}]},
    "a call with thoughts": {"content": "", "tool_calls": [{"id": "c", "function": {"name": "answer", "arguments": f"<think>Hm</think>{WHOLE}"}}]},
    "a call in a string": {"content": "", "tool_calls": [{"id": "c", "function": {"name": "answer", "arguments": json.dumps(WHOLE)}}]},
    "a call without arguments": {"content": WHOLE, "tool_calls": [{"id": "c", "function": {"name": "answer", "arguments": ""}}]},
    "the older call": {"content": None, "function_call": {"name": "answer", "arguments": WHOLE}},
}  # fmt: skip


def test_an_answer_is_found_wherever_the_server_puts_it(serve: Open) -> None:
    said = list(ANSWERS.values())
    for streamed in (False, True):
        served = serve(lambda r: completion(r, **said[r.number]), exchanges=None, mode="live")
        heard = {"on_item": lambda list_name, item: None} if streamed else {}
        for number, name in enumerate(ANSWERS, 1):
            assert served.ask(**heard).value == Point(**GOOD), (name, streamed)
            assert len(served.server.chats) == number, name


def test_endings_are_understood_in_the_words_of_every_server(serve: Open) -> None:
    for ending in ("MAX_TOKENS", "max_tokens", "length"):
        served = serve(
            lambda r, e=ending: (
                completion(r, finish="end_turn", content=WHOLE)
                if r.number
                else completion(r, finish=e, content="")
            ),
            exchanges=None,
            mode="live",
        )
        assert served.ask().value.layers == 2 and served.server.chats[1].body["max_tokens"] == 16_384


def test_a_person_hears_no_thoughts_and_the_agent_neither(serve: Open) -> None:
    said = [
        "<think>Let me see. </think>The answer is 4.",
        "So 2 + 2... </think>The answer is 4.",
        "So 2 + 2... </think>The answer is 4.",
        "The answer is 4.",
    ]
    served = serve(said, exchanges=None, mode="live")
    assert "".join(served.say()) == "The answer is 4."
    assert "".join(served.say()) == "So 2 + 2... The answer is 4."  # nobody could know, once
    assert "".join(served.say()) == "The answer is 4."
    assert "".join(served.say()) == "The answer is 4."


def test_the_agents_calls_are_read_in_every_form() -> None:
    from langchain_core.messages import HumanMessage

    from tunesmith.agent.policy.chat_model import ChatModel

    def chunk(*tool_calls: dict[str, Any]) -> dict[str, Any]:
        return {"choices": [{"delta": {"tool_calls": list(tool_calls)}}]}

    def call(arguments: Any, name: str = "look", **more: Any) -> dict[str, Any]:
        return {"function": {"name": name, "arguments": arguments}, **more}

    streams: dict[str, tuple[list[dict[str, Any]], list[tuple[str, dict[str, Any]]]]] = {
        "objects": ([chunk(call({"n": 2}, id="a", index=0))], [("look", {"n": 2})]),
        "no index, two ids": (
            [chunk(call('{"n": 1}', id="a")), chunk(call('{"n": 2}', id="b"))],
            [("look", {"n": 1}), ("look", {"n": 2})],
        ),
        "no index, no ids": (
            [chunk(call('{"n": 1}', index=0)), chunk(call('{"n": 2}', "see", index=0))],
            [("look", {"n": 1}), ("see", {"n": 2})],
        ),
        "one id for all": (
            [chunk(call("{}", id="a", index=0), call("{}", "see", id="a", index=1))],
            [("look", {}), ("see", {})],
        ),
        "in pieces": (
            [chunk(call("", id="a", index=0)), chunk({"index": 0, "function": {"arguments": '{"n"'}}),
             chunk({"index": 0, "function": {"arguments": ": 3}"}})],
            [("look", {"n": 3})],
        ),
        "thoughts": ([chunk(call('<think>{"n": 9}</think>{"n": 4}', id="a"))], [("look", {"n": 4})]),
        "a string": ([chunk(call(json.dumps('{"n": 5}'), id="a"))], [("look", {"n": 5})]),
        "nothing": ([chunk(call(None, id="a"))], [("look", {})]),
    }  # fmt: skip

    def script(request: ChatRequest) -> Reply:
        events, _ = list(streams.values())[request.number]
        raw = "".join(f"data: {json.dumps(event)}\n\n" for event in events) + "data: [DONE]\n\n"
        return Reply(raw=raw.encode(), headers={"Content-Type": "text/event-stream"})

    with ChatServer(script) as server:
        choice = ModelSettings(base_url=server.url, model="m", api_key=SecretStr(KEY))
        opened = open_model(choice, ModelCaps(), lambda e: e, mode="live")
        model = ChatModel(language_model=opened, purpose="test", on_piece=lambda piece: None)
        for name, (_, expected) in streams.items():
            message = model.bind_tools([LOOK]).invoke([HumanMessage("hi")])
            assert [(c["name"], c["args"]) for c in message.tool_calls] == expected, name
            ids = [c["id"] for c in message.tool_calls]
            assert all(ids) and len(set(ids)) == len(ids), name
        opened.close()


PARTS = st.lists(
    st.sampled_from(["<think>", "</think>", "[THINK]", "a ", "b<", "c", "<|channel|>final<|message|>", "[1]", "{}", "<", "\u25c1think\u25b7"]),
    max_size=12,
)  # fmt: skip


@settings(max_examples=200)
@given(PARTS, st.lists(st.integers(1, 5), max_size=40))
def test_a_stream_says_what_the_whole_text_says(parts: list[str], sizes: list[int]) -> None:
    whole = "".join(parts)
    spoken, said, rest = Spoken(), "", whole
    for size in [*sizes, len(whole) + 1]:
        said += spoken.add(rest[:size])
        rest = rest[size:]
    said += spoken.close()
    at_once = Spoken()
    assert said == at_once.add(whole) + at_once.close(), "however it is cut"
    if not spoken.swallowed and "channel" not in whole:
        assert said.split() == without_thinking(whole).split() or "<" in said


def test_a_call_cut_off_by_the_limit_is_not_completed(serve: Open) -> None:
    served = serve([calls(("look", {"n": 2}))], exchanges=None, mode="live")
    assert [c.name for p in served.model.chat(HELLO, [LOOK], purpose="t") for c in p.calls][0] == "look"
    served = serve([text("x", finish_reason="length")], exchanges=None, mode="live")
    assert "".join(served.say()).strip() == "x"
