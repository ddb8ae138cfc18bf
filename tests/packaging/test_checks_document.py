"""The documents of checks name tests and files; all of them are there, so that they stay true."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = {
    "llambo-checks.md": (40, "agent/methods/llambo"),
    "agenttts-checks.md": (30, "agent/methods/agenttts"),
}
"""How many checks there are, and where paths without a folder are."""


@pytest.fixture(params=DOCUMENTS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def text(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


@pytest.fixture
def rows(text: str) -> list[tuple[str, str, str, str]]:
    return re.findall(r"^\| (\d+) \| (.*?) \| (met|partly|not met) \| (.*) \|$", text, re.M)


def test_the_checks_stand_there_once_each_with_a_test_or_what_is_missing(name, rows):
    assert [int(number) for number, *_ in rows] == list(range(1, DOCUMENTS[name][0] + 1))
    for number, _, state, where in rows:
        assert "::test_" in where or state == "not met", number
        assert state != "partly" or "Missing:" in where or "Not done:" in where, number


def test_every_test_named_there_exists(text):
    named = set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text))
    assert text.count("::test_") == len(re.findall(r"`tests/[\w/]+\.py::test_\w+`", text)) > 40
    gone = [
        f"{path}::{test}"
        for path, test in sorted(named)
        if not re.search(rf"^(?:async )?def {test}\(", (ROOT / path).read_text(encoding="utf-8"), re.M)
    ]
    assert gone == []


def test_every_file_and_folder_named_there_exists(name, text):
    named = set(re.findall(r"`([\w./-]+(?:\.py|\.md|\.json|/))`", text))
    beside = ("", DOCUMENTS[name][1])
    gone = [path for path in sorted(named) if not any((ROOT / start / path).exists() for start in beside)]
    assert len(named) > 20 and gone == []


def test_its_count_is_that_of_its_rows(text, rows):
    counts = Counter(state for _, _, state, _ in rows)

    def numbers(state: str) -> str:
        found = ", ".join(number for number, _, of, _ in rows if of == state)
        return f" ({found})" if found else ""

    said = (
        f"{counts['met']} met, {counts['partly']} partly{numbers('partly')}, "
        f"{counts['not met']} not met{numbers('not met')}."
    )
    assert said in text
