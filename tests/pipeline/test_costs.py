"""What allocations cost before they are run, and by what was measured."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.pipeline.allocation import AGGREGATORS, StageChoice
from tunesmith.pipeline.costs import item_cost, stage_cost, stage_costs
from tunesmith.pipeline.costs.inverse import left_for, most_samples
from tunesmith.pipeline.rates import Call, Rates, measured_cost, read_rates
from tunesmith.pipeline.settings import COST_MODELS, PipelineSettings
from tunesmith.pipeline.templates import NAMES, template


def pipeline(cost_model: str, **stage: Any) -> PipelineSettings:
    model = {
        "parameters": 3e9,
        "price": {"prompt": 0.5, "completion": 2, "cached": 0.1, "call": 0.001},
        "seconds": 1.5,
        "thinking": 20,
        "layers": 28,
        "width": 3072,
    }
    made = {
        "models": {"small": model, "large": {**model, "parameters": 70e9}},
        "samples": {"low": 1, "high": 10_000},
        "tokens": {"prompt": 256, "completion": 64, "cached": 100},
        "aggregator": list(AGGREGATORS),
        "verify": "s.py:check",
        "verify_cost": 0.25,
        **stage,
    }
    return PipelineSettings.model_validate({"stages": {"answer": made}, "cost_model": cost_model})


@pytest.mark.parametrize(
    ("weights", "prompt", "completion", "samples", "units"),
    [(72e9, 2048, 128, 1, 814), (70e9, 256, 64, 1, 115), (3e9, 256, 64, 50, 52), (70e9, 128, 64, 1, 68)],
    ids=["72B retrieves", "70B answers", "3B answers 50 times", "70B answers on WebQSP"],
)
def test_the_units_of_agenttts_are_theirs(
    weights: float, prompt: int, completion: int, samples: int, units: int
):
    stage = {"models": {"m": weights}, "samples": samples}
    stage["tokens"] = {"prompt": prompt, "completion": completion}
    options = PipelineSettings.model_validate({"stages": {"s": stage}, "cost_model": "agenttts"})
    assert round(item_cost(options, {})) == units


def test_the_budgets_of_the_six_tasks_are_one_sample_of_every_largest_model():
    totals = {}
    for name in NAMES:
        options = PipelineSettings.model_validate({"template": name})
        largest = {f"{s}.model": list(one.models)[-1] for s, one in options.stages.items()}
        totals[name] = item_cost(options, {**largest, **{f"{s}.samples": 1 for s in options.stages}})
        assert options.item_budget == template(name)["item_budget"]
    found = {name: round(total) for name, total in totals.items()}
    assert found == {
        "2wiki": 929,
        "hotpot": 929,
        "cwq": 521,
        "webqsp": 474,
        "taskbench": 1977,
        "chatdev": 1767,
    }


def test_the_fusion_that_agenttts_forgets_is_charged_where_it_is_asked_for():
    asked = {"models": {"m": 3e9}, "samples": 50, "aggregator": "fusion"}
    asked["tokens"] = {"prompt": 256, "completion": 64}
    costs = [
        item_cost(
            PipelineSettings.model_validate(
                {"stages": {"s": asked}, "cost_model": "agenttts", "charge_fusion": charged}
            ),
            {},
        )
        for charged in (None, True)
    ]
    assert costs[0] == 52 and costs[1] == 52 + (256 + 50 * 64 + 64) / 64  # about twice as much


@pytest.mark.parametrize("name", COST_MODELS)
@settings(max_examples=20, deadline=None)
@given(samples=st.integers(1, 9999), aggregator=st.sampled_from(AGGREGATORS))
def test_more_samples_never_cost_less_and_every_cost_is_finite(name: str, samples: int, aggregator: str):
    options = pipeline(name)
    costs = [
        stage_cost(options, StageChoice("answer", model, samples=n, aggregator=aggregator))
        for model in ("small", "large")
        for n in (samples, samples + 1)
    ]
    assert all(math.isfinite(cost) and cost > 0 for cost in costs)
    assert costs[0] < costs[1] and costs[2] < costs[3] and costs[0] <= costs[2]


@pytest.mark.parametrize("name", COST_MODELS)
@settings(max_examples=20, deadline=None)
@given(samples=st.integers(1, 300), aggregator=st.sampled_from(AGGREGATORS))
def test_calls_of_the_stated_lengths_measure_what_was_known(name: str, samples: int, aggregator: str):
    options = pipeline(name)
    known = stage_cost(options, StageChoice("answer", "large", samples=samples, aggregator=aggregator))
    rates = read_rates(json.loads(json.dumps(options.costs.rates["answer"]["large"].as_json())))
    assert rates == options.costs.rates["answer"]["large"]
    for call in (Call(), Call(prompt=256, completion=84, cached=100, seconds=1.5)):
        fused = rates.fusion_call(samples) if aggregator == "fusion" and samples > 1 else None
        verified = samples if aggregator in ("best_of_n", "check_then_vote") else 0
        assert measured_cost(rates, [call] * samples, fused, verified) == pytest.approx(known)


def test_each_cost_model_counts_what_it_says():
    def of(name: str, samples: int, aggregator: str = "majority", **more: Any) -> float:
        stated = pipeline(name).model_dump(exclude_unset=True)
        options = PipelineSettings.model_validate({**stated, **more})
        return stage_cost(options, StageChoice("answer", "small", samples=samples, aggregator=aggregator))

    attention = 4 * 28 * 3072
    context = 256 * 84 + 84**2 / 2
    assert of("flops", 3) == 2 * 3e9 * (156 + 3 * 84) + attention * ((256**2 - 100**2) / 2 + 3 * context)
    once = 0.001 + (156 * 0.5 + 100 * 0.1 + 84 * 2) / 1e6
    assert of("price", 3) == pytest.approx(3 * once)
    shared = 3 * (0.001 + 84 * 2 / 1e6) + (156 * 0.5 + 100 * 0.1) / 1e6
    assert of("price", 3, prompt_sharing="shared") == pytest.approx(shared)
    fused = 0.001 + ((256 + 3 * 64) * 0.5 + 84 * 2) / 1e6
    assert of("price", 3, "fusion") == pytest.approx(3 * once + fused)
    assert of("seconds", 3) == 4.5 and of("seconds", 3, "fusion") == 6.0
    assert of("calls", 3) == 3 and of("calls", 3, "best_of_n") == 3.75
    assert of("memory", 3) == 6e9 * (1 + 3 * 84) + 3 * (2 * 28 * 3072 * 2) * context


def test_a_gated_stage_costs_its_share_of_every_round_and_a_stage_left_out_nothing():
    gate = {"when": "s.py:failed", "rounds": [0, 1, 3], "share": 0.5, "samples": 4}
    options = PipelineSettings.model_validate(
        {"stages": {"answer": {"models": ["m"]}, "repair": {"models": ["m"], **gate}}}
    )
    found = {n: stage_costs(options, {"repair.rounds": n})["repair"] for n in (0, 1, 3)}
    assert found == {0: 0, 1: 2, 3: 4 * (0.5 + 0.25 + 0.125)}
    assert item_cost(options, {"repair.rounds": 0}) == 1


def test_measured_calls_cost_what_they_took():
    rates = Rates(tokens=(10, 5, 0), prompt=1, cached=0.5, completion=2, second=0.1, once=3, shared=True)
    calls = [Call(prompt=20, completion=4, seconds=1, cached=8), Call(completion=6)]
    assert measured_cost(rates, calls) == pytest.approx(3 + 12 + 4 + 8 + 0.1 + 12)
    assert measured_cost(rates, []) == 0


@pytest.mark.parametrize("name", COST_MODELS)
@settings(max_examples=25, deadline=None)
@given(
    share=st.floats(0, 1.2),
    listed=st.booleans(),
    model=st.sampled_from(["small", "large"]),
    aggregator=st.sampled_from(AGGREGATORS),
)
def test_the_samples_that_a_cost_pays_for_are_exactly_those(
    name: str, share: float, listed: bool, model: str, aggregator: str
):
    counts = [1, 2, 3, 8, 21, 200] if listed else {"low": 1, "high": 200}
    options = pipeline(name, samples=counts)
    choice = StageChoice("answer", model, aggregator=aggregator)
    budget = share * stage_cost(options, replace(choice, samples=200))
    found = most_samples(options, choice, budget)
    paid = [
        n
        for n in (counts if isinstance(counts, list) else range(1, 201))
        if stage_cost(options, replace(choice, samples=n)) <= budget
    ]
    assert found == max(paid, default=None)


def test_what_a_stage_may_spend_is_what_the_others_leave():
    options = PipelineSettings.model_validate({"template": "2wiki"})
    chosen = {"retrieve.model": "qwen2.5-72b", "retrieve.samples": 1}
    chosen |= {"answer.model": "llama-3-3b", "answer.samples": 7}
    left = left_for(options, "answer", chosen)
    assert left == 929 - 814
    samples = most_samples(options, StageChoice("answer", "llama-3-3b"), left)
    assert samples == 100  # 102 in the budget, 100 offered
    assert item_cost(options, {**chosen, "answer.samples": samples}) <= 929
    assert (
        left_for(PipelineSettings.model_validate({"stages": {"a": {"models": ["m"]}}}), "a", {}) == math.inf
    )


def test_the_cost_of_a_candidate_is_looked_up_not_computed_anew():
    options = PipelineSettings.model_validate({"template": "taskbench"})
    space = options.space
    drawn = [dict(one) for one in space.sample(np.random.default_rng(0), 50)]
    computed = []
    for rates in options.costs.rates.values():
        for model, one in rates.items():
            rates[model] = Counted(one, computed)  # type: ignore[assignment]
    first = [item_cost(options, one) for one in drawn]
    assert (before := len(computed)) <= 150
    assert [item_cost(options, one) for one in drawn] == first and len(computed) == before


class Counted:
    def __init__(self, rates: Rates, computed: list[int]) -> None:
        self.rates, self.computed = rates, computed

    def known(self, samples: int, aggregator: str) -> float:
        self.computed.append(samples)
        return self.rates.known(samples, aggregator)
