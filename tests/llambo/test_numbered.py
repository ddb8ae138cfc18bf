"""Predictions for several candidates in one answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.agent.methods.llambo.numbered import read_numbered
from tunesmith.agent.models.replies import ParsedNumber, Refused


def values(text: str, count: int = 3, **more: bool) -> list[float | str]:
    return [
        one.value if isinstance(one, ParsedNumber) else one.kind for one in read_numbered(text, count, **more)
    ]


@pytest.mark.parametrize(
    "text",
    [
        "1: ## 0.91 ##\n2: ## 0.85 ##\n3: ## -0.2 ##",
        "3: ## -0.2 ##\n1: ## 0.91 ##\n2: ## 0.85 ##",
        "Here are my predictions:\n\n1: ## 0.91 ##\n2: ## 0.85 ##\n3: ## -0.2 ##\n",
        "1. ## 0.91 ##\n2. ## 0.85 ##\n3. ## -0.2 ##",
        "1: ## 0.91 ## 2: ## 0.85 ## 3: ## -0.2 ##",
        "1: 0.91\n2: 0.85\n3: -0.2",
        "- 1: ## 0.91 ##\n- 2: ## 0.85 ##\n- 3: ## -0.2 ##",
        "**1:** ## 0.91 ##\n**2:** ## 0.85 ##\n**3:** ## -0.2 ##",
        "Candidate 1: ## 0.91 ##\nCandidate 2: ## 0.85 ##\nCandidate 3: ## -0.2 ##",
        '{"1": 0.91, "2": 0.85, "3": -0.2}',
        '```json\n{"1": "## 0.91 ##", "2": "0.85", "3": -0.2}\n```',
        "<think>1: ## 0.5 ## perhaps</think>1: ## 0.91 ##\n2: ## 0.85 ##\n3: ## -0.2 ##",
        "1: ## 0.91 ##\n1: ## 0.91 ##\n2: ## 0.85 ##\n3: ## -0.2 ##",
    ],
)
def test_values_go_by_their_numbers(text: str) -> None:
    assert values(text) == [0.91, 0.85, -0.2]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("1: ## 0.91 ##\n3: ## 0.2 ##", [0.91, "missing", 0.2]),
        ("1: ## 0.91 ##\n2: ## 0.5 ##\n2: ## 0.6 ##\n3: ## 0.2 ##", [0.91, "ambiguous", 0.2]),
        ("0.91\n0.85\n0.2", ["missing"] * 3),
        ("0.91, 0.85, 0.2", ["missing"] * 3),
        ("1.5\n2.5\n3.5", ["missing"] * 3),
        ("4: ## 0.91 ##\n0: ## 0.3 ##", ["missing"] * 3),
        ("", ["empty"] * 3),
        ("<think>1: ## 0.5 ##", ["empty"] * 3),
        ("I cannot predict that.", ["missing"] * 3),
    ],
)
def test_what_has_no_number_of_its_own_is_nobodys(text: str, wanted: list[float | str]) -> None:
    found = values(text)
    assert [isinstance(one, float) for one in found] == [isinstance(one, float) for one in wanted]
    assert [one for one in found if isinstance(one, float)] == [
        one for one in wanted if isinstance(one, float)
    ]


def test_a_cut_answer_loses_only_its_last_line() -> None:
    found = read_numbered("1: ## 0.912345 ##\n2: ## 0.8", 3, finished=False, decimals=6)
    assert isinstance(found[0], ParsedNumber) and found[0].value == 0.912345
    assert all(isinstance(one, Refused) for one in found[1:])


@given(st.text(alphabet="0123456789:.-# \n{}\"'eEcand", max_size=80), st.integers(1, 5))
def test_any_text_gives_a_value_that_it_holds_or_a_refusal(text: str, count: int) -> None:
    found = read_numbered(text, count)
    assert len(found) == count
    for one in found:
        if isinstance(one, ParsedNumber):
            assert one.value == one.value and abs(one.value) != float("inf")
