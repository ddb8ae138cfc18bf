"""Streams and redirects as servers send them: odd events, split secrets, other addresses."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from fakes.chat_server import Reply, text
from fakes.served_model import KEY, ServedModel
from tunesmith.agent.models.base import AttemptFailed, as_chunk
from tunesmith.agent.models.faults import completion_of, status_fault
from tunesmith.agent.models.parsing import objects_in
from tunesmith.agent.models.partial import ItemReader
from tunesmith.agent.models.split_secrets import without_secrets
from tunesmith.agent.models.wire import events_of, piece_of, reply_of
from tunesmith.errors import ModelError, ModelUnavailable
from tunesmith.text.secrets import Redactor

Open = Callable[..., ServedModel]
SPOKEN = {"choices": [{"index": 0, "delta": {"content": "yes"}, "finish_reason": None}]}


def deltas(chunks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [choice["delta"] for chunk in chunks for choice in chunk["choices"]]


def test_a_key_that_an_answer_quotes_is_nowhere_even_if_it_is_streamed_by_letters(
    serve: Open, tmp_path: Any
) -> None:
    quoted = [{"choices": [{"index": 0, "delta": {"content": c}, "finish_reason": None}]} for c in f"{KEY}!"]
    raw = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in quoted) + "data: [DONE]\n\n"
    served = serve([Reply(raw=raw.encode(), headers={"content-type": "text/event-stream"})])
    assert "".join(served.say()) == "[key]!"
    recorded = json.loads((tmp_path / "exchanges.jsonl").read_text())["response"]["chunks"]
    chunks = [json.loads(line.removeprefix("data:")) for line in recorded]
    assert "".join(d.get("content", "") for d in deltas(chunks)) == "[key]!"


@pytest.mark.parametrize("name", ["content", "reasoning_content", "refusal"])
def test_what_was_held_back_comes_at_the_end(name: str) -> None:
    begun = [{"choices": [{"index": 0, "delta": {name: "a sec"}}]}]
    ended = [*begun, {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}]
    for chunks in (begun, ended):
        copied = json.loads(json.dumps(chunks))
        shown = deltas(list(without_secrets(copied, [Redactor({}, ["secret"])])))
        assert "".join(delta.get(name, "") for delta in shown) == "a sec"


def test_arguments_of_calls_hold_no_secret_and_stay_with_their_call() -> None:
    def piece(arguments: str, **call: Any) -> dict[str, Any]:
        return {"index": 0, "function": {"arguments": arguments}, **call}

    pieces = [piece('{"a": "sec', id="1"), piece('ret"} sec'), piece('{"b": 1}', id="2")]
    chunks = [{"choices": [{"index": 0, "delta": {"tool_calls": [each]}}]} for each in pieces]
    shown = deltas(list(without_secrets(chunks, [Redactor({}, ["secret"])])))
    calls = [call for delta in shown for call in delta["tool_calls"]]
    second = next(place for place, call in enumerate(calls) if call.get("id") == "2")
    assert "".join(c["function"]["arguments"] for c in calls[:second]) == '{"a": "[key]"} sec'
    assert "".join(c["function"]["arguments"] for c in calls[second:]) == '{"b": 1}'


@pytest.mark.parametrize("indent", [None, 1])
def test_an_event_may_be_spread_over_lines(indent: int | None) -> None:
    lines = [f"data: {line}" for line in json.dumps(SPOKEN, indent=indent).split("\n")]
    assert list(events_of([*lines, "", ": a comment", *lines, "data: {cut", "", *lines, "data: [DONE]"])) == (
        [SPOKEN] * 3
    )


def test_chunks_without_any_prefix_are_read(serve: Open) -> None:
    raw = "".join(json.dumps(SPOKEN) + "\n" for _ in range(3))
    served = serve([Reply(raw=raw.encode(), headers={"content-type": "application/x-ndjson"})])
    assert "".join(served.say()) == "yesyesyes"


def test_a_redirect_on_the_same_server_is_followed_by_a_counted_attempt(serve: Open) -> None:
    moved = Reply(status=308, headers={"location": "/gateway/v1/chat/completions"}, raw=b"")
    served = serve([text("hello")], server={"lost": moved})
    served.server.root = "/gateway/v1"
    assert "".join(served.say()) == "hello"
    assert "".join(served.say()) == "hello"
    assert len(served.calls) == len(served.server.requests) == 3


@pytest.mark.parametrize("location", ["http://elsewhere.invalid/v1/chat/completions", "/v1/chat/completions"])
def test_no_redirect_leads_elsewhere_or_in_a_circle(serve: Open, location: str) -> None:
    served = serve([Reply(status=307, headers={"location": location}, raw=b"")])
    with pytest.raises(ModelUnavailable, match=r"redirects to .* Check TUNESMITH_BASE_URL"):
        served.say()
    assert len(served.calls) == len(served.server.requests) == 1


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (r"\ud83d", "\ufffd"),
        (r"\ude00\ud83d\ude00 x", "\ufffd\U0001f600 x"),
        ("\ud83d.", "\ufffd."),
        (r"\u00e9\\", "é\\"),
    ],
)
def test_half_a_character_costs_no_answer(written: str, read: str) -> None:
    content = f'{{"list": ["{written}"], "end": 1}}'
    chunk = {"choices": [{"index": 0, "delta": {"content": content}}]}
    completion = {"choices": [{"index": 0, "message": {"content": content}}]}
    (event,) = events_of([f"data: {json.dumps(chunk)}"])
    whole = completion_of(json.dumps(completion), "here")["choices"][0]["message"]["content"]
    for answer in (content, event["choices"][0]["delta"]["content"], whole):
        assert objects_in(answer) == [{"list": [read], "end": 1}]
        assert ItemReader().add(answer) == [("list", read)]


@pytest.mark.parametrize("odd", ["Wed, 21 Oct 99999 07:28:00 GMT", "soon", "-5", "", "2 seconds"])
def test_a_wait_that_makes_no_sense_is_none(odd: str) -> None:
    fault = status_fault(429, "slow down", {"retry-after": odd}, "here")
    assert isinstance(fault, AttemptFailed) and fault.retry and fault.retry_after_s <= 0


@pytest.mark.parametrize("status", [200, 400, 401])
def test_a_key_whose_characters_a_body_escapes_is_taken_out(serve: Open, tmp_path: Any, status: int) -> None:
    escaped = "".join(f"\\u{ord(c):04x}" for c in KEY)
    said = {"choices": [{"message": {"content": "x KEY"}}]} if status == 200 else {"error": "bad KEY"}
    served = serve([Reply(status=status, raw=json.dumps(said).replace("KEY", escaped).encode())])
    try:
        told = "".join(served.say())
    except ModelError as error:
        told = str(error)
    assert "[key]" in told and KEY not in told
    assert escaped[1:13] not in (tmp_path / "exchanges.jsonl").read_text()


def test_a_choice_may_have_its_text_without_a_message() -> None:
    assert reply_of({"choices": [{"text": "yes", "finish_reason": "stop"}]}).text == "yes"
    assert piece_of({"choices": [{"text": "yes"}]}).text == "yes"
    assert piece_of(as_chunk({"choices": [{"text": "yes"}]})).text == "yes"


@pytest.mark.parametrize("sign", ["\u2028", "\x85"])
def test_a_line_that_is_cut_at_a_sign_of_unicode_is_whole_again(serve: Open, sign: str) -> None:
    chunk = {"choices": [{"index": 0, "delta": {"content": f"one{sign}two: 2"}, "finish_reason": None}]}
    raw = f"data: {json.dumps(chunk, ensure_ascii=False)}\n\ndata: [DONE]\n\n"
    served = serve([Reply(raw=raw.encode(), headers={"Content-Type": "text/event-stream"})])
    assert "".join(served.say()).split() == ["one", "two:", "2"]
