"""What a task may say of a pipeline: the space it compiles to, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tunesmith.errors import InvalidConfiguration, TaskError
from tunesmith.pipeline.allocation import StageChoice
from tunesmith.pipeline.settings import PipelineSettings
from tunesmith.task import Task, load_task
from tunesmith.task.changes import Changes, changes
from tunesmith.tools.execution.preload import discover_preload, imported_names


def task(stages: Any = None, **problem: Any) -> Task:
    stated = {"stages": stages} if stages is not None else {}
    return Task(name="t", problem={"name": "pipeline", **stated, **problem}, preload=())


def test_short_forms_become_parameters_and_single_values_are_fixed():
    made = task(
        {
            "find": {"models": ["small", "large"], "samples": {"low": 1, "high": 50}, "prompts": ["a", "b"]},
            "answer": {
                "models": {"m": "7B", "n": {"parameters": "350M"}},
                "samples": [1, 2, 8],
                "temperature": [0.9, 0.2],
                "aggregator": ["majority", "fusion"],
                "agree": [None, 3],
            },
            "mend": {"models": "m", "when": "s.py:bad", "rounds": {"low": 0, "high": 2}, "samples": 4},
        }
    )
    assert made.space.describe().splitlines() == [
        "- find.model: one of small, large",
        "- find.samples: a whole number from 1 to 50, log scale",
        "- find.prompt: one of a, b",
        "- answer.model: one of m, n",
        "- answer.samples: one of 1, 2, 8 (in this order)",
        "- answer.temperature: one of 0.2, 0.9",
        "- answer.aggregator: one of majority, fusion; only when answer.samples is 2 or 8",
        "- answer.agree: one of 0, 3; only when answer.samples is 8",
        "- mend.rounds: a whole number from 0 to 2",
    ]
    options = made.problem.settings
    assert options.stages["answer"].models["n"].parameters == 350e6
    chosen = {"find.model": "large", "find.samples": 5, "find.prompt": "b", "answer.model": "n"}
    chosen |= {"answer.samples": 1, "answer.temperature": 0.2, "mend.rounds": 0}
    legal = made.space.validate(chosen)
    assert options.allocation(legal) == (
        StageChoice("find", "large", samples=5, prompt="b"),
        StageChoice("answer", "n", temperature=0.2),
        StageChoice("mend", "m", samples=4, rounds=0),
    )
    again = made.space.validate(
        {**chosen, "answer.samples": 8, "answer.aggregator": "fusion", "answer.agree": 0}
    )
    assert options.allocation(again)[1] == StageChoice("answer", "n", 8, 0.2, None, "fusion", None)


def test_a_stage_that_may_be_left_out_has_its_other_parameters_only_where_it_runs():
    made = task({"a": {"models": ["x"]}, "b": {"models": ["x", "y"], "samples": [1, 4], "rounds": [0, 1]}})
    assert made.space.cardinality == 1 + 2 * 2
    off = made.space.validate({"b.rounds": 0})
    assert made.problem.settings.allocation(off)[1] == StageChoice("b", "x", rounds=0)


def test_pins_and_forbidden_values_narrow_what_is_offered():
    stage = {"models": ["x", "y", "z"], "samples": {"low": 1, "high": 9}, "agree": [None, 3]}
    made = task(
        {"a": {**stage, "pin": {"model": ["x", "y"], "agree": None}, "forbid": {"samples": [1, 9, 4]}}}
    )
    assert made.space.describe().splitlines() == [
        "- a.model: one of x, y",
        "- a.samples: one of 2, 3, 5, 6, 7, 8 (in this order)",
    ]
    made = task({"a": {**stage, "pin": {"model": "z"}, "forbid": {"samples": [1, 2]}}})
    assert made.space.describe().splitlines()[0] == "- a.samples: a whole number from 3 to 9, log scale"
    assert made.problem.settings.fixed["a"]["model"] == "z"


WRONG = """\
name: t
problem:
  name: pipeline
  goal: best
  item_budget: -1
  stages:
    find:
      models: []
      samples: 1000000000
      modle: 3
    answer:
      models: ["a\\n[bold]x[/]", b]
      temperature: .inf
      aggregator: vote
      agree: 1
    mend:
      models: [x, y]
      call: stages.py
      pin: {model: z}
      samples: {low: 8, high: 1}
