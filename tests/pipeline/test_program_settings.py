"""What a task says of a program that is not changed, and what it may not ask for."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from tunesmith.errors import TaskError
from tunesmith.task import Task

STATED: dict[str, Any] = {
    "name": "pipeline",
    "program": {"command": "python app.py --q={item.question}"},
    "items": "items.jsonl",
    "stages": {
        "plan": {"match": {"system": "You plan"}, "models": ["gpt-4o-mini", "gpt-4o"]},
        "solve": {"match": {"model": "gpt-4o"}, "models": ["gpt-4o-mini", "gpt-4o"], "temperature": [0, 1]},
    },
}


def stated(**changes: Any) -> dict[str, Any]:
    problem = copy.deepcopy(STATED)
    for path, value in changes.items():
        *above, key = path.split("__")
        here = problem
        for name in above:
            here = here.setdefault(name, {})
        here[key] = value
    return problem


def test_models_and_temperatures_are_tuned_and_what_the_worker_needs_is_passed():
    task = Task(name="t", problem=stated(), env={"pass": ["MY_DATA"], "set": {"A": "b"}})
    assert task.space.names == ("plan.model", "solve.model", "solve.temperature")
    assert {"MY_DATA", "OPENAI_API_KEY", "OPENAI_BASE_URL"} <= set(task.env.passed)
    assert task.env.given == {"A": "b"}
    assert task.problem is not None and task.problem.settings.program.command[-1] == "--q={item.question}"
    again = Task.model_validate(task.model_dump())
    assert again.env == task.env


@pytest.mark.parametrize(
    "changes, key, said",
    [
        ({"stages__plan__samples": [1, 5]}, "problem.stages.plan.samples", "sample counts cannot be tuned"),
        ({"stages__plan__rounds": 2}, "problem.stages.plan.rounds", "rounds cannot be tuned"),
        (
            {"stages__solve__aggregator": ["majority", "fusion"]},
            "problem.stages.solve.aggregator",
            "the aggregator cannot be tuned",
        ),
        ({"stages__plan__call": "stages.py:plan"}, "problem.stages.plan.call", "no callables"),
        ({"stages__plan__match": None}, "problem.stages.plan.match", "is missing"),
        ({"stages__plan__match": {"model": "gpt-4o"}}, "problem.stages.solve.match", "is that of 'plan' too"),
        ({"stages__plan__match": {}}, "problem.stages.plan.match", "should have"),
        ({"stages__plan__match": {"system": "sha256:12"}}, "problem.stages.plan.match.system", "twelve"),
        ({"program": None}, "problem.stages.plan.match", "there is no `program`"),
        ({"items": None}, "problem.items", "is missing"),
        ({"score": "stages.py:score"}, "problem.score", "prints the score of its item itself"),
        ({"program__command": "python app.py"}, "problem.program.command", "every run would be the same"),
        ({"program__command": "python app.py {item} | tail -1"}, "problem.program.command", "only a shell"),
        ({"program__command": "python app.py {item} {lr}"}, "problem.program.command", "has {lr}"),
        ({"program__command": 'python "app.py {item}'}, "problem.program.command", "cannot be split"),
        ({"program__key_env": "sk-live-123"}, "problem.program.key_env", "not a key itself"),
        ({"program__base_url": "https://me:pw@api.example.com"}, "problem.program.base_url", "without a key"),
        ({"program__regex": "score (.*) of (.*)"}, "problem.program.regex", "one group"),
        ({"program__money_limit": -1}, "problem.program.money_limit", "greater than 0"),
        ({"program__timeout": "soon"}, "problem.program.timeout", "such as 45s"),
    ],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_is_refused_with_a_sentence(changes: dict[str, Any], key: str, said: str):
    with pytest.raises(TaskError) as refused:
        Task(name="t", problem=stated(**changes))
    text = str(refused.value)
    assert said in text and key in text, text
    assert "sk-live-123" not in text and "pw@" not in text


def test_a_key_is_never_part_of_what_the_worker_is_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-live-0123456789")
    task = Task(name="t", problem=stated(), path=tmp_path / "task.yaml")
    assert "sk-live" not in str(task.objective_ref()) and "sk-live" not in str(task.model_dump())
