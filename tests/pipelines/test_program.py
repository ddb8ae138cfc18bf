"""What a program is started with, and how its score is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tunesmith.tools.pipelines.printed_score import printed_score
from tunesmith.tools.pipelines.program_command import arguments, program_environment

ITEM = {"question": "a; rm -rf {item.answer} $(x)", "answer": 4, "tags": ["x", {"deep": "y"}]}


def test_what_an_item_says_stays_in_its_argument():
    command = [
        "app",
        "--q={item.question}",
        "{item}",
        "{item.answer}/{item.tags.1.deep}",
        "{item.tags}",
        "{}",
    ]
    assert arguments(command, ITEM, Path("/tmp/i.json")) == [
        "app", "--q=a; rm -rf {item.answer} $(x)", "/tmp/i.json", "4/y", '["x", {"deep": "y"}]', "{}",
    ]  # fmt: skip
    for missing in ("{item.other}", "{item.answer.x}", "{item.tags.7}"):
        with pytest.raises(KeyError):
            arguments([missing], ITEM, Path("i"))
    assert arguments(["{item}"], "a text", Path("i")) == ["i"]


def test_a_program_gets_the_proxy_and_no_key():
    given = {
        "OPENAI_API_KEY": "sk-real",
        "OTHER_KEY": "sk-2",
        "OPENAI_API_BASE": "https://x",
        "NO_PROXY": "a.b",
    }
    made = program_environment(given, "http://127.0.0.1:9/token/v1", ["OTHER_KEY"])
    assert "sk-real" not in str(made) and "sk-2" not in str(made)
    assert made["OPENAI_BASE_URL"] == made["OPENAI_API_BASE"] == "http://127.0.0.1:9/token/v1"
    assert made["NO_PROXY"].split(",") == ["a.b", "127.0.0.1", "localhost", "::1"]


@pytest.mark.parametrize(
    "out, err, score",
    [
        (b"0.5\n", b"", 0.5),
        (b"1\n", b"", 1.0),
        (b"step 1\nscore=0.25\n", b"", 0.25),
        (b"Score: 0.75\nscore: 1\n", b"", 1.0),
        (b'{"score": 0.5, "seconds": 3}\n', b"", 0.5),
        (b'{"score": 0.1}\nscore=0.9\n7\n', b"", 0.1),
        (b'{"score": 0.1}\n{"score": 0.2}\n', b"", 0.2),
        (b"0.1\n0.3\nbye\n", b"", 0.3),
        (b"", b"INFO score=0.5\n", 0.5),
        (b"", b"0.5\n", None),
        (b"high_score=3\n", b"", None),
        (b"score: nan\n", b"", None),
        (b"I have no idea\n", b"", None),
        (b"", b"", None),
        (b"\xff\xfe score=1e-1\r\n", b"", 0.1),
        (b"score=" + b"9" * 5000 + b"\n", b"", None),
    ],
)
def test_the_last_score_that_is_printed_counts(out: bytes, err: bytes, score: float | None):
    found, why = printed_score(out, err)
    assert found == score, why
    assert (found is None) == bool(why)


def test_a_tasks_own_pattern_counts_alone():
    assert printed_score(b"points 3 of 4\nscore=1\nEM 0.5\n", b"", r"EM ([\d.]+)")[0] == 0.5
    found, why = printed_score(b"score=1\n", b"", r"EM ([\d.]+)")
    assert found is None and "program.regex" in why
