"""`tunesmith check` on a pipeline, before anything is spent on it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tunesmith.cli import app

TASK = """\
budget: {trials: 5}
problem:
  name: pipeline
  items: items.jsonl
  score: stages.py:score
  item_budget: 0.02
  stages:
    find:
      call: stages.py:find
      models: [gpt-4o-mini, gpt-4o]
      samples: [1, 4]
      tokens: {prompt: 1000, completion: 100}
    answer:
      call: stages.py:answer
      models: [gpt-4o-mini]
      samples: {low: 1, high: 50}
      agree: [null, 3]
      tokens: {prompt: 200, completion: 50}
"""
STAGES = """\
def find(item, model): return "found"
def answer(item, previous, model): return item["n"]
def score(item, output): return float(output == item["n"] and item["n"] % 2)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "task.yaml").write_text(TASK)
    (tmp_path / "stages.py").write_text(STAGES)
    (tmp_path / "items.jsonl").write_text("".join(f'{{"n": {n}}}\n' for n in range(12)))
    return tmp_path


@pytest.mark.long
def test_check_says_what_is_chosen_and_what_an_item_costs(folder: Path):
    result = CliRunner().invoke(app, ["check", str(folder / "task.yaml"), "--dry-run"])
    told = result.stdout
    assert result.exit_code == 0, told
    for line in (
        "  pipeline   2 stages; the best quality within the item budget",
        "      find    0.00021 to 0.014 dollars",
        "              model gpt-4o-mini, gpt-4o; samples 1, 4",
        "              model gpt-4o-mini; samples 1 to 50; agree never, 3",
        "    cost model price, in dollars; taken as the task names none; each sample pays its prompt",
        "    an item costs 0.00027 to 0.017 dollars, the default 0.00356",
        "    the item budget of 0.02 allows 400 of 400 allocations",
        "  default    find.model=gpt-4o, find.samples=1, answer.samples=1, answer.agree=0",
        "  dry run    reported quality",
    ):
        assert line in told, told
    assert "gpt-4o: 2.5 prompt, 1.25 cached, 10 completion, dollars a million tokens (genai-prices" in told
    assert "objective.py" not in told


@pytest.mark.parametrize(
    ("was", "now", "problem"),
    [
        ("answer\n      models", "answr\n      models", "defines no function 'answr'"),
        ("items.jsonl", "item.jsonl", "the items cannot be read"),
        ("  items: items.jsonl\n", "", "the task names no items; write `items: items.jsonl`"),
        ("call: stages.py:find", "prompts: [a]", "stages.find: no `call` names its callable"),
    ],
    ids=["no such function", "no such file of items", "no items", "no callable"],
)
def test_what_trials_would_miss_is_told_without_a_traceback(folder: Path, was: str, now: str, problem: str):
    assert was in TASK
    (folder / "task.yaml").write_text(TASK.replace(was, now))
    result = CliRunner().invoke(app, ["check", str(folder / "task.yaml"), "--json"])
    told = json.loads(result.stdout)["error"]
    assert result.exit_code == 2 and f"task.yaml:2: problem: {told.partition('problem: ')[2]}" in told
    assert problem in told and "Traceback" not in told and "\n" not in told
