"""Every method searches a pipeline as it does any task."""

from __future__ import annotations

from pathlib import Path

import pytest

from tunesmith.api import run_task
from tunesmith.pipeline.costs import basis, item_cost, stage_costs
from tunesmith.pipeline.models import Price
from tunesmith.task import Task, load_task
from tunesmith.tools.records.run_folder import RunFolder

STAGES = {
    "find": {"models": {"s": "1B", "l": "8B"}, "samples": {"low": 1, "high": 30}, "prompts": ["a", "b"]},
    "answer": {
        "models": {"s": "1B", "l": "8B"},
        "samples": [1, 2, 4, 8],
        "temperature": {"low": 0, "high": 1},
        "aggregator": ["majority", "fusion"],
        "agree": [None, 3],
    },
    "mend": {"models": ["s", "l"], "when": "s.py:bad", "rounds": [0, 1, 2], "share": 0.5},
}
for stage in STAGES.values():
    stage["tokens"] = {"prompt": 200, "completion": 50}
STAGES["mend"]["models"] = STAGES["find"]["models"]


def evaluate(config, trial):
    """Larger models and more samples are better, up to a point; the items differ."""
    pipeline = trial.given["pipeline"]
    assert set(trial.given["rates"]) == set(pipeline["stages"])
    skill = 0.3 * (config["find.model"] == "l") + 0.2 * (config["answer.model"] == "l")
    skill += 0.1 * (config["find.samples"] > 3) + 0.1 * (config.get("answer.aggregator") == "fusion")
    skill += 0.1 * (config["mend.rounds"] > 0)
    scores = {f"i{k}": float(skill + 0.05 * (k % 3) > 0.5) for k in range(12)}
    trial.report_items(scores, "quality")
    return {"quality": sum(scores.values()) / 12, "cost": 1.0 + skill}


GOALS = {"numeric": "front", "hybrid": "cheapest"}


@pytest.mark.long
@pytest.mark.parametrize("method", ["numeric", "hybrid", "random", "agenttts"])
def test_a_method_proposes_only_what_an_item_may_cost(method: str, tmp_path: Path):
    goal = GOALS.get(method, "quality")
    problem = {"name": "pipeline", "stages": STAGES, "item_budget": 8e12, "cost_model": "flops", "goal": goal}
    problem |= {"quality": 0.5} if goal == "cheapest" else {}
    task = Task(name="t", problem=problem, tuner=method, budget={"trials": 3}, preload=(), noise="none")
    result = run_task(task, runs=tmp_path, model=None, train=evaluate)
    assert result.status == "finished" and len(result.history) == 3
    options = task.problem.settings
    for trial in result.history:
        assert item_cost(options, trial.configuration) <= 8e12
        assert set(stage_costs(options, trial.configuration)) == set(STAGES)
        assert trial.cost == item_cost(options, trial.configuration)
        assert [choice.stage for choice in options.allocation(trial.configuration)] == list(STAGES)
    assert result.history.trials[0].configuration == task.default
    again = RunFolder.open(result.folder).task
    assert again.problem == task.problem and again.goals == task.goals


def test_a_run_that_goes_on_keeps_the_prices_it_was_begun_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "stages.py").write_text(
        "def answer(item, previous): return 1.0\ndef items(): return [1, 2, 3]\n"
    )
    path = tmp_path / "task.yaml"
    path.write_text(
        "problem: {name: pipeline, items: 'stages.py:items', stages: {answer: {call: 'stages.py:answer', "
        "models: [gpt-4o-mini, gpt-4o], tokens: {prompt: 1000, completion: 100}}}}\n"
        "tuner: random\nbudget: {trials: 1}\nconfirm: null\n"
    )
    begun = run_task(load_task(path), runs=tmp_path / "runs", model=None)
    first = RunFolder.open(begun.folder).task.problem.settings
    dear = Price(prompt=99, completion=99, source="genai-prices 99: someone")
    monkeypatch.setattr(basis, "listed_price", lambda model: dear)
    path.write_text(path.read_text().replace("trials: 1", "trials: 2"))
    assert load_task(path).problem.settings.stages["answer"].models["gpt-4o"].price == dear
    result = run_task(load_task(path), runs=tmp_path / "runs", model=None)
    assert len(result.history) == 2
    options = RunFolder.open(result.folder).task.problem.settings
    assert options == first and dear.source not in (result.folder / "task.yaml").read_text()
    for trial in result.history:
        assert trial.values["cost"] == pytest.approx(item_cost(first, trial.configuration))


LONGER = """
from tunesmith.pipeline.sample import Sample
def answer(item, previous, model): return Sample("x", completion_tokens=900 if model == "l" else 90)
def items(): return [1, 2, 3]
def score(item, output): return 1.0
"""


def test_a_trial_that_measures_more_than_the_budget_says_so(tmp_path: Path):
    (tmp_path / "stages.py").write_text(LONGER)
    path = tmp_path / "task.yaml"
    path.write_text(
        "problem: {name: pipeline, items: 'stages.py:items', score: 'stages.py:score', item_budget: 3e12, "
        "stages: {answer: {call: 'stages.py:answer', models: {s: 1B, l: 2B}, "
        "tokens: {prompt: 100, completion: 100}}}}\n"
        "tuner: random\nbudget: {trials: 2}\nconfirm: null\n"
    )
    result = run_task(load_task(path), runs=tmp_path / "runs", model=None)
    costs = {t.configuration["answer.model"]: t.values["cost"] for t in result.history}
    assert costs == {"s": 2e9 * (100 + 90), "l": 4e9 * (100 + 900)}
    (note,) = [note for trial in result.history for note in trial.notes]
    assert "it cost 4e+12 for an item, more than the item budget of 3e+12" in note
