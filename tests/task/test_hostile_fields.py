"""Whatever stands in a task file, what is told about it is plain text of bounded length."""

from __future__ import annotations

import copy
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unicodedata import category

import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from tunesmith.cli import app
from tunesmith.errors import MESSAGE_LIMIT, MOST_FAULTS, TaskError, TunesmithError
from tunesmith.task import Task, load_task
from tunesmith.text.literal import UNSEEN
from tunesmith.text.terminal import CleanStream, print_json

HOSTILE = [
    "\x1b[31mred\x1b[0m",
    "\x1b]0;title\x07\x1b]52;c;ZXZpbA==\x07",
    "\x9b2J\x90q\x9c",
    "safe\u202egnirts\u2066\u200b\ufeff",
    "a\ntunesmith: all is well\r\x0b\u2028b",
    "x" * 20_000,
    "\x00\x08\x7f\U000e0041",
    "[bold red]markup[/] {lr} %s",
    "\x1b",
]
WHOLE: dict[str, Any] = {
    "name": "tiny",
    "description": "small",
    "model": "cnn",
    "data": "digits",
    "data_file": {"path": "train.csv", "target": "label", "task": "classification"},
    "metric": "score",
    "direction": "maximize",
    "space": {
        "lr": {"type": "float", "low": 0.001, "high": 1.0, "scale": "log", "step": None},
        "kind": {"type": "choice", "choices": ["a", "b"], "when": {"lr": 0.1}},
        "width": {"type": "int", "low": 1, "high": 64, "when": {"kind": "a"}},
        "constraints": ["width < 32"],
    },
    "default": {"lr": 0.1, "kind": "b"},
    "objective": {
        "command": ["python", "train.py", "{lr}", "{kind}", "{width}"],
        "function": "train.py:train",
    },
    "confirm": {
        "function": "train.py:test",
        "command": "python x.py",
        "metric": "test",
        "seeds": 2,
        "most": 4,
    },
    "budget": {"trials": 4, "wall_time": "1h", "trial_time": "5m", "model": {"calls": 3, "tokens": 5}},
    "noise": "measure",
    "fixed": {"epochs": 3, "optimizer": "adam"},
    "seed": 0,
    "workers": 1,
    "threads": 1,
    "executor": {"name": "local", "start_method": "fork"},
    "pruner": {"kind": "median", "warmup_steps": 1, "startup_trials": 2},
    "preload": ["torch"],
    "in_step": True,
    "tuner": {"method": "hybrid"},
    "policy": "rules",
    "problem": "training",
    "sinks": ["jsonl"],
    "path": "x",
}


def places(data: Any, above: tuple = ()) -> Iterator[tuple]:
    if above:
        yield above
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        yield from places(value, (*above, key))


PLACES = list(places(WHOLE))
WAYS = {
    "value": lambda parent, key, text: parent.__setitem__(key, text),
    "in a list": lambda parent, key, text: parent.__setitem__(key, [text, text]),
    "in a mapping": lambda parent, key, text: parent.__setitem__(key, {text: text}),
    "key": lambda parent, key, text: (
        parent.update({text: parent.pop(key)}) if isinstance(parent, dict) else parent.append({text: key})
    ),
    "unknown key": lambda parent, key, text: (
        parent.update({text: text}) if isinstance(parent, dict) else parent.append(text)
    ),
}


def plain(text: str, most: int = MESSAGE_LIMIT + 1000) -> bool:
    return len(text) <= most and all(c == "\n" or category(c) not in UNSEEN for c in text)


def changed(place: tuple, way: str, text: str) -> dict[str, Any]:
    data = copy.deepcopy(WHOLE)
    parent: Any = data
    for key in place[:-1]:
        parent = parent[key]
    WAYS[way](parent, place[-1], text)
    return data


