"""Variants of Link-and-Add as the benchmark draws them. Trains the whole pool the first time, hence slow."""

from __future__ import annotations

import numpy as np
import pytest

from tunesmith.bench.pipelines.variants import AGGREGATORS, BUDGETS, variant, variants

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("seed", range(4))
def test_the_optimum_of_every_setting_is_the_best_allocation_within_its_budget(seed: int) -> None:
    settings = variants(seed)
    assert len(settings) == len(BUDGETS) * len(AGGREGATORS)
    rng = np.random.default_rng(seed)
    for one in settings:
        assert one.truth(one.optimum.choices) == one.optimum.score
        assert sum(map(one.settings.costs.stage, one.optimum.choices)) <= one.budget * (1 + 1e-9)
        for _ in range(20):
            configuration = one.settings.space.sample(rng)[0]
            if one.settings.costs.item(configuration) <= one.budget:
                assert one.truth(one.settings.allocation(configuration)) <= one.optimum.score


def test_a_larger_budget_is_never_worse_and_moves_the_optimum() -> None:
    for seed in range(4):
        each = [variant(seed, "majority", budget) for budget in range(len(BUDGETS))]
        scores = [one.optimum.score for one in each]
        assert scores == sorted(scores)
        assert len({one.optimum.choices for one in each}) >= 3


def test_the_same_seed_gives_the_same_variant_and_seeds_differ_in_order_sizes_and_names() -> None:
    def drawn(seed: int) -> tuple[object, ...]:
        one = variant(seed, "majority", 0)
        return one.link_first, str(one.sizes), one.budget

    assert drawn(5) == drawn(5)
    several = [drawn(seed) for seed in range(12)]
    assert {first for first, *_ in several} == {True, False}
    assert len({sizes for _, sizes, _ in several}) == 12


def test_the_noisy_version_searches_fifty_items_and_is_judged_by_the_others() -> None:
    one = variant(0, "check_then_vote", 1, few_items=True)
    assert len(one.items) == 50
    assert len(one.judges) == 750
    assert not set(one.items) & set(one.judges)
    assert one.truth(one.optimum.choices) == pytest.approx(one.optimum.score)


def test_repair_is_a_stage_of_its_own_that_runs_on_some_items_only() -> None:
    one = variant(1, "majority", 2, repairs=True)
    assert set(one.settings.stages) == {"link", "add", "repair"}
    calls = [
        one.table.evaluate(one.settings.allocation(one.settings.space.sample(np.random.default_rng(i))[0]))
        for i in range(30)
    ]
    shares = [float((found.stage_calls["repair"] > 0).mean()) for found in calls]
    assert min(shares) == 0
    assert 0 < max(shares) < 1
