"""What a recorded opening does to a run, what is scored, and how a model's own answers are recorded."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from bench.made_up import DEFAULT, SPACE, make_task
from fakes.chat_server import ChatServer, failing
from fakes.tiny_job import tunesmith
from tunesmith.agent.models import open_model
from tunesmith.bench.contenders import contender
from tunesmith.bench.openings.asking import record
from tunesmith.bench.openings.contender import PARTS, as_opening, opened, spec_name
from tunesmith.bench.openings.recorded import RecordedOpening, read_openings
from tunesmith.bench.openings.score import score
from tunesmith.bench.openings.show import as_document, show
from tunesmith.bench.suites.llambo20 import SUITE
from tunesmith.bench.trace import Evaluator
from tunesmith.budget import ModelCaps
from tunesmith.errors import ModelError, UsageError
from tunesmith.settings import ModelSettings

RECORDED = Path(__file__).parents[2] / "benchmarks/openings/strong_model.jsonl"
FIRST = {"kind": "round", "x": 0.55, "n": 4, "slope": None}
OTHER = {"kind": "round", "x": 0.62, "n": 5, "slope": None}


def answer(*configurations: dict[str, Any]) -> dict[str, Any]:
    candidates = [
        {"configuration": c, "reason": "So it seems.", "expected": 0.95, "spread": 0.05}
        for c in configurations
    ]
    belief = {"parameter": "x", "low": 0.5, "best": 0.6, "high": 0.7, "weights": None, "why": "A hill."}
    return {"view": "A hill.", "beliefs": [belief], "candidates": candidates}


def write(path: Path, *entries: tuple[str, dict[str, Any]], suite: str = "made-up") -> Path:
    lines = [json.dumps({"suite": suite, "task": task, "answer": said}) for task, said in entries]
    path.write_text("\n".join(lines) + "\n")
    return path


def seen(part: str, path: Path, evaluations: int = 6) -> list[dict[str, Any]]:
    configurations = []
    task = make_task()

    def watched(configuration: Any) -> float:
        configurations.append(dict(configuration))
        return task.evaluate(configuration)

    watching = replace(task, evaluate=watched)
    contender(spec_name(part, "made-up", path)).run(watching, 0, evaluations, Evaluator(watching))
    return configurations


def test_the_recorded_answers_are_of_all_20_tasks_and_can_all_be_used() -> None:
    found = read_openings(RECORDED)
    tasks = {task.name: task for task in SUITE.tasks()}
    assert {name for suite, name in found if suite == "llambo20"} == set(tasks)
    for name in ("iris/DecisionTree", "wine/SVM", "diabetes/MLP_SGD"):
        opening = as_opening(replace(tasks[name], make_data_card=None), found["llambo20", name])
        assert len(opening.proposals) == 5 and opening.priors and opening.view
        assert all(p.provenance.model_prediction is not None for p in opening.proposals)


@pytest.mark.long
def test_each_part_of_an_opening_changes_what_it_should(tmp_path: Path) -> None:
    path = write(tmp_path / "o.jsonl", ("hill", answer(FIRST, OTHER)))
    runs = {part: seen(part, path) for part in PARTS}
    first = {k: v for k, v in FIRST.items() if v is not None}
    assert all(run[0] == DEFAULT for run in runs.values())
    assert runs["first"][1] == first and runs["full"][1] == first
    assert first not in runs["beliefs"]
    nothing = write(tmp_path / "n.jsonl", ("elsewhere", answer(FIRST)))
    assert runs["beliefs"] != seen("full", nothing), "the beliefs have a part"
    assert runs["full"][2:] != runs["first"][2:]


def test_without_an_opening_for_a_task_it_is_our_tuner_alone(tmp_path: Path) -> None:
    path = write(tmp_path / "o.jsonl", ("elsewhere", answer(FIRST)))
    task = make_task()
    ours = contender("tunesmith").run(task, 1, 7, Evaluator(task)).values
    opened_ = contender(spec_name("full", "made-up", path)).run(task, 1, 7, Evaluator(task)).values
    assert repr(ours) == repr(opened_)
    assert opened(task, 0, None, "full").space is SPACE


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "line 1: no JSON"),
        ("[1]", "no JSON object"),
        ('{"suite": 1, "task": "a", "answer": {}}', "needs `suite` and `task`"),
        ('{"suite": "a", "task": "b", "answer": []}', "needs `answer`"),
        ("[" * 100_000, "no JSON"),
    ],
)
def test_a_line_that_is_no_opening_is_named(tmp_path: Path, line: str, words: str) -> None:
    path = tmp_path / "o.jsonl"
    path.write_text(line)
    with pytest.raises(UsageError, match=words):
        read_openings(path)
    with pytest.raises(UsageError, match="No such file"):
        read_openings(tmp_path / "none.jsonl")


def test_an_answer_that_no_run_could_use_is_a_fault_of_the_model() -> None:
    with pytest.raises(ModelError):
        as_opening(make_task(), RecordedOpening("made-up", "hill", {"candidates": "none"}))


BRANIN = {
    "view": "",
    "beliefs": [],
    "candidates": [
        {"configuration": {"x0": 0.31, "x1": 0.23}, "reason": "?", "expected": None, "spread": None}
    ],
}


def test_before_any_run_the_report_says_what_is_missing_and_left_out(tmp_path: Path) -> None:
    path = write(tmp_path / "o.jsonl", ("branin", BRANIN), ("branching", {"candidates": 1}), suite="analytic")
    asked: dict[str, Any] = {"seeds": 2, "evaluations": 7, "report": True, "results": tmp_path}
    worth = score(path, "analytic", tasks=["branin", "branching", "camel"], **asked)
    assert worth.tasks == ("branin",) and worth.missing == 2 * (3 + len(PARTS)) and worth.lines == ()
    assert worth.without["camel"] == "no opening is recorded" and "branching" in worth.without
    shown = io.StringIO()
    show(worth, shown)
    assert "Left out: camel: no opening is recorded." in shown.getvalue()
    write(path, ("branin", {"candidates": []}), suite="analytic")
    with pytest.raises(UsageError, match="branin: nothing in it can be used"):
        score(path, "analytic", tasks=["branin"], **asked)


@pytest.mark.slow
def test_the_command_makes_missing_runs_once_and_says_what_the_model_is_worth(tmp_path: Path) -> None:
    path = write(tmp_path / "o.jsonl", ("branin", BRANIN), suite="analytic")
    asked: dict[str, Any] = {"tasks": ["branin", "branching"], "seeds": 1, "evaluations": 7}
    arguments = ["--suite", "analytic", "--tasks", "branin,branching", "--seeds", "1", "--evaluations", "7"]
    done = tunesmith("bench", "model", "o.jsonl", *arguments, "--jobs", "1", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "o.jsonl on analytic: 1 task, 1 seed, 7 evaluations" in done.stdout
    assert "Left out: branching: no opening is recorded." in done.stdout
    results = tmp_path / "benchmarks"
    document = as_document(score(path, "analytic", **asked, report=True, results=results))
    assert json.loads(json.dumps(document))["tasks"] == ["branin"] and document["missing"] == 0
    lines = {line["contender"]: line for line in document["lines"]}
    assert set(lines) == {"tunesmith", *(f"opening:{p}" for p in PARTS), "gp+default", "tpe+default"}
    assert lines["tunesmith"]["alone"] is None and lines["gp+default"]["classical"] is None
    assert set(lines["opening:full"]["by_task"]) == {"branin"} and "without a model" in done.stdout
    write(path, ("branin", {**BRANIN, "view": "Another answer."}), suite="analytic")
    other = score(path, "analytic", **asked, report=True, results=results)
    assert other.missing == len(PARTS), "another answer makes other runs; those without a model stand"


def test_a_models_own_answers_are_asked_once_a_task_and_kept_as_they_came(tmp_path: Path) -> None:
    path, lines = tmp_path / "mine.jsonl", list[str]()
    with ChatServer([failing(500), BRANIN]) as server:
        settings = ModelSettings(base_url=server.url, model="m", api_key=SecretStr("k"))
        model = open_model(settings, ModelCaps(), lambda e: e, mode="live", max_retries=0, timeout_s=600)
        assert record(model, path, "analytic", tasks=["branin", "camel"], told=lines.append) == ["branin"]
        assert len(lines) == 2 and "500" in lines[0] and lines[1] == "2 of 2: camel: recorded"
        assert record(model, path, "analytic", tasks=["branin", "camel"]) == []
        assert len(server.chats) == 3, "what has been answered is not asked again"
        model.close()
    assert set(read_openings(path)) == {("analytic", "branin"), ("analytic", "camel")}
    entry = json.loads(path.read_text().splitlines()[0])
    assert entry["model"] == "m" and entry["prompt"].startswith("hybrid/opening.v")
    assert entry["answer"]["candidates"][0]["configuration"] == {"x0": 0.31, "x1": 0.23}
