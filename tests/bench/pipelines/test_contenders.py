"""Every contender of the suite `pipeline` on a tiny table."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from types import SimpleNamespace

import numpy as np
import pytest

from bench.pipelines.tiny import ITEMS, landscape
from tunesmith.bench.pipelines.contenders import ABOUT, contender
from tunesmith.bench.pipelines.landscape import Landscape
from tunesmith.bench.pipelines.search import Search
from tunesmith.errors import UsageError
from tunesmith.pipeline.costs import item_cost

CHEAP = [name for name in ABOUT if name not in ("gp", "numeric") and not name.startswith("agenttts-no")]


@pytest.fixture(scope="module")
def table() -> Landscape:
    return landscape()


def test_the_landscape_knows_every_feasible_allocation_and_the_best(table: Landscape) -> None:
    budget = table.settings.item_budget
    space = table.task.space
    every = [
        space.restricted(None).validate(dict(zip(space.names, values, strict=True)))
        for values in product(*(p.listed for p in space.parameters.values()))  # type: ignore[attr-defined]
    ]
    within = {c.digest for c in every if item_cost(table.settings, c) <= (budget or 0)}
    assert {table.configuration(places).digest for places in table.feasible} == within
    assert table.optimum == max(table.truth(c) for c in every if c.digest in within)
    default = table.task.default
    assert default is not None and default["find.samples"] == default["answer.samples"] == 1
    assert (default["find.model"], default["answer.model"]) == ("middle", "large")  # both large cost 128


@pytest.mark.parametrize("name", CHEAP)
def test_a_contender_keeps_the_budget_and_is_repeatable(table: Landscape, name: str) -> None:
    runs = []
    for _ in range(2):
        search = Search(table, 12)
        contender(name).run(search, 5)
        runs.append(search)
    one, again = runs
    assert one.changes == again.changes and one.items == again.items and one.infeasible == again.infeasible
    assert 0 < one.items <= one.budget
    if name != "exhaustive":
        assert one.budget == 12 * ITEMS
    assert one.chosen is not None and not table.task.space.problems(dict(one.chosen))
    assert one.changes[-1].quality == table.truth(one.chosen)
    if contender(name).whole:  # the measured quality is the true one, so the choice only improves
        qualities = [change.quality for change in one.changes]
        assert qualities == sorted(qualities)


@pytest.mark.parametrize(
    "name", [n for n in CHEAP if n not in ("random", "halving", "ucb", "agenttts-racing")]
)
def test_a_searching_contender_finds_the_tiny_optimum(table: Landscape, name: str) -> None:
    search = Search(table, 50)
    contender(name).run(search, 1)
    assert search.changes[-1].quality == table.optimum


def test_what_is_looked_at_again_is_not_paid_again(table: Landscape) -> None:
    search = Search(table, 2)
    first, second, third = (table.configuration(table.feasible[k]) for k in (0, 1, 2))
    assert search.look(first, 10).shape == (10,)
    seen = search.evaluate(first)
    assert search.items == ITEMS and search.repeated == 0 and search.tried == 1
    assert seen.quality == table.truth(first)
    assert np.isclose(search.cost, ITEMS * item_cost(table.settings, first))
    search.evaluate(first)
    assert (search.items, search.repeated) == (ITEMS, 1)
    search.look(second, ITEMS)
    assert search.left == 0 and search.over
    assert search.look(third, 5).shape == (0,)
    assert (
        search.legal({"find.model": "large", "find.samples": 8, "answer.model": "large", "answer.samples": 8})
        is None
    )
    assert search.infeasible == 1


def test_a_stage_is_judged_on_the_items_that_it_ran_on(table: Landscape) -> None:
    configuration = table.configuration(table.feasible[0])
    looked = table.looked(configuration)
    ran = np.arange(ITEMS) % 2 == 0
    gated = replace(Search(table, 1))
    row = SimpleNamespace(**{**vars(looked), "stage_scores": {"find": np.where(ran, 1.0, np.nan)}})
    row.stage_calls = {"find": ran.astype(float), "answer": np.zeros(ITEMS)}
    gated.landscape = replace(table, table=SimpleNamespace(looked=lambda choices: row), _known={})  # type: ignore[arg-type]
    values = gated.evaluate(configuration).values
    assert (values["find.score"], values["find.share"], values["answer.share"]) == (1.0, 0.5, 0.0)
    assert "answer.score" not in values and all(np.isfinite(list(values.values())))


def test_on_a_noisy_task_the_choice_is_judged_by_the_other_items() -> None:
    noisy = landscape(noisy=True)
    search = Search(noisy, 3)
    contender("random").run(search, 0)
    assert search.n == 10 and search.items == 30  # no early end: the optimum is not known to the search
    assert search.chosen is not None and noisy.judges is not None
    assert search.changes[-1].quality == noisy.looked(search.chosen).scores[noisy.judges].mean()


def test_racing_takes_fewer_items_for_as_many_trials() -> None:
    searches = []
    for name in ("agenttts", "agenttts-racing"):
        search = Search(landscape(noisy=True), 12)
        contender(name).run(search, 0)
        searches.append(search)
    whole, racing = searches
    assert whole.tried == racing.tried == 12
    assert racing.items < whole.items == 120
    assert racing.chosen is not None


def test_an_unknown_contender_is_told_with_the_ones_there_are() -> None:
    with pytest.raises(UsageError, match="no contender 'tqe'.*tpe"):
        contender("tqe")
