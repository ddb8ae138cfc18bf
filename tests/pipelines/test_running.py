"""Pipelines of Python callables as trials of real runs."""

from __future__ import annotations

import json
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest

from tunesmith.api import Result, run_task
from tunesmith.api.retraining import retrain
from tunesmith.api.winner import find_winner
from tunesmith.items import Items
from tunesmith.recommendation import by_best_value
from tunesmith.task import load_task
from tunesmith.tools.analysis.limits import none_feasible
from tunesmith.tools.pipelines.store import SAMPLES, SampleStore

STAGES = """
import random

def look(item, previous, *, model, seed):
    chance = {"small": 0.5, "large": 0.9}[model]
    return previous if random.Random(seed).random() < chance else "lost"

def answer(item, previous, *, model, seed, outputs):
    assert outputs == {"look": previous}
    chance = {"small": 0.5, "large": 0.8}[model] * (previous != "lost")
    return [previous, item["n"] if random.Random(seed).random() < chance else -1]

def repair(item, previous, *, round, seed):
    return [previous[0], item["n"] if random.Random(seed).random() < 0.5 else -2 - round]

def wrong(item, output, outputs):
    assert output == outputs.get("repair", outputs["answer"])
    return output[1] != item["n"]

def found(item, output): return output == item["input"]
def score(item, output): return output[1] == item["n"]
def items(): return [{"id": f"q{i}", "input": f"text {i}", "n": i} for i in range(45)]
"""
TASK = """
name: toy
problem:
  name: pipeline
  items: stages.py:items
  score: stages.py:score
  stages:
    look: {call: stages.py:look, models: [small, large], samples: [1, 3], score: stages.py:found}
    answer: {call: stages.py:answer, models: [small, large], samples: [1, 4]}
    repair: {call: stages.py:repair, models: [small], when: stages.py:wrong, rounds: [0, 2]}
tuner: random
preload: []
pruner: none
confirm: null
budget: {trials: 3}
"""


def run(folder: Path, task: str = TASK, stages: str = STAGES) -> Result:
    (folder / "stages.py").write_text(textwrap.dedent(stages))
    path = folder / "task.yaml"
    path.write_text(task)
    return run_task(load_task(path), runs=folder / "runs", model=None)


def test_a_pipeline_is_run_item_by_item_and_what_it_drew_is_shared(tmp_path: Path):
    result = run(tmp_path)
    trials = result.history.trials
    assert len(trials) == 3 and all(t.state.value == "completed" for t in trials)
    assert len({tuple(Items.unpack(t.items["quality"]).ids or ()) for t in trials}) == 1
    for trial in trials:
        items = Items.unpack(trial.items["quality"])
        assert len(items) == 30 and trial.values["quality"] == items.mean
        assert trial.values["look.calls"] == trial.configuration["look.samples"]
        assert trial.values["cost"] == pytest.approx(
            sum(trial.values[f"{stage}.cost"] for stage in ("look", "answer", "repair"))
        )
        assert 0 <= trial.values["look.score"] <= 1 and trial.values["look.share"] == 1
        if trial.configuration["repair.rounds"] == 0:
            assert trial.values["repair.calls"] == trial.values["repair.share"] == 0
    store = SampleStore(result.folder / SAMPLES, read_only=True)
    spent = store.spent()
    store.close()
    by_setting = {(t.configuration["look.model"], t.configuration["look.samples"]) for t in trials}
    largest = {m: max(s for model, s in by_setting if model == m) for m, _ in by_setting}
    made = {m: sum(s.made for s in spent if s.stage == "look" and s.model == m) for m in largest}
    assert made == {model: 30 * samples for model, samples in largest.items()}
    assert sum(s.stored for s in spent) > 0 and all(s.failed == 0 for s in spent)


def test_an_item_whose_code_raises_scores_0_and_is_told_and_one_error_for_all_is_a_crash(tmp_path: Path):
    lines = [json.dumps({"id": i, "input": i}) for i in range(6)]
    (tmp_path / "items.jsonl").write_text("\n".join(lines))
    task = """
name: faulty
problem:
  name: pipeline
  items: items.jsonl
  score: stages.py:score
  split: {search: 6}
  stages: {answer: {call: stages.py:answer, models: [some, none, odd]}}
tuner: random
preload: []
pruner: none
confirm: null
budget: {trials: 3}
"""
    stages = """
    def answer(item, previous, model):
        item["input"] = "changed"
        if model == "none" or (model == "some" and previous % 3 == 0):
            raise KeyError(f"no answer for {previous}")
        return {1, 2} if model == "odd" and previous else previous
    def score(item, output): return item["input"] != "changed"
    """
    trials = {t.configuration["answer.model"]: t for t in run(tmp_path, task, stages).history.trials}
    assert trials["some"].values["quality"] == pytest.approx(4 / 6)
    assert "2 of 6 items failed and score 0; the first, " in trials["some"].notes[0]
    assert "KeyError: 'no answer for" in trials["some"].notes[0]
    assert "KeyError: 'no answer for" in trials["none"].message
    assert (
        "answer: the output for item" in trials["odd"].notes[0]
        and "set is no type of JSON" in trials["odd"].notes[0]
    )


