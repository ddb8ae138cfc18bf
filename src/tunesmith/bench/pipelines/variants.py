"""Variants of Link-and-Add: for a seed, the order of the stages and four sizes of model for each, drawn anew.

    for variant in variants(seed):                       # 8: four budgets, two aggregators
        variant.settings, variant.budget                 # the task, as a run is given it
        variant.table.evaluate(variant.settings.allocation(configuration))
        variant.optimum.score, variant.optimum.choices   # exhaustive, among what the budget allows
        variant.truth(choices)                           # what an allocation is judged by

Models have drawn letters for names. Stated of them is their number of weights, by which they are listed, so
that neither name nor place tells more than the number of weights does.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from itertools import product
from typing import NamedTuple

import numpy as np

from tunesmith.bench.pipelines.link_and_add.kept import SPLITS, kept
from tunesmith.bench.pipelines.link_and_add.replaying import joined, replay_table, settings_of
from tunesmith.bench.pipelines.link_settings import AGGREGATORS, BUDGETS
from tunesmith.pipeline.allocation import StageChoice
from tunesmith.pipeline.costs import stage_cost
from tunesmith.pipeline.settings import PipelineSettings
from tunesmith.tools.pipelines.table import ReplayTable, all_choices

MODELS = 4
"""Of each stage."""
FEW = 50
"""Items of the noisy version."""
TABLES = 8
"""Kept in memory, some 20 MB each: more than a seed has."""


class Optimum(NamedTuple):
    """The best of all allocations that a budget allows, and the cheapest of equals."""

    choices: tuple[StageChoice, ...]
    score: float


@dataclass(frozen=True)
class Variant:
    """One setting of one seed."""

    seed: int
    link_first: bool
    repairs: bool
    """Whether a third stage repairs totals that fail the check."""
    aggregator: str
    """Of totals; places are always voted on."""
    settings: PipelineSettings
    """With the budget as `item_budget`, in FLOPs."""
    table: ReplayTable
    items: np.ndarray
    """Places in the table of the items that a search may see."""
    judges: np.ndarray
    """Places of the items that allocations are judged by: the same, or in the noisy version all others."""
    sizes: dict[str, dict[str, int]]
    """Of each stage's models by name: slots or hidden units. Not for contenders."""

    @property
    def few_items(self) -> bool:
        return len(self.items) < len(self.table.items)

    @property
    def budget(self) -> float:
        """FLOPs for one item at most."""
        assert self.settings.item_budget is not None
        return self.settings.item_budget

    def truth(self, choices: tuple[StageChoice, ...]) -> float:
        """Mean score over the judging items."""
        return float(self.table.evaluate(choices, self.judges).scores.mean())

    def untouched(self, split: str = "test") -> ReplayTable:
        """The table of 'validation' or 'test', whose items and samples no search sees."""
        assert not self.few_items
        return _table(_drawn(self.seed), self.aggregator, self.repairs, (split,))

    @cached_property
    def optimum(self) -> Optimum:
        """Exhaustive, by `truth`, among allocations whose known cost is within the budget."""
        choices, costs = all_choices(self.settings), self.costs
        scores = _truths(self.seed, self.aggregator, self.repairs, self.few_items)
        able = costs <= self.budget * (1 + 1e-12)
        top = scores[able].max()
        place = np.unravel_index(int(np.argmin(np.where(able & (scores >= top), costs, np.inf))), costs.shape)
        return Optimum(tuple(of[i] for of, i in zip(choices, place, strict=True)), float(top))

    @cached_property
    def costs(self) -> np.ndarray:
        """Known costs of all allocations, an axis for each stage, in the order of `all_choices(settings)`."""
        costs = np.zeros(())
        for of_stage in all_choices(self.settings):
            costs = costs[..., None] + [stage_cost(self.settings, choice) for choice in of_stage]
        return costs

    @property
    def scores(self) -> np.ndarray:
        """`truth` of all allocations, as `costs`."""
        return _truths(self.seed, self.aggregator, self.repairs, self.few_items)


def variants(seed: int, *, repairs: bool = False, few_items: bool = False) -> tuple[Variant, ...]:
    """The settings of a seed: each aggregator with each budget. Tables of one aggregator are shared.

    Args:
        repairs: With the third stage.
        few_items: The noisy version: a search sees 50 items and is judged by the 750 others.
    """
    return tuple(
        variant(seed, aggregator, budget, repairs=repairs, few_items=few_items)
        for aggregator in AGGREGATORS
        for budget in range(len(BUDGETS))
    )


def variant(
    seed: int, aggregator: str, budget: int, *, repairs: bool = False, few_items: bool = False
) -> Variant:
    """One setting of a seed; `budget` is a place in `BUDGETS`, `aggregator` can be `best_of_n` too."""
    drawn = _drawn(seed)
    table = _table(drawn, aggregator, repairs, tuple(SPLITS) if few_items else ("search",))
    settings = table.settings
    assert settings is not None
    largest = [StageChoice(stage, list(settings.stages[stage].models)[-1]) for stage in ("link", "add")]
    bound = BUDGETS[budget] * sum(stage_cost(settings, choice) for choice in largest)
    settings = PipelineSettings.model_validate({**settings.model_dump(), "item_budget": bound})
    items, judges = _places(seed, few_items, len(table.items))
    return Variant(
        seed, drawn.link_first, repairs, aggregator, settings, table, items, judges, dict(drawn.sizes)
    )


class _Drawn(NamedTuple):
    link_first: bool
    sizes: tuple[tuple[str, dict[str, int]], ...]
    """By kind of stage; hashed by identity of the draw."""

    def __hash__(self) -> int:
        return hash((self.link_first, str(self.sizes)))


@cache
def _drawn(seed: int) -> _Drawn:
    rng = np.random.default_rng([seed, 2508])
    link_first = bool(rng.integers(2))
    parameters = kept(link_first).parameters
    letters = iter(rng.permutation(list("abcdefghijklmnopqrstuvwxyz")))
    sizes = {
        stage: {
            str(next(letters)): int(size)
            for size in sorted(rng.choice(sorted(parameters[stage]), MODELS, replace=False))
        }
        for stage in ("link", "add")
    }
    return _Drawn(link_first, tuple({**sizes, "repair": sizes["add"]}.items()))


def _places(seed: int, few_items: bool, n: int) -> tuple[np.ndarray, np.ndarray]:
    if not few_items:
        return np.arange(n), np.arange(n)
    seen = np.random.default_rng([seed, FEW]).choice(SPLITS["search"], FEW, replace=False)
    return np.sort(seen), np.setdiff1d(np.arange(n), seen)


@lru_cache(maxsize=TABLES)
def _table(drawn: _Drawn, aggregator: str, repairs: bool, splits: tuple[str, ...]) -> ReplayTable:
    known = kept(drawn.link_first)
    bank = joined([known.banks[split] for split in splits])
    settings = settings_of(drawn.link_first, dict(drawn.sizes), known.parameters, aggregator, repairs)
    return replay_table(bank, settings, dict(drawn.sizes))


@lru_cache(maxsize=TABLES)
def _truths(seed: int, aggregator: str, repairs: bool, few_items: bool) -> np.ndarray:
    table = _table(_drawn(seed), aggregator, repairs, tuple(SPLITS) if few_items else ("search",))
    if not few_items:
        return table.exhaustive().scores
    assert table.settings is not None
    _, judges = _places(seed, few_items, len(table.items))
    choices = all_choices(table.settings)
    scores = [table.evaluate(each, judges).scores.mean() for each in product(*choices)]
    return np.reshape(scores, [len(of_stage) for of_stage in choices])
