"""What a program is started with, and how its score is read."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from fakes.chat_server import ChatServer
from tunesmith.errors import PipelineError
from tunesmith.pipeline.program import ProgramSettings
from tunesmith.tools.pipelines.items import Item
from tunesmith.tools.pipelines.printed_score import printed_score
from tunesmith.tools.pipelines.program import Ran, opened
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


def run(folder: Path, code: str, items: Sequence[str], **changes: Any) -> list[Ran]:
    """What a program comes to that is given the text of an item; `import sys` is done."""
    words = (sys.executable, "-c", f"import sys, time; item = sys.argv[1]; {code}", "{item.text}")
    program = {**ProgramSettings(command=words).model_dump(mode="json"), **changes}
    pipeline = {"stages": {}, "program": program, "replay": False, "bank": None}
    with opened({"pipeline": pipeline, "prices": {}}, (), folder, folder / "c.sqlite", 0) as programs:
        return list(programs.run([Item(name, {"text": name}, name) for name in items]))


def test_items_fail_one_by_one_and_a_trial_fails_where_all_do(tmp_path: Path):
    code = "item == 'bad' and sys.exit('no such thing'); item == 'slow' and time.sleep(60); print('score: 1')"
    ran = run(tmp_path, code, ["ok", "bad", "slow", "ok"], timeout=1.0, parallel=4)
    assert [(one.item.id, one.score) for one in ran] == [("ok", 1), ("bad", 0), ("slow", 0), ("ok", 1)]
    assert ran[1].fault == "it ended with status 1: no such thing" and "more than 1 s" in ran[2].fault
    with pytest.raises(PipelineError, match="failed for every item; b: it ended with status 1: no b"):
        run(tmp_path, "sys.exit('no ' + item)", ["a", "b"])
    with pytest.raises(PipelineError, match="each of the first 5 items"):
        run(tmp_path, "sys.exit(3)", list("abcdefgh"))
    with pytest.raises(PipelineError, match="has to be between 0 and 1"):
        run(tmp_path, "print(87)", ["a"])
    with pytest.raises(PipelineError, match="no field for `{item.text.x}`"):
        run(tmp_path, "1", ["a"], command=["true", "{item.text.x}"])
    with pytest.raises(PipelineError, match="cannot be started"):
        run(tmp_path, "1", ["a"], command=["no-such-program", "{item}"])
    (zero,) = run(tmp_path, "print(item)", ["0\0.5", "1"])[:1]
    assert "cannot be started" in zero.fault


SWALLOWS = """import os, urllib.request as u
url = os.environ['OPENAI_BASE_URL'] + '/chat/completions'
try:
    u.urlopen(u.Request(url, b'{"model": "m"}'))
except Exception:
    pass
print('score: 1')
"""


def test_a_program_that_swallows_a_refusal_does_not_make_a_trial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with ChatServer(["x"]) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        with pytest.raises(PipelineError, match="belongs to no stage .model 'm', system prompt none"):
            run(tmp_path, SWALLOWS, ["a"], unmatched="refuse")
        assert server.requests == []
        (ran,) = run(tmp_path, SWALLOWS, ["a"])
        assert ran.score == 1 and [call.stage for call in ran.calls] == ["other"]