@pytest.mark.long
def test_samples_say_their_score_weight_and_tokens_and_confirmation_meets_untouched_items(tmp_path: Path):
    task = """
name: told
problem:
  name: pipeline
  items: stages.py:items
  split: {search: 8, confirm: 4}
  cost_model: flops
  stages:
    answer:
      call: stages.py:answer
      models: {m: 1}
      samples: [1, 3]
      aggregator: [best_of_n, weighted]
      verify: sample
      tokens: {prompt: 100, completion: 100}
tuner: random
preload: []
pruner: none
budget: {trials: 4}
"""
    stages = """
    from tunesmith.pipeline import Sample
    def answer(items, previous, *, sample, seed, model):
        assert model == "m"
        return [
            Sample(number, prompt_tokens=1, completion_tokens=2, weight=float(number == 1), score=-number)
            for number, _ in zip(sample, seed)
        ]
    answer.batch = True
    def items(): return [{"id": i, "input": i, "answer": 1} for i in range(12)]
    """
    result = run(tmp_path, task, stages)
    for trial in result.history.trials:
        samples = trial.configuration["answer.samples"]
        voted = samples == 3 and trial.configuration["answer.aggregator"] == "weighted"
        assert trial.values["quality"] == float(voted) and len(Items.unpack(trial.items["quality"])) == 8
        assert trial.values["cost"] == 2 * (1 + 2 * samples)
    assert dict(result.best or {}) == {"answer.samples": 3, "answer.aggregator": "weighted"}
    store = SampleStore(result.folder / SAMPLES, read_only=True)
    keys = [key for key, _ in store.everything()]
    store.close()
    searched = {key.item for key in keys if key.sample < 1_000_000}
    confirmed = {key.item for key in keys if key.sample >= 1_000_000}
    assert len(searched) == 8 and len(confirmed) == 4 and not searched & confirmed


@pytest.mark.long
def test_seeds_of_a_confirmation_and_of_a_retraining_draw_their_own_samples_on_untouched_items(
    tmp_path: Path,
):
    worst = "look.model: small, look.samples: 1, answer.model: small, answer.samples: 1, repair.rounds: 0"
    confirmed = f"confirm: {{seeds: 2, most: 2}}\ndefault: {{{worst}}}"
    task = TASK.replace("confirm: null", confirmed).replace("trials: 5", "trials: 3")
    result = run(tmp_path, task)
    again = retrain(find_winner(result.folder), seeds=2)
    store = SampleStore(result.folder / SAMPLES, read_only=True)
    items: dict[int, set[str]] = {}  # by which million a sample's number is in, fusions left out
    for key, _ in store.everything():
        items.setdefault(key.sample // 1_000_000, set()).add(key.item)
    spent = {(one.part, one.trial): one.made for one in store.spent()}
    store.close()
    searched, *others = (items[block] for block in sorted(items))
    assert len(others) == 4 and len(searched) == 30  # two seeds of the confirmation, two of the retraining
    assert all(len(one) == 15 and not one & searched for one in others)
    assert all(spent["retrain", number] > 0 for number in (-1, -2))
    assert len(again.values) == 2 and None not in again.values


@pytest.mark.long
def test_a_report_says_what_all_calls_cost_not_a_sum_of_costs_for_one_item(tmp_path: Path):
    result = run(tmp_path)
    store = SampleStore(result.folder / SAMPLES, read_only=True)
    calls = sum(one.cost for one in store.spent())
    store.close()
    for name in ("report.md", "report.html"):
        report = (result.folder / name).read_text()
        assert f"All calls together: {calls:g} calls." in report and " Cost: " not in report
        assert "Known before it ran: a cost of" in report


@pytest.mark.long
def test_a_lowered_item_budget_keeps_trials_beyond_it_from_being_delivered(tmp_path: Path):
    default = "look.model: large, look.samples: 3, answer.model: large, answer.samples: 4, repair.rounds: 0"
    task = TASK.replace("confirm: null", f"confirm: null\ndefault: {{{default}}}").replace(
        "trials: 5", "trials: 1"
    )
    first = run(tmp_path, task)
    dear = first.history.incumbent
    assert dear is not None and dear.cost == 7
    lower = TASK.replace("  stages:", "  item_budget: 4\n  stages:").replace("pruner: none", "pruner: race")
    (tmp_path / "lower.yaml").write_text(lower)
    now = replace(first.history, trials=(dear,), space=load_task(tmp_path / "lower.yaml").space)
    assert now.incumbent is None and len(now.completed) == 1 and by_best_value(now) is None
    assert none_feasible(now).startswith("1 trial completed, and it cannot be delivered as the task is now")
    assert none_feasible(now).endswith("it costs 7 calls for an item, and the item budget is 4")
    again = run(tmp_path, lower.replace("trials: 5", "trials: 3"))
    best = again.history.incumbent
    assert best is not None and (best.cost or 9) <= 4
