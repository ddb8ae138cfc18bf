"""What a program is started with, and how its score is read."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from fakes.chat_server import ChatServer, text
from tunesmith.errors import PipelineError
from tunesmith.pipeline.program import ProgramSettings
from tunesmith.pipeline.settings import PipelineSettings
from tunesmith.task import load_task
from tunesmith.tools.pipelines.items import Item
from tunesmith.tools.pipelines.listening import listen
from tunesmith.tools.pipelines.printed_score import printed_score
from tunesmith.tools.pipelines.program import Ran, opened, run_program
from tunesmith.tools.pipelines.program_command import arguments, program_environment
from tunesmith.tools.pipelines.proxy.asking import Asked
from tunesmith.tools.pipelines.proxy.matching import stage_of

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
        *(
            (f"score: {text}\n".encode(), b"", None)
            for text in ("1/2", "1 of 4", "1 out of 4", "0.5 %", "0,5")
        ),
        (b"score: 0.25 of\nscore: 0.75.\n", b"", 0.75),
    ],
)
def test_the_last_score_that_is_printed_counts(out: bytes, err: bytes, score: float | None):
    found, why = printed_score(out, err)
    assert found == score, why
    assert (found is None) == bool(why) and "metric:" not in why


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


@pytest.mark.long
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


class Told:
    """What `run_program` needs of a trial."""

    number, metric, reports = 0, "quality", SimpleNamespace(further=())

    def __init__(self, folder: Path, given: Any, stop_after: int = 100) -> None:
        self.folder, self.given, self.notes, self.steps = folder / "trials" / "0", given, [], stop_after

    def report(self, value: object, step: int) -> None:
        self.steps -= 1

    def should_prune(self) -> bool:
        return self.steps <= 0

    def report_items(self, scores: object, metric: str) -> None:
        pass


def test_a_program_that_passes_the_proxy_by_makes_no_trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    settings = {
        "items": "items.jsonl",
        "program": {"command": ["true", "{item}"]},
        "split": {"search": 3, "confirm": 1},
        "stages": {"only": {"match": {"model": "m"}, "models": {"m": {"seconds": 1}, "n": {"seconds": 2}}}},
    }
    (tmp_path / "items.jsonl").write_text("".join(f'{{"n": {k}}}\n' for k in range(4)))
    pipeline = PipelineSettings.model_validate(settings).model_dump(mode="json")
    pipeline["program"]["command"] = [sys.executable, "-c", "print('score: 1')", "{item}"]
    rates = {"only": {"m": {}, "n": {}}}
    given = {"pipeline": pipeline, "fixed": {}, "prices": {}, "rates": rates, "cost_model": "calls"}
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PipelineError, match="first 3 items the program made no call: .*OPENAI_BASE_URL"):
        run_program({"only.model": "m"}, Told(tmp_path, given), confirming=False)
    stopped = Told(tmp_path, given, stop_after=2)
    run_program({"only.model": "m"}, stopped, confirming=False)
    assert "OPENAI_BASE_URL" in stopped.notes[0]


def test_stages_are_told_apart_where_prompts_hold_the_item_or_are_lacking(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    code = """import os, sys, urllib.request as u, json
given = sys.argv[1]
for system in ("You are a planner. Text: " + given, "You are a solver. Text: " + given, "Judge.", None):
    said = [{"role": "system", "content": system}] if system else []
    body = {"model": "m", "messages": [*said, {"role": "user", "content": "go"}]}
    u.urlopen(u.Request(os.environ["OPENAI_BASE_URL"] + "/chat/completions", json.dumps(body).encode()))
print("score: 1")
"""
    with ChatServer(lambda request: text("yes", usage=(8, 2))) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        words = (sys.executable, "-c", code, "{item.text}")
        program = ProgramSettings(command=words).model_dump(mode="json")
        items = [Item(name, {"text": name}, name) for name in ("What is it", "Why")]
        heard = listen(program, items, tmp_path)
    lines = heard.task_lines({"command": list(words)}, "items.jsonl").replace('["m"]', "[m, n]")
    (tmp_path / "task.yaml").write_text("name: t\n" + lines)
    stages = load_task(tmp_path / "task.yaml").problem.settings.stages  # type: ignore[union-attr]
    matches = {name: stage.match.model_dump() for name, stage in stages.items()}
    planner, solver, judge, plain = matches.values()
    assert [m["system"] for m in (planner, solver)] == ["You are a planner. Text:", "You are a solver. Text:"]
    assert judge["system"].startswith("sha256:") and (plain["system"], plain["model"]) == ("", "m")
    assert all(stage.tokens.prompt == 8 for stage in stages.values())
    other = request_of(
        {"model": "m", "messages": [{"role": "system", "content": "You are a solver. Text: x"}]}
    )
    assert stage_of(other, matches) == "stage_2"
    assert stage_of(request_of({"model": "m", "messages": []}), matches) == "stage_4"


def request_of(document: dict[str, Any]) -> Asked:
    return Asked("POST", "/chat/completions", "", (), "", b"", document)
