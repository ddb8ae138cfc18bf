"""Answers of a given shape from servers of every kind, through one strict validator."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel

from fakes.chat_server import answer, calls, cut, text
from fakes.door_house import House, Point
from tunesmith.agent.models.structured import strict_schema
from tunesmith.errors import InvalidAnswer, ModelRefused
from tunesmith.events import AnswersParsed

Open = Callable[..., House]
GOOD = {"lr": 0.01, "layers": 2}


def test_a_server_without_response_format_is_asked_by_tool_call_from_then_on(open_house: Open) -> None:
    house = open_house(lambda request: GOOD, server={"rejects": ("response_format",)})
    assert house.ask().level == "tool"
    assert house.ask().level == "tool"
    forms = [("response_format" in chat.body, chat.forced_tool) for chat in house.server.chats]
    assert forms == [(True, None), (False, "answer"), (False, "answer")]
    (fallback,) = house.degraded
    assert fallback.what == "fallback" and "response_format is not supported" in fallback.cause


def test_a_server_without_tools_either_is_asked_in_words(open_house: Open) -> None:
    house = open_house(lambda request: GOOD, server={"rejects": ("response_format", "tools")})
    assert house.ask().level == "text"
    assert house.ask().level == "text"
    assert len(house.server.chats) == 4
    assert '"layers"' in house.server.chats[-1].last  # the schema stands in the question
    assert {"tools", "tool_choice", "response_format"}.isdisjoint(house.server.chats[-1].body)


def test_a_server_that_ignores_the_schema_gets_one_repair_question_and_words_from_then_on(
    open_house: Open,
) -> None:
    house = open_house(
        lambda r: f"Sure! ```json\n{json.dumps(GOOD)}\n```" if "JSON" in r.last else "Use 0.01."
    )
    first = house.ask()
    assert (first.value.layers, first.level, first.repaired, first.repairs) == (2, "text", True, 1)
    assert house.ask().repaired is False
    assert len(house.server.chats) == 3
    assert [d.what for d in house.degraded] == ["fallback", "repair"]


def test_the_repair_question_names_the_faults_and_holds_the_first_answer(open_house: Open) -> None:
    house = open_house([answer({"lr": True, "layers": "two", "note": 1}), answer(GOOD)])
    done = house.ask()
    assert done.repaired and done.value == Point(lr=0.01, layers=2)
    question = house.server.chats[1]
    assert question.messages[-2]["role"] == "assistant" and '"two"' in question.messages[-2]["content"]
    for fault in ("lr: Input should be a valid number", "layers: Input should be", "note: Extra inputs"):
        assert fault in question.last
    assert done.tokens == sum(c.prompt_tokens + c.completion_tokens for c in house.calls)


def test_a_second_invalid_answer_is_the_last(open_house: Open) -> None:
    house = open_house([answer({"lr": 1})])
    with pytest.raises(InvalidAnswer, match="stays invalid.*layers: Field required"):
        house.ask()
    assert len(house.server.chats) == 2


def test_the_callers_own_check_speaks_in_the_repair_question(open_house: Open) -> None:
    house = open_house([answer({"lr": 7.0, "layers": 2}), answer(GOOD)])
    done = house.ask(check=lambda point: ["lr = 7.0: above 0.1"] if point.lr > 0.1 else [])
    assert done.value.lr == 0.01
    assert "- lr = 7.0: above 0.1" in house.server.chats[1].last


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
def test_what_is_no_number_never_becomes_one(open_house: Open, said: str) -> None:
    house = open_house([text(said)])
    with pytest.raises(InvalidAnswer):
        house.ask()
    assert len(house.server.chats) == 2


def test_a_cut_reply_is_never_completed_by_guessing(open_house: Open) -> None:
    house = open_house([cut('{"layers": 2, "lr": 0.00'), answer(GOOD)])
    assert house.ask().value.lr == 0.01


def test_broken_json_of_a_finished_reply_is_repaired_and_said_to_be(open_house: Open) -> None:
    house = open_house([text("{'lr': 0.05, layers: 3,}")])
    done = house.ask()
    assert (done.value, done.repaired, done.repairs) == (Point(lr=0.05, layers=3), True, 1)
    assert [d.cause for d in house.degraded] == ["the answer's JSON was broken"]
    assert len(house.server.chats) == 1


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
    open_house: Open, replies: list[Any], stage: str
) -> None:
    house = open_house(replies)
    if stage == "refused":
        with pytest.raises((InvalidAnswer, ModelRefused)):
            house.ask()
    else:
        house.ask()
    (counted,) = [event for event in house.events if isinstance(event, AnswersParsed)]
    assert counted == AnswersParsed(where="test", **{stage: 1})


def test_arguments_of_a_tool_call_pass_the_same_validator(open_house: Open) -> None:
    house = open_house(
        lambda r: calls(("answer", {**GOOD, "lr": True} if len(r.messages) == 1 else GOOD)),
        server={"rejects": ("response_format",)},
    )
    done = house.ask()
    assert (done.level, done.repaired, done.value.lr) == ("tool", True, 0.01)


def test_an_object_with_free_keys_is_sent_without_the_strict_promise() -> None:
    class Free(BaseModel):
        values: dict[str, float]

    assert strict_schema(Free)[1] is False
    shape, strict = strict_schema(Point)
    assert strict and shape["required"] == ["lr", "layers"] and shape["additionalProperties"] is False


def test_hostile_faults_are_short_in_the_repair_question(open_house: Open) -> None:
    hostile: dict[str, Any] = {f"k{i}": "x" * 5000 for i in range(100)}
    house = open_house([answer(hostile), answer(GOOD)])
    house.ask()
    assert len(house.server.chats[1].last) < 4000
