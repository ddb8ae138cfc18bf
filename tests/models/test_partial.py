"""Parts of answers that are still being written."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tunesmith.agent.models.partial import ItemReader

FIRST, SECOND = {"configuration": {"lr": 0.01, "tags": ["}]"]}, "why": 'a "}" in\n words'}, {"lr": 1e-5}
WHOLE = json.dumps({"view": "It [matters].", "beliefs": [FIRST], "candidates": [SECOND, FIRST]})
EXPECTED = [("beliefs", FIRST), ("candidates", SECOND), ("candidates", FIRST)]


def read(*texts: str) -> list[tuple[str, Any]]:
    reader = ItemReader()
    return [item for text in texts for item in reader.add(text)]


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", ""),
        ("Sure {really}:\n```json\n", "\n```\nGood luck {}!"),
        ('<think>{"candidates": [{"lr": 9}]}</think>', ""),
    ],
    ids=["bare", "fenced", "after a thought"],
)
def test_every_element_comes_once_and_in_order_however_the_text_is_cut(size, before, after):
    text = before + WHOLE + after
    assert read(*[text[i : i + size] for i in range(0, len(text), size)]) == EXPECTED


def test_an_element_comes_with_its_closing_brace_and_not_before():
    reader = ItemReader()
    text = '{"candidates": [{"lr": 0.012}'
    assert [item for sign in text[:-1] for item in reader.add(sign)] == []
    assert reader.add(text[-1]) == [("candidates", {"lr": 0.012})]


def test_the_prefixes_of_an_answer_never_hold_half_a_number():
    for end in range(len(WHOLE)):
        assert [item for item in read(WHOLE[:end]) if item not in EXPECTED] == []


@pytest.mark.parametrize(
    "rest", [' {"lr": NaN}]}', " oops]}", ' {"lr": 1,}]}', ""], ids=["nan", "words", "comma", "end"]
)
def test_what_was_complete_before_a_fault_stays(rest):
    assert read('{"candidates": [{"lr": 0.5},', *rest) == [("candidates", {"lr": 0.5})]


def test_text_without_end_is_not_read_without_end():
    reader = ItemReader()
    assert [reader.add('{"}' * 70_000), reader.add(WHOLE)] == [[], []]