@pytest.mark.long
@given(st.sampled_from(PLACES), st.sampled_from(sorted(WAYS)), st.sampled_from(HOSTILE))
@settings(max_examples=100)
def test_a_fault_of_any_field_is_plain_lines_with_the_file_in_front(tmp_path_factory, place, way, text):
    path = tmp_path_factory.getbasetemp() / "task.yaml"
    path.write_text(json.dumps(changed(place, way, text)))
    with pytest.raises(TunesmithError) as caught:  # `path` and two kinds of training code are faults anyway
        load_task(path)
    message = str(caught.value)
    assert plain(message)
    lines = message.split("\n")
    assert len(lines) <= MOST_FAULTS + 1
    assert all(line.startswith((str(path), "... and")) for line in lines)
    assert all(len(line) < 2_100 for line in lines)


@given(st.sampled_from([p for p in PLACES if p[0] != "path"]), st.sampled_from(HOSTILE))
@settings(max_examples=20)
def test_the_same_holds_for_a_task_built_in_python(place, text):
    data = changed(place, "value", text) | {"objective": {"command": "python"}}
    try:
        Task.model_validate(data)
    except TunesmithError as error:
        assert plain(str(error))


def test_a_thousand_faults_are_counted_and_kept(tmp_path: Path):
    path = tmp_path / "task.yaml"
    path.write_text(
        "objective: a.py:f\nmetric: m\ndirection: maximize\nspace: {x: {type: float, low: 0, high: 1}}\n"
        + "".join(f"odd{i}: 1\n" for i in range(1000))
    )
    with pytest.raises(TaskError) as caught:
        load_task(path)
    assert len(caught.value.also) == 999
    assert str(caught.value).endswith(f"... and {1000 - MOST_FAULTS} faults more.")


TOLD = """
description: "\\e[31mred\\u202e"
model: "\\e]0;title\\a"
metric: score
direction: maximize
space: {lr: {type: float, low: 0.1, high: 1.0}}
objective:
  command: ["python", "-c", "print('{{\\"score\\": 1}}')\\n#\\e]52;c;ZXZpbA==\\a\\u202e", "{lr}", '%s']
budget: {trials: 1}
"""


@pytest.mark.parametrize(
    "arguments", [["check"], ["check", "--json"], ["check", "--dry-run"], ["run", "--no-model"]]
)
def test_what_a_legal_task_holds_is_printed_plainly(tmp_path: Path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    Path("task.yaml").write_text(TOLD % ("x" * 100_000))
    done = CliRunner().invoke(app, [arguments[0], "task.yaml", *arguments[1:]])
    assert plain(done.stdout, 20_000), done.stdout[:500]
    assert plain(done.stderr, 20_000)
    if "--json" in arguments:
        json.loads(done.stdout)


@pytest.mark.long
@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "no\x1b]0;x\x07file.yaml"],
        ["\x1b[31mcheck"],
        ["check", "--\x1b[31mred"],
        ["run", "a.yaml", "--trials", "\x1b[2J"],
        ["check", "a.yaml", "x\x9b" * 10_000],
        ["report", "\x1b]0;x\x07"],
        ["init", "\u202eyp.niart"],
    ],
    ids=["file", "command", "option", "value", "extra", "folder", "script"],
)
def test_the_command_line_itself_is_echoed_plainly(tmp_path: Path, arguments):
    command = [sys.executable, "-P", "-m", "tunesmith", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr
    assert plain(done.stderr, 5_000)


class Kept:
    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> int:
        self.text += text
        return len(text)


@given(st.text(max_size=200) | st.sampled_from(HOSTILE))
def test_a_clean_stream_lets_nothing_through_but_our_own_line_rewriting(text):
    kept = Kept()
    CleanStream(kept).write(text)  # type: ignore[arg-type]
    assert plain(kept.text.removeprefix("\r\x1b[K").replace("\u200c", "").replace("\u200d", ""))


def test_json_stays_json_whatever_is_in_it():
    data = {text[:500]: text[:500] for text in HOSTILE}
    other = typer.Typer()
    other.command()(lambda: print_json(json.dumps(data, ensure_ascii=False)))
    printed = CliRunner().invoke(other, []).stdout
    assert json.loads(printed) == data
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", printed)
