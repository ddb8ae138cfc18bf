"""The initial design of AgentTTS (Eq. 5), by hand."""

from __future__ import annotations

import pytest

from fakes.small_pipeline import problem, task
from tunesmith.agent.methods.agenttts.paper_design import by_size, initial_design


def rows(made):
    return [tuple(c.values()) for c in initial_design(made.space, made.problem.settings)]


def test_each_model_gets_what_one_sample_of_the_largest_costs_and_sixty_samples_at_most():
    # find: one sample of `large` costs 2 * 72e9 * 2176 = 3.13e14; 60 of `mid` 1.36e14, 60 of `small` 5.8e13.
    # answer: one of `large` (here 72e9) costs 4.6e13; of `small` 2 * 3e9 * (256 + 64 S): S = 116, so 60.
    assert rows(task()) == [
        ("small", 60, "large", 1),
        ("mid", 60, "large", 1),
        ("large", 1, "large", 1),
        ("large", 1, "small", 60),
    ]


def test_where_the_largest_models_are_too_dear_together_the_others_are_the_smallest():
    made = task(problem=problem(item_budget=3.3e14))
    assert rows(made)[2] == ("large", 1, "small", 1)
    assert all(made.cost_of(c) <= 3.3e14 for c in initial_design(made.space, made.problem.settings))


def test_a_model_that_the_budget_has_no_room_for_is_left_out():
    made = task(problem=problem(item_budget=1e14))
    assert rows(made) == [("small", 51, "small", 1), ("mid", 21, "small", 1)] or len(rows(made)) >= 2
    assert not any(row[0] == "large" for row in rows(made))
    assert all(made.cost_of(c) <= 1e14 for c in initial_design(made.space, made.problem.settings))


@pytest.mark.parametrize("changes", [{"pin": {"model": "mid"}}, {"forbid": {"model": ["large"]}}], ids=str)
def test_pinned_and_forbidden_models_are_respected(changes):
    stages = problem()["stages"]
    stages["find"] = {**stages["find"], **changes}
    made = task(problem=problem(stages=stages))
    found = initial_design(made.space, made.problem.settings)
    assert found and {c.get("find.model", "mid") for c in found} <= {"small", "mid"}


def test_other_fields_have_their_first_value_and_models_without_a_size_are_ordered_by_cost():
    stages = problem()["stages"]
    stages["answer"] = {
        **stages["answer"],
        "models": ["a", "b"],
        "samples": [1, 4, 200],
        "temperature": [0.2, 0.9],
        "agree": [None, 3],
        "aggregator": ["majority", "fusion"],
        "prompts": ["plain", "long"],
    }
    stages["answer"] = {**stages["answer"], "models": {"b": {"seconds": 9}, "a": {"seconds": 2}}}
    for model in stages["find"]["models"].values():
        model["seconds"] = 1
    made = task(problem=problem(stages=stages, cost_model="seconds", item_budget=None))
    assert by_size(made.problem.settings, "answer") == ["a", "b"]
    for configuration in initial_design(made.space, made.problem.settings):
        assert configuration["answer.temperature"] == 0.2 and configuration["answer.prompt"] == "plain"
        assert configuration.get("answer.aggregator", "majority") == "majority"
        assert configuration["answer.samples"] <= 4
