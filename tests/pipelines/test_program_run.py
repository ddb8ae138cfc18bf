"""A program that nobody changed, tuned by `tunesmith run` through the proxy, over real HTTP."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from fakes.chat_server import ChatRequest, ChatServer, Reply, text
from tunesmith.api import run_task
from tunesmith.api.verifying import verify
from tunesmith.cli import app
from tunesmith.errors import PipelineError
from tunesmith.pipeline.program import ProgramSettings
from tunesmith.task import load_task
from tunesmith.tools.pipelines.items import load_items
from tunesmith.tools.pipelines.listening import listen
from tunesmith.tools.pipelines.record import CapReached
from tunesmith.tools.pipelines.record_program import record_program

KEY = "sk-live-4f9a8b7c6d5e"
PLAIN = """
import argparse, json, os, urllib.request

def chat(system, user):
    body = {"model": "gpt-4o", "temperature": 1.0, "max_tokens": 50,
            "messages": [{"role": "system", "content": system}, {"role": "user", "content": user}]}
    url = os.environ["OPENAI_BASE_URL"] + "/chat/completions"
    request = urllib.request.Request(url, json.dumps(body).encode(),
        {"Authorization": "Bearer " + os.environ["OPENAI_API_KEY"], "Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["choices"][0]["message"]["content"]
"""
SDK = """
import argparse
from openai import OpenAI

client = OpenAI()

def chat(system, user):
    messages = [{"role": "system", "content": system}, {"role": "user", "content": user}]
    stream = client.chat.completions.create(model="gpt-4o", messages=messages, max_tokens=50, stream=True)
    with stream:
        return "".join(chunk.choices[0].delta.content or "" for chunk in stream)
"""
LANGCHAIN = """
import argparse
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_openai import ChatOpenAI

model = ChatOpenAI(model="gpt-4o", max_tokens=50)

def chat(system, user):
    prompt = ChatPromptTemplate([("system", "{system}"), ("user", "{user}")])
    return (prompt | model | StrOutputParser()).invoke({"system": system, "user": user})
"""
MAIN = """
parser = argparse.ArgumentParser()
parser.add_argument("--question")
parser.add_argument("--expected")
args = parser.parse_args()
plan = chat("You plan. Write the steps.", args.question)
answer = chat("You solve. Follow the plan.", args.question + " / " + plan)
print("answer:", answer)
print("score:", 1.0 if answer == args.expected else 0.0)
"""
TASK = """
name: unchanged
problem:
  name: pipeline
  program:
    command: "python app.py --question={item.question} --expected={item.answer}"
    money_limit: 1.0
  items: items.jsonl
  split: {search: 3, confirm: 1}
  cost_model: price
  stages:
    plan:
      match: {system: You plan.}
      models: &models
        tiny: {id: tiny-1, price: {prompt: 1.0, completion: 2.0}}
        huge: {id: huge-1, price: {prompt: 10.0, completion: 20.0}}
      tokens: {prompt: 30, completion: 5}
      temperature: 0.25
    solve:
      match: {system: You solve.}
      models: *models
      tokens: {prompt: 30, completion: 5}
tuner: random
budget: {trials: 4}
preload: []
"""


def provider(request: ChatRequest) -> Reply:
    """Huge plans too much, so that nobody can follow; only huge follows every plan."""
    system, user = (message["content"] for message in request.messages)
    huge = request.body["model"] == "huge-1"
    if system.startswith("You plan"):
        return text("too many steps" if huge else "add", usage=(30, 5))
    question, plan = user.split(" / ")
    good = plan == "add" and (huge or question in ("1+1", "2+2"))
    return text(str(eval_sum(question)) if good else "?", usage=(40, 5))


def eval_sum(question: str) -> int:
    return sum(map(int, question.split("+")))


def write(folder: Path, program: str, task: str = TASK) -> Path:
    (folder / "app.py").write_text(program + MAIN)
    items = [{"id": f"q{k}", "question": f"{k}+{k}", "answer": str(2 * k)} for k in range(1, 7)]
    (folder / "items.jsonl").write_text("".join(json.dumps(item) + "\n" for item in items))
    (folder / "task.yaml").write_text(task)
    return folder / "task.yaml"


def tune(task: Path, *more: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("OPENAI", "TUNESMITH"))}
    return subprocess.run(
        [sys.executable, "-P", "-m", "tunesmith", "run", task.name, "--no-model", *more],
        cwd=task.parent,
        env={**clean, "OPENAI_API_KEY": KEY, **environment},
        capture_output=True,
        text=True,
    )


def best_of(run: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run / "report.json").read_text())["best"]["configuration"]
    return found


def values_of(run: Path) -> list[Any]:
    """What each trial measured, costs and seconds of its calls among it."""
    return [json.loads(path.read_text())["values"] for path in sorted(run.glob("trials/*/result.json"))]


def calls_of(run: Path) -> list[sqlite3.Row]:
    with sqlite3.connect(run / "samples.sqlite") as file:
        file.row_factory = sqlite3.Row
        return file.execute("SELECT * FROM calls ORDER BY call").fetchall()


def run_folder(folder: Path) -> Path:
    (run,) = [path.parent for path in folder.glob("runs/*/samples.sqlite")]
    return run


def check_a_run(folder: Path, program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    task = write(folder, program)
    with ChatServer(provider, key=KEY) as server:
        done = tune(task, OPENAI_BASE_URL=server.url)
        assert done.returncode == 0, done.stdout + done.stderr
        requests = len(server.chats)
        planned = [r.body for r in server.chats if r.messages[0]["content"].startswith("You plan")]
        assert {body["temperature"] for body in planned} == {0.25}
    run = run_folder(folder)
    configuration = best_of(run)
    assert configuration == {"plan.model": "tiny", "solve.model": "huge"}
    rows = calls_of(run)
    assert {row["stage"] for row in rows} == {"plan", "solve"}
    assert all(row["requested"] == "gpt-4o" and row["status"] == 200 and row["seconds"] > 0 for row in rows)
    one = next(row for row in rows if row["stage"] == "solve" and row["model"] == "huge-1")
    assert (one["prompt"], one["completion"], one["dollars"]) == (40, 5, pytest.approx(0.0005))
    # Plans are shared by trials that agree on the planner: 2 models x 3 items of plans in the search.
    search = [row for row in rows if row["source"] == "provider"]
    assert len(search) == requests < len(rows)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with ChatServer(provider, key=KEY) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        found = verify(run)
        assert found.n == 1 and found.quality == 1 and found.cost == pytest.approx(540e-6)
        assert len(server.chats) == 2 and json.loads(found.file.read_text())["values"]["quality"] == 1
    for path in folder.rglob("*"):
        assert not path.is_file() or KEY.encode() not in path.read_bytes(), path
    replay = folder / "replay"
    replay.mkdir()
    for file in (folder / "app.py", folder / "items.jsonl", run / "samples.sqlite"):
        (replay / file.name).write_bytes(file.read_bytes())
    more = "  bank: samples.sqlite\n  replay: true\n  cost_model"
    (replay / "task.yaml").write_text(TASK.replace("  cost_model", more).replace("trials: 4", "trials: 1"))
    again = run_task(load_task(replay / "task.yaml"), runs=replay / "runs", model=None)  # no server
    assert values_of(again.folder) == values_of(run)[:1]
    assert {row["source"] for row in calls_of(again.folder)} == {"bank"}


@pytest.mark.long
def test_an_unchanged_program_is_tuned_recorded_and_replayed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    check_a_run(tmp_path, PLAIN, monkeypatch)


def test_a_bank_of_a_program_is_recorded_under_a_limit_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    task = load_task(
        write(
            tmp_path, PLAIN, TASK.replace("money_limit: 1.0", "parallel: 3").replace("search: 3", "search: 2")
        )
    )
    assert task.problem is not None
    settings, bank = task.problem.settings, tmp_path / "bank.sqlite"
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.chdir(tmp_path)
    with ChatServer(provider, key=KEY) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        with pytest.raises(CapReached, match="the money limit of .0.005 might be passed"):
            record_program(settings, tmp_path, bank, most_cost=0.005)
        first = len(server.chats)
        done = record_program(settings, tmp_path, bank, most_cost=0.1)
        # 2 items by 2 planners, and 2 solvers of each plan: nothing is asked twice.
        assert first > 0 and len(server.chats) == 2 * 2 + 2 * 2 * 2 == first + done.calls
        assert (done.items, done.of) == (8, 8) and 0 < done.cost < 0.1
    told = CliRunner().invoke(app, ["bank", "info", str(bank), "--task", str(tmp_path / "task.yaml")])
    assert (
        told.exit_code == 0 and "solve: huge-1, temperature 1; 4 answers to calls of 2 items" in told.output
    )
    more = TASK.replace("temperature: 0.25", "temperature: [0.25, 0.9]").replace(
        "*models", "{tiny-1: {}, b: {}}"
    )
    (tmp_path / "more.yaml").write_text(more.replace("cost_model: price", "cost_model: calls"))
    told = CliRunner().invoke(app, ["bank", "info", str(bank), "--task", str(tmp_path / "more.yaml")])
    assert told.exit_code == 1 and "lacks plan.temperature = 0.9 with plan.model = huge" in told.output
    assert "lacks solve.model = b" in told.output and "tiny" not in told.output.split("lacks solve")[1]
    told = CliRunner().invoke(app, ["bank", "export", str(bank), str(tmp_path / "bank.jsonl")])
    assert told.exit_code == 2 and "share the file itself" in " ".join(told.output.split())
    bank.write_bytes(b"no database, but long enough to be looked at as one" * 40)
    with pytest.raises(PipelineError, match="cannot be recorded there"):
        record_program(settings, tmp_path, bank)


def test_what_a_program_calls_is_told_as_lines_of_a_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    task = write(tmp_path, PLAIN)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    words = ["app.py", "--question={item.question}", "--expected={item.answer}"]
    with ChatServer(provider, key=KEY) as server:
        settings = ProgramSettings(command=("python", *words), base_url=server.url)
        items = load_items("items.jsonl", tmp_path)[:2]
        heard = listen(settings.model_dump(mode="json"), items, tmp_path)
        assert {r.body["model"] for r in server.chats} == {"gpt-4o"}  # nothing is led elsewhere
    assert [(len(kind.calls), kind.prompt[:9]) for kind in heard.kinds] == [
        (2, "You plan."),
        (2, "You solve"),
    ]
    lines = heard.task_lines({"command": list(settings.command)}, "items.jsonl")
    task.write_text("name: t\n" + lines.replace('["gpt-4o"]', "[gpt-4o, gpt-4o-mini]"))
    stages = load_task(task).problem.settings.stages  # type: ignore[union-attr]
    assert [stage.match.system for stage in stages.values()] == [kind.system for kind in heard.kinds]
    assert stages["stage_2"].tokens.prompt == 40
    monkeypatch.chdir(tmp_path)
    listening = ["pipeline", "listen", "--items", "items.jsonl"]
    for bad in (["--first", "0"], ["--key-env", "sk-live-1"]):
        again = CliRunner().invoke(app, [*listening, *bad, "--", "python", *words])
        assert again.exit_code == 2 and "sk-live-1" not in again.output


@pytest.mark.slow
@pytest.mark.parametrize("program", [SDK, LANGCHAIN], ids=["openai", "langchain"])
def test_unchanged_programs_of_the_libraries_people_use(
    tmp_path: Path, program: str, monkeypatch: pytest.MonkeyPatch
):
    check_a_run(tmp_path, program, monkeypatch)


def test_the_first_word_of_commands_of_two_lists_them():
    for words, code in (["bank", "-h"], 0), (["pipeline", "--help"], 0), (["bank"], 2), (["bank", "ifno"], 2):
        told = CliRunner().invoke(app, words)
        assert told.exit_code == code and f"{words[0]} " in told.output, words
    assert "bank record, bank export" in told.output