"""


def test_every_fault_is_told_at_its_line_with_its_fix(tmp_path: Path):
    path = tmp_path / "task.yaml"
    path.write_text(WRONG.replace(".inf", "hot"))
    with pytest.raises(TaskError) as caught:
        load_task(path)
    told = [(fault.line, fault.key) for fault in (caught.value, *caught.value.also)]
    assert told == [
        (4, "problem.goal"),
        (5, "problem.item_budget"),
        (8, "problem.stages.find.models"),
        (9, "problem.stages.find.samples"),
        (10, "problem.stages.find.modle"),
        (12, "problem.stages.answer.models"),
        (13, "problem.stages.answer.temperature"),
        (14, "problem.stages.answer.aggregator"),
        (15, "problem.stages.answer.agree"),
        (18, "problem.stages.mend.call"),
        (20, "problem.stages.mend.samples"),
    ]
    lines = str(caught.value).splitlines()
    assert len(lines) == len(told) and "\n[bold]" not in str(caught.value)
    assert "did you mean 'models'?" in lines[4] and lines[10].endswith("Swap them: `{low: 1, high: 8}`.")


M = {"models": ["x", "y"]}


@pytest.mark.parametrize(
    ("stage", "problem", "message"),
    [
        ({**M, "pin": {"model": "z"}}, {}, r"a\.pin\.model: pins 'z', which is not offered\. Pin one of"),
        ({**M, "pin": {"prompt": "p"}}, {}, r"a\.pin\.prompt: pins 'p', which is not offered"),
        ({**M, "forbid": {"model": ["x", "y"]}}, {}, r"a\.forbid\.model: forbids every value\. Leave one"),
        ({**M, "forbid": {"models": "x"}}, {}, r"a\.forbid: names 'models', which is no field .* 'model'"),
        ({**M, "aggregator": "best_of_n"}, {}, r"a\.aggregator: has best_of_n, which needs a verifier"),
        ({**M, "samples": 3, "agree": 5}, {}, r"a\.agree: is 5 at least, and .* 3 samples"),
        ({**M, "share": 0.5}, {}, r"a\.share: is 0\.5, and the stage has no gate"),
        ({**M, "samples": [1, 1]}, {}, r"a\.samples: should list every value once, got 1 twice"),
        ({**M, "samples": [1.5]}, {}, r"a\.samples: should be whole numbers, got 1\.5"),
        ({**M, "samples": {"low": 1}}, {}, r"a\.samples: should have `low` and `high` alone"),
        (
            {"models": [f"m{i}" for i in range(100_000)]},
            {},
            r"a\.models: should name 1 to 100 .* got 100,000",
        ),
        ({"models": {"x": "big"}}, {}, r"a\.models: should be a number of weights, got 'big'"),
        (
            {"models": {"x": {"price": {"prompt": float("nan"), "completion": 1}}}},
            {},
            "finite number, got nan",
        ),
        ({**M, "tokens": {"prompt": 5, "completion": 1, "cached": 9}}, {}, "at most `prompt` tokens"),
        (M, {"cost_model": "flops"}, r"a\.tokens: is not stated, and the cost model flops goes by it"),
        (
            {"models": ["gpt-4o", "mine"], "tokens": {"prompt": 9, "completion": 1}},
            {"cost_model": "price"},
            r"a\.models\.mine\.price: is not stated, and the price list has no model 'mine'\. Write dollars",
        ),
        ({**M, "samples": 8}, {"item_budget": 7}, r"item_budget: is 7, and the cheapest .* costs 8 calls"),
        (
            {"models": {"x": 1e9}, "tokens": {"prompt": 1, "completion": 1}},
            {"cost_model": "agenttts"},
            "cost_model: gives the cheapest allocation a cost of -1.9",
        ),
        (M, {"goal": "cheapest"}, r"goal: is the lowest cost .* Write `quality: \{at_least: 0\.8"),
        (M, {"quality": 0.8}, "quality: has no meaning with `goal: quality`"),
        (
            M,
            {"goal": "cheapest", "quality": {"at_least": 2}},
            r"quality\.at_least: should be less than 1, got 2",
        ),
        (M, {"goal": "cheapest", "quality": {"at_least": 0.5, "confidence": 1}}, r"quality\.confidence"),
        (M, {"template": "2wikki"}, "template: names no template; did you mean '2wiki'"),
        ({"models": [["x"]]}, {}, r"a\.models: should have names of one line"),
        ({"models": {"x": "7 billion"}}, {}, r"a\.models: should be a number of weights"),
        (
            {"models": ["x"]},
            {},
            r"stages: leave nothing to choose: every field has one value\. Offer several",
        ),
        (None, {}, r"stages\.a: should be a mapping, got None\. Write such as `\{call: stages\.py"),
        ({**M, "tokens": 9}, {}, r"a\.tokens: should be a mapping, got 9\. Write such as `\{prompt: 2048"),
        (M, {"split": 5}, r"split: should be a mapping, got 5\. Write such as `\{search: 200"),
        (M, {"goal": "cheapest", "quality": True}, r"quality: should be a mapping, got True"),
        (M, {"replay": True}, "replay: has no meaning without a recorded bank"),
    ],
    ids=lambda value: None,
)
def test_what_cannot_be_meant_is_refused(stage: Any, problem: Any, message: str):
    with pytest.raises(TaskError, match=message) as caught:
        task({"a": stage}, **problem)
    assert str(caught.value).startswith("problem.")


@pytest.mark.parametrize("name", ["a b", "a.b", "", "[red]x[/]", "a\nb", "ä", 3, "x" * 41])
def test_names_of_stages_are_plain_words(name: Any):
    with pytest.raises(TaskError, match="problem.stages: should have names of letters"):
        task({name: M})


def test_the_default_is_one_sample_of_the_largest_models_that_the_budget_pays_for():
    assert dict(task(template="2wiki").default) == {
        "retrieve.model": "qwen2.5-72b",
        "retrieve.samples": 1,
        "answer.model": "llama-3-70b",
        "answer.samples": 1,
    }
    small = dict(task(template="2wiki", item_budget=450.0).default)
    assert (small["retrieve.model"], small["answer.model"]) == ("qwen2.5-32b", "llama-3-8b")
    stated = Task(
        name="t", preload=(), problem={"name": "pipeline", "stages": {"a": M}}, default={"a": {"model": "x"}}
    )
    assert dict(stated.default) == {"a.model": "x"}


def test_listed_prices_become_part_of_the_task_with_their_source():
    stage = {"models": ["gpt-4o-mini", "gpt-4o"], "tokens": {"prompt": 1000, "completion": 100}}
    made = task({"a": stage})
    price = made.problem.settings.stages["a"].models["gpt-4o-mini"].price
    assert price.source.startswith("genai-prices ") and price.cached < price.prompt < price.completion
    assert made.problem.changed["stages"]["a"]["models"]["gpt-4o-mini"]["price"]["source"] == price.source
    again = PipelineSettings.model_validate(made.problem.changed)
    assert again == made.problem.settings and again.basis.name == "price"


@pytest.mark.parametrize("key", ["metric", "space", "objective", "metrics"])
def test_what_the_kind_fills_in_is_not_stated_too(key: str):
    stated = {"metric": "accuracy", "space": {"x": {"type": "bool"}}, "objective": "train.py:train"}
    stated["metrics"] = {"accuracy": "maximize"}
    with pytest.raises(TaskError, match=f"{key}: is filled in by the kind"):
        Task(name="t", preload=(), problem={"name": "pipeline", "stages": {"a": M}}, **{key: stated[key]})


def test_a_budget_of_costs_counts_every_item_of_a_trial():
    problem = {"name": "pipeline", "stages": {"a": {"models": ["x", "y"], "samples": 2}}}
    with pytest.raises(
        TaskError, match=r"budget.cost: is 100 for all trials .* Write `split: \{search: 100\}`"
    ):
        Task(name="t", preload=(), problem=problem, budget={"cost": 100})
    problem["split"] = {"search": 20}
    with pytest.raises(TaskError, match="budget.cost: is 30, and the default alone costs 40"):
        Task(name="t", preload=(), problem=problem, budget={"cost": 30})
    assert Task(name="t", preload=(), problem=problem, budget={"cost": 100}).cost_of({"a.model": "x"}) == 40


def test_goals_compile_to_metrics_and_limits():
    assert (task({"a": M}).metric, task({"a": M}).direction) == ("quality", "maximize")
    cheapest = task({"a": M}, goal="cheapest", quality=0.8)
    assert (cheapest.metric, cheapest.direction) == ("cost", "minimize")
    assert [limit.text for limit in cheapest.limits] == ["quality >= 0.8"]
    front = task({"a": M}, goal="front")
    assert [(g.metric, g.direction) for g in front.goals.objectives] == [
        ("quality", "maximize"),
        ("cost", "minimize"),
    ]
    for one in (cheapest, front):
        assert Task(**{**dict(one), "name": "again"}).goals == one.goals


def test_a_written_task_is_read_back(tmp_path: Path):
    made = task(template="cwq", goal="cheapest", quality=0.5, split={"search": 40})
    path = tmp_path / "task.yaml"
    path.write_text(made.to_yaml())
    for as_run in (True, False):
        again = load_task(path, as_run=as_run)
        assert again.problem == made.problem and again.space == made.space and again.default == made.default
        assert again.cost_of(made.default) == 40 * made.problem.settings.costs.item(made.default)


def test_the_kind_suggests_method_race_and_confirmation_and_a_task_may_state_others():
    made = task({"a": M}, items="items.jsonl")
    assert made.tuner.name == "agenttts" and made.pruner.kind == "race"
    assert made.confirm.function.endswith("pipelines/objective.py:confirm") and made.confirm.looks(100) == (
        1,
    )
    assert made.certify is None and task({"a": M}).confirm is None
    cheapest = task(
        {"a": M}, items="items.jsonl", goal="cheapest", quality={"at_least": 0.7, "confidence": 0.9}
    )
    assert (cheapest.certify.metric, cheapest.certify.bound, cheapest.certify.confidence) == (
        "quality",
        0.7,
        0.9,
    )
    assert cheapest.pruner.kind == "none"
    often = Task(
        name="t",
        preload=(),
        problem={"name": "pipeline", "items": "i.jsonl", "stages": {"a": M}},
        confirm={"seeds": 3},
    )
    assert often.confirm.function == made.confirm.function and often.confirm.looks(100) == (3,)
    goal = {"name": "pipeline", "items": "i.jsonl", "stages": {"a": M}, "goal": "cheapest", "quality": 0.5}
    with pytest.raises(
        TaskError, match="confirm: is null, and the goal of the lowest cost is certified by it"
    ):
        Task(name="t", preload=(), problem=goal, confirm=None)
    assert Task(name="t", preload=(), problem=goal, confirm=None, certify=None).certify is None
    own = {"tuner": "random", "pruner": "none", "confirm": None, "default": None}
    stated = Task(
        name="t", preload=(), problem={"name": "pipeline", "items": "i.jsonl", "stages": {"a": M}}, **own
    )
    assert (stated.tuner.name, stated.pruner.kind, stated.confirm, stated.default) == (
        "random",
        "none",
        None,
        None,
    )


def test_an_allocation_beyond_the_budget_is_refused_with_its_cost():
    problem = {"name": "pipeline", "item_budget": 2.0, "stages": {"a": {**M, "samples": [1, 4]}}}
    with pytest.raises(
        TaskError, match=r"default: cannot be run: it costs 4 calls for an item, .* budget is 2\."
    ):
        Task(name="t", preload=(), problem=problem, default={"a": {"model": "x", "samples": 4}})
    made = Task(name="t", preload=(), problem=problem)
    with pytest.raises(InvalidConfiguration, match="cannot be run: it costs 4 calls for an item"):
        made.space.validate({"a.model": "x", "a.samples": 4})
    problem |= {"goal": "cheapest", "quality": 0.5}
    with pytest.raises(TaskError, match="limits.quality: is '>= 0.2', and `problem.quality` says >= 0.5"):
        Task(name="t", preload=(), problem=problem, limits={"quality": ">= 0.2"})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("problem: pipeline", r":1: problem.stages: is missing\. Write such as `stages: \{answer: "),
        ("problem: {stages: {a: {models: [x, y]}}}", ":1: problem: has no `name`. Write `name: pipeline`."),
        ("kind: pipeline", r":1: kind: is not a key of a task file\. Write `problem: \{name: pipeline, "),
        ("problem: {name: pipline}", "'pipline' is no kind of problem; did you mean 'pipeline'"),
    ],
    ids=["no stages", "no name", "kind", "misspelt"],
)
def test_a_pipeline_that_is_hardly_stated_is_told_how(tmp_path: Path, text: str, told: str):
    path = tmp_path / "task.yaml"
    path.write_text(text)
    with pytest.raises(TaskError, match=told):
        load_task(path)


def changed(stage: dict[str, Any], **problem: Any) -> Changes:
    """Against two models of a stage with a callable."""
    before = task({"a": {**M, "call": "s.py:a"}}, items="i.jsonl", goal=problem.get("goal", "quality"))
    return changes(before, task({"a": {**M, "call": "s.py:a", **stage}}, **{"items": "i.jsonl", **problem}))


def test_changes_between_sessions_are_told_setting_by_setting():
    found = changed({"samples": 2}, item_budget=5.0)
    assert found.breaking == () and found.told == (
        "problem stages.a.samples was [1] and is now [2]",
        "problem item_budget was none and is now 5.0",
    )
    assert changed({"call": "s.py:b"}).breaking == ("call of a was s.py:a and is now s.py:b",)
    assert changed({}, items="j.jsonl").breaking == ("items was i.jsonl and is now j.jsonl",)
    assert changed({}, split={"search": 9}).breaking
    seconds = {"models": {"x": {"seconds": 1}, "y": {"seconds": 2}}}
    for goal in ("quality", "front"):
        (told,) = changed(seconds, goal=goal).breaking
        assert told.startswith("costs were counted by calls (") and " and are now by seconds (" in told
    assert not changed({"verify_cost": 1}).breaking
    assert changed({"verify_cost": 1}, goal="front").breaking == (
        "what x costs in a was changed",
        "what y costs in a was changed",
    )
    assert not changed({"models": ["x", "y", "z"]}, goal="front").breaking
    before, now = task({"a": M}), task({"a": M, "b": M})
    assert changes(before, now).breaking == ("the stages were a and are now a, b",)


def test_the_code_of_stages_says_what_is_imported_once_for_all_trials(tmp_path):
    (tmp_path / "stages.py").write_text("import numpy\n\ndef answer(item, previous, model): ...\n")
    stage = "{call: stages.py:answer, models: [a, b]}"
    (tmp_path / "task.yaml").write_text(
        f"problem: {{name: pipeline, items: i.jsonl, score: stages.py:right, stages: {{answer: {stage}}}}}"
    )
    objective = load_task(tmp_path / "task.yaml").objective_ref()
    assert objective.code == (str(tmp_path / "stages.py"),)
    assert discover_preload(objective) == ["numpy"] and imported_names(objective) == {"numpy"}
