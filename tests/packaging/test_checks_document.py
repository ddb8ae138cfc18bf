"""docs/llambo-checks.md names tests and files; all of them are there, so that the document stays true."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "llambo-checks.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (\d+) \| (.*?) \| (met|partly|not met) \| (.*) \|$", TEXT, re.M)
BESIDE = ("", "agent/methods/llambo")
"""Where a path of the document may start from."""


def test_the_forty_checks_stand_there_once_each_with_a_test_or_what_is_missing():
    assert [int(number) for number, *_ in ROWS] == list(range(1, 41))
    for number, _, state, where in ROWS:
        assert "::test_" in where or state == "not met", number
        assert state == "met" or "Missing:" in where or "Not done:" in where, number


def test_every_test_named_there_exists():
    named = set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", TEXT))
    assert TEXT.count("::test_") == len(re.findall(r"`tests/[\w/]+\.py::test_\w+`", TEXT)) > 80
    gone = [
        f"{path}::{name}"
        for path, name in sorted(named)
        if not re.search(rf"^(?:async )?def {name}\(", (ROOT / path).read_text(encoding="utf-8"), re.M)
    ]
    assert gone == []


def test_every_file_and_folder_named_there_exists():
    named = set(re.findall(r"`([\w./-]+(?:\.py|\.md|\.json|/))`", TEXT))
    gone = [path for path in sorted(named) if not any((ROOT / start / path).exists() for start in BESIDE)]
    assert len(named) > 20 and gone == []


def test_its_count_is_that_of_its_rows():
    counts = Counter(state for _, _, state, _ in ROWS)
    partly = ", ".join(number for number, _, state, _ in ROWS if state == "partly")
    said = f"{counts['met']} met, {counts['partly']} partly ({partly}), {counts['not met']} not met."
    assert said in TEXT
