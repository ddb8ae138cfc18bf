"""JSON objects out of what models write around them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.agent.models.parsing import is_refusal, objects_in, repaired_object

ONE = {"lr": 0.1}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param('{"lr": 0.1}', [ONE], id="bare"),
        pytest.param('```json\n{"lr": 0.1}\n```', [ONE], id="fenced"),
        pytest.param('Sure, {"lr": 0.1} it is {really}.', [ONE], id="in prose"),
        pytest.param('<think>{"lr": 9}</think>{"lr": 0.1}', [ONE], id="after thinking"),
        pytest.param('I think {"lr": 9}</think> {"lr": 0.1}', [ONE], id="thinking without its start"),
        pytest.param('<think>maybe {"lr": 0.1}', [], id="thinking without end"),
        pytest.param('{"lr": 0.1} so: {"lr": 0.1}', [ONE], id="the same twice"),
        pytest.param('{"lr": 0.1} or {"lr": 0.2}', [ONE, {"lr": 0.2}], id="two answers"),
        pytest.param('{"a": {"lr": 0.1}}', [{"a": ONE}], id="nested"),
        pytest.param('{"a": {"lr": 0.1}, "b": NaN}', [], id="a part of a broken one is no answer"),
        pytest.param(
            '{"a": "}{", "b": [1, {"c": 2}]}', [{"a": "}{", "b": [1, {"c": 2}]}], id="braces in text"
        ),
        pytest.param('{"lr": 0.', [], id="cut"),
        pytest.param("", [], id="empty"),
        pytest.param("[1, 2]", [], id="no object"),
        pytest.param('{"a":' * 100_000, [], id="very deep"),
    ],
)
def test_complete_objects_are_found_and_thinking_is_not_searched(text: str, found: list[object]) -> None:
    assert objects_in(text) == found


@pytest.mark.parametrize(
    ("text", "finish_reason", "value"),
    [
        pytest.param("{'lr': 0.1,}", "stop", ONE, id="quotes and a comma"),
        pytest.param('{"lr": 0.1 // small\n}', "stop", ONE, id="comment"),
        pytest.param("```json\n{lr: 0.1}\n```\nHope {this} helps", "stop", ONE, id="in a fence"),
        pytest.param('{"lr": 0.1,}', "length", None, id="cut by the limit"),
        pytest.param('{"lr": 0.1,}', "", None, id="nobody knows how it ended"),
        pytest.param('{"lr": 0.00', "stop", None, id="not closed"),
        pytest.param('{"batch": 1,024,}', "stop", None, id="thousands"),
        pytest.param("no json", "stop", None, id="prose"),
    ],
)
def test_repair_is_for_finished_replies_only(text: str, finish_reason: str, value: object) -> None:
    assert repaired_object(text, finish_reason) == value


@given(st.text(alphabet='{}[]",: \n0123456789.eE+-`trufalsenk<>/\\', max_size=200))
def test_no_text_breaks_the_parser_or_gains_a_number_by_repair(text: str) -> None:
    for value in [*objects_in(text), repaired_object(text, "stop") or {}]:
        for number in value.values():
            if isinstance(number, float):
                assert abs(number) != float("inf")


@pytest.mark.parametrize(
    ("text", "declined"),
    [
        ("I’m sorry, but I can’t help with that.", True),
        ("I cannot assist with this request.", True),
        ("As an AI, I do not tune models.", True),
        ("<think>I can't help but wonder</think> Use lr 0.1.", False),
        ("The learning rate can not be zero.", False),
    ],
)
def test_refusals_in_prose_are_told_from_answers(text: str, declined: bool) -> None:
    assert is_refusal(text) is declined
