"""Link-and-Add: what is recorded is what the models would answer, item by item."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from tunesmith.bench.pipelines.link_and_add import bank as banks
from tunesmith.bench.pipelines.link_and_add import kept
from tunesmith.bench.pipelines.link_and_add.adders import train_adder
from tunesmith.bench.pipelines.link_and_add.items import (
    ALIASES,
    NAMES,
    Items,
    asked_by,
    digits,
    draw_candidates,
    draw_items,
)
from tunesmith.bench.pipelines.link_and_add.link_models import train_link
from tunesmith.bench.pipelines.link_and_add.pool import Pool, train_pool
from tunesmith.bench.pipelines.link_and_add.replaying import joined, replay_table, settings_of
from tunesmith.bench.pipelines.link_and_add.sampling import cumulative, draw, key_of, uniforms
from tunesmith.pipeline.allocation import StageChoice
from tunesmith.tools.pipelines.aggregation import Drawn, winner

N, STREAM = 8, 77
SIZES = {"link": {"q": 800, "b": 4500}, "add": {"x": 5, "c": 11}, "repair": {"x": 5, "c": 11}}
POWERS = 10 ** np.arange(7)


@pytest.fixture(scope="module")
def pool() -> Pool:
    return train_pool(3, (800, 4500), (5, 11), effort=0.06)


def choose(stage: str, model: str, samples: int, by: str = "majority", rounds: int = 1) -> StageChoice:
    return StageChoice(stage, model, samples, aggregator=by, rounds=rounds)


def live(pool: Pool, items: Items, i: int, choices: tuple[StageChoice, ...]) -> tuple[float, dict[str, int]]:
    """Score of one item, sample by sample, and how often each stage called its model."""
    numbers = None if items.link_first else items.numbers[i]
    total, places, given = 0, None, 0
    calls = {choice.stage: 0 for choice in choices}
    for choice in choices:
        for turn in range(choice.rounds):
            if choice.stage == "repair" and total % 9 == items.check[i]:
                break
            size = SIZES[choice.stage][choice.model]
            drawn = []
            for s in range(choice.samples):
                calls[choice.stage] += 1
                if choice.stage == "link":
                    asked = items.asked[i] if items.link_first else asked_by(np.array(total))
                    key = key_of(STREAM, i, 0, size, 0 if items.link_first else total)
                    logits = pool.links[size].logits(asked, items.shown[i])
                else:
                    key = key_of(STREAM, i, 1 if choice.stage == "add" else 2, size, given, turn)
                    logits = pool.adders[size].logits(digits(numbers)[None])[0]
                random = uniforms(key, np.array([s]), len(logits))
                out = draw(cumulative(logits)[None], random[None])[0, 0].astype(int)
                score = None
                if choice.stage != "link":
                    right = int(out @ POWERS) % 9 == items.check[i]
                    score = float(right)
                    if choice.aggregator == "best_of_n":
                        score = float(
                            pool.verifier.scores(digits(numbers)[None], out[None].astype(np.int64))[0]
                        )
                drawn.append(Drawn(out, str(out), score=score))
            best = drawn[winner(choice, drawn)].output
            if choice.stage == "link":
                places = best
                if items.link_first:
                    numbers = items.numbers[i][np.arange(3), places]
                    given = int(places @ 12 ** np.arange(3))
            else:
                total = int(best @ POWERS)
    if items.link_first:
        return float(total == items.total[i]), calls
    return float((places == items.place[i]).all()), calls


@pytest.mark.long
@pytest.mark.parametrize("link_first", [True, False], ids=["link first", "add first"])
def test_replay_of_a_bank_equals_sampling_item_by_item(pool: Pool, link_first: bool) -> None:
    items = draw_items(N, STREAM, link_first)
    bank = banks.record(pool, items, STREAM)
    rng = np.random.default_rng(0)
    for by in banks.CHECKED:
        settings = settings_of(link_first, SIZES, pool.parameters, by, True)
        table = replay_table(bank, settings, SIZES)
        for _ in range(3):
            chosen = {
                "link": choose("link", rng.choice(["q", "b"]), int(rng.choice([1, 4, 16]))),
                "add": choose("add", rng.choice(["x", "c"]), int(rng.choice([1, 2, 8])), by),
                "repair": choose("repair", rng.choice(["x", "c"]), int(rng.choice([1, 4])), by, 3),
            }
            choices = tuple(chosen[stage] for stage in settings.stages)
            replayed = table.evaluate(choices)
            for i in range(N):
                score, calls = live(pool, items, i, choices)
                assert replayed.scores[i] == score
                assert {stage: of[i] for stage, of in replayed.stage_calls.items()} == calls


def test_every_allocation_is_in_the_bank_and_the_best_one_is_known(pool: Pool) -> None:
    bank = banks.record_split(pool, True, N, STREAM)
    settings = settings_of(True, SIZES, pool.parameters, "check_then_vote", False)
    table = replay_table(bank, settings, SIZES)
    found = table.exhaustive()
    assert found.scores.size == (2 * len(banks.SAMPLES)) ** 2
    each = [table.evaluate(choices).score for choices in product(*found.choices)]
    assert found.best()[1] == max(each)
    budget = float(np.median(found.costs))
    within = [s for s, c in zip(each, found.costs.ravel(), strict=True) if c <= budget]
    assert found.best(budget)[1] == max(within)


def test_banks_that_are_joined_say_the_same_of_each_ones_items(pool: Pool) -> None:
    parts = [banks.record_split(pool, True, n, stream) for n, stream in ((5, 1), (7, 2))]
    settings = settings_of(True, SIZES, pool.parameters, "majority", True)
    choices = (choose("link", "q", 4), choose("add", "x", 4), choose("repair", "c", 2, rounds=2))
    whole = replay_table(joined(parts), settings, SIZES).evaluate(choices)
    each = [replay_table(part, settings, SIZES).evaluate(choices) for part in parts]
    assert list(whole.scores) == [score for one in each for score in one.scores]
    assert list(whole.costs) == [cost for one in each for cost in one.costs]


def test_a_bank_that_was_written_is_read_back(pool: Pool, tmp_path) -> None:
    bank = banks.record_split(pool, False, 4, 9)
    kept.write(tmp_path / "bank.npz", pool.parameters, {"search": bank})
    known = kept.read(tmp_path / "bank.npz")
    assert known.parameters == pool.parameters
    again = known.banks["search"]
    assert again.leads.keys() == bank.leads.keys()
    assert all(np.array_equal(again.leads[key], leads) for key, leads in bank.leads.items())
    assert np.array_equal(again.score, bank.score, equal_nan=True)


@pytest.mark.parametrize("link_first", [True, False], ids=["link first", "add first"])
def test_items_can_be_solved_and_those_of_two_streams_differ(link_first: bool) -> None:
    items, others = draw_items(300, 1, link_first), draw_items(300, 2, link_first)
    right = np.take_along_axis(items.shown, items.place[..., None], 2)[..., 0]
    assert (right // ALIASES == items.asked // ALIASES).all()
    assert (right != items.asked).all()
    assert ((items.shown // ALIASES == items.asked[..., None] // ALIASES).sum(2) == 1).all()
    if link_first:
        picked = np.take_along_axis(items.numbers, items.place[..., None], 2)[..., 0]
        assert (picked.sum(1) == items.total).all()
    else:
        assert (asked_by(items.total) == items.asked).all()
    assert not {str(row) for row in items.shown} & {str(row) for row in others.shown}


def test_training_again_gives_the_same_models(pool: Pool) -> None:
    memory = train_link(800, NAMES, 3, draw_candidates, steps=30).memory
    columns = digits(draw_items(20, 5, False).numbers)
    assert np.array_equal(memory, pool.links[800].memory)
    assert np.array_equal(train_adder(5, 3, steps=72).logits(columns), pool.adders[5].logits(columns))


def test_a_tables_costs_are_those_of_the_cost_model_for_what_really_ran(pool: Pool) -> None:
    bank = banks.record_split(pool, True, N, STREAM)
    settings = settings_of(True, SIZES, pool.parameters, "majority", True)
    choices = (choose("link", "b", 1), choose("add", "x", 2), choose("repair", "c", 4, rounds=1))
    replayed = replay_table(bank, settings, SIZES).evaluate(choices)
    weights = {stage: pool.parameters["link" if stage == "link" else "add"] for stage in settings.stages}
    assert set(replayed.stage_costs["link"]) == {2 * weights["link"][4500] * (36 + 3)}
    assert set(replayed.stage_costs["add"]) == {2 * weights["add"][5] * (21 + 2 * 7)}
    ran = replayed.stage_calls["repair"] > 0
    assert set(replayed.stage_costs["repair"][ran]) == {2 * weights["repair"][11] * (21 + 4 * 7)}
    assert not replayed.stage_costs["repair"][~ran].any()
    without = (*choices[:2], replace(choices[2], rounds=0))
    assert not replay_table(bank, settings, SIZES).evaluate(without).stage_costs["repair"].any()
