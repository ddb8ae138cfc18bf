"""Answers of a given shape from servers of every kind, through one strict validator."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel

from fakes.chat_server import answer, calls, cut, text
from fakes.served_model import Point, ServedModel
from tunesmith.agent.models.structured import strict_schema
from tunesmith.errors import InvalidAnswer, ModelRefused
from tunesmith.events import AnswersParsed

Open = Callable[..., ServedModel]
GOOD = {"lr": 0.01, "layers": 2}


def test_a_server_without_response_format_is_asked_by_tool_call_from_then_on(serve: Open) -> None:
    served = serve(lambda request: GOOD, server={"rejects": ("response_format",)})
    served.ask()
    served.ask()
    forms = [("response_format" in chat.body, chat.forced_tool) for chat in served.server.chats]
    assert forms == [(True, None), (False, "answer"), (False, "answer")]
    (fallback,) = served.degraded
    assert fallback.what == "fallback" and "response_format is not supported" in fallback.cause


def test_a_server_without_tools_either_is_asked_in_words(serve: Open) -> None:
    served = serve(lambda request: GOOD, server={"rejects": ("response_format", "tools")})
    served.ask()
    served.ask()
    assert len(served.server.chats) == 4
    assert '"layers"' in served.server.chats[-1].last  # the schema stands in the question
    assert {"tools", "tool_choice", "response_format"}.isdisjoint(served.server.chats[-1].body)


def test_a_server_that_ignores_the_schema_gets_one_repair_question_and_words_from_then_on(
    serve: Open,
) -> None:
    served = serve(lambda r: f"Sure! ```json\n{json.dumps(GOOD)}\n```" if "JSON" in r.last else "Use 0.01.")
    first = served.ask()
    assert first.value.layers == 2
    served.ask()
    assert len(served.server.chats) == 3
    assert [d.what for d in served.degraded] == ["fallback", "repair"]


def test_the_repair_question_names_the_faults_and_holds_the_first_answer(serve: Open) -> None:
    served = serve([answer({"lr": True, "layers": "two", "note": 1}), answer(GOOD)])
    done = served.ask()
    assert done.value == Point(lr=0.01, layers=2)
    question = served.server.chats[1]
    assert question.messages[-2]["role"] == "assistant" and '"two"' in question.messages[-2]["content"]
    for fault in ("lr: Input should be a valid number", "layers: Input should be", "note: Extra inputs"):
        assert fault in question.last
    assert done.tokens == sum(c.prompt_tokens + c.completion_tokens for c in served.calls)


@pytest.mark.parametrize(
    "said",
    [
        {"answer": GOOD},
        {"Point": GOOD},
        {"name": "answer", "arguments": GOOD},
        {"type": "object", "properties": GOOD},
    ],
)
def test_an_answer_under_one_name_is_the_answer(serve: Open, said: dict[str, Any]) -> None:
    served = serve([answer(said)])
    assert served.ask().value == Point(lr=0.01, layers=2)
    assert len(served.calls) == 1


def test_of_two_answers_under_names_none_is_chosen(serve: Open) -> None:
    served = serve([answer({"first": GOOD, "second": GOOD}), answer(GOOD)])
    served.ask()
    assert len(served.calls) == 2


def test_the_callers_own_check_speaks_in_the_repair_question(serve: Open) -> None:
    served = serve([answer({"lr": 7.0, "layers": 2}), answer(GOOD)])
    done = served.ask(check=lambda point: ["lr = 7.0: above 0.1"] if point.lr > 0.1 else [])
    assert done.value.lr == 0.01
    assert "- lr = 7.0: above 0.1" in served.server.chats[1].last


@pytest.mark.parametrize(
    "said",
    [
        '{"lr": NaN, "layers": 2}',
        '{"lr": Infinity, "layers": 2}',
        '{"lr": 1e400, "layers": 2}',
        '{"lr": "NaN", "layers": 2}',
        '{"lr": "0.1", "layers": 2}',
        '{"lr": true, "layers": 2}',
        '{"lr": 0.1, "layers": true}',
        '{"lr": 0.1, "layers": 2.5}',
        '{"lr": 0.1, "layers": null}',
        '{"lr": 0.1, "layers": 2, "momentum": 0.9}',
        '{"lr": 0.1, "lr": 0.2, "layers": 2}',
        '{"lr": 0.1, "layers": 2222222222222222222222222222222222222222222}',
        '{"lr": 3e-, "layers": 2}',
        "{'lr': 0.1, 'lr': 0.2, 'layers': 2}",
        "{'lr': 1e999, 'layers': 2}",
        '{"lr": 0.1, "layers": 1,024}',
        '[{"lr": 0.1}]',
        '{"lr": 0.1, "layers": 2} or {"lr": 0.2, "layers": 3}',
        "null",
        "",
    ],
)
def test_what_is_no_number_never_becomes_one(serve: Open, said: str) -> None:
    served = serve([text(said)])
    with pytest.raises(InvalidAnswer):
        served.ask()
    assert len(served.server.chats) == 2


def test_a_cut_reply_is_never_completed_by_guessing(serve: Open) -> None:
    served = serve([cut('{"layers": 2, "lr": 0.00'), answer(GOOD)])
    assert served.ask().value.lr == 0.01


def test_broken_json_of_a_finished_reply_is_repaired_and_said_to_be(serve: Open) -> None:
    served = serve([text("{'lr': 0.05, layers: 3,}")])
    done = served.ask()
    assert done.value == Point(lr=0.05, layers=3)
    assert [d.cause for d in served.degraded] == ["the answer's JSON was broken"]
    assert len(served.server.chats) == 1


@pytest.mark.parametrize(
    ("replies", "stage"),
    [
        ([answer(GOOD)], "strict"),
        ([text("Here: " + json.dumps(GOOD))], "strict"),
        ([text("{'lr': 0.05, layers: 3,}")], "tolerant"),
        ([answer({"lr": True}), answer(GOOD)], "repaired"),
        ([answer({"lr": True}), text("{'lr': 0.05, layers: 3,}")], "repaired"),
        ([answer({"lr": True}), answer({"lr": True})], "refused"),
        ([text("I'm sorry, I can't help with that.")], "refused"),
    ],
    ids=[
        "as asked",
        "in prose",
        "mended",
        "asked back",
        "asked back and mended",
        "still invalid",
        "declined",
    ],
)
def test_every_question_is_counted_once_by_the_stage_that_its_answer_was_read_at(
    serve: Open, replies: list[Any], stage: str
) -> None:
    served = serve(replies)
    if stage == "refused":
        with pytest.raises((InvalidAnswer, ModelRefused)):
            served.ask()
    else:
        served.ask()
    (counted,) = [event for event in served.events if isinstance(event, AnswersParsed)]
    assert counted == AnswersParsed(where="test", **{stage: 1})


def test_arguments_of_a_tool_call_pass_the_same_validator(serve: Open) -> None:
    served = serve(
        lambda r: calls(("answer", {**GOOD, "lr": True} if len(r.messages) == 1 else GOOD)),
        server={"rejects": ("response_format",)},
    )
    done = served.ask()
    assert done.value.lr == 0.01 and served.server.chats[-1].forced_tool == "answer"


def test_an_object_with_free_keys_is_sent_without_the_strict_promise() -> None:
    class Free(BaseModel):
        values: dict[str, float]

    assert strict_schema(Free)[1] is False
    shape, strict = strict_schema(Point)
    assert strict and shape["required"] == ["lr", "layers"] and shape["additionalProperties"] is False


def test_hostile_faults_are_short_in_the_repair_question(serve: Open) -> None:
    hostile: dict[str, Any] = {f"k{i}": "x" * 5000 for i in range(100)}
    served = serve([answer(hostile), answer(GOOD)])
    served.ask()
    assert len(served.server.chats[1].last) < 4000
