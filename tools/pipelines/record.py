"""Recording a sample bank: every sample that any configuration of a pipeline can need, drawn once.

It goes item by item: for each stage it runs every choice that the task offers on every output that the stages
before can make. What is there already is not drawn again, so a recording that was stopped goes on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tunesmith.errors import PipelineError
from tunesmith.pipeline.kind import Pipeline
from tunesmith.pipeline.settings import PipelineSettings
from tunesmith.tools.pipelines.aggregation import Drawn
from tunesmith.tools.pipelines.bank import make_bank
from tunesmith.tools.pipelines.bank_table import BankSource
from tunesmith.tools.pipelines.items import Item, load_items, split_items
from tunesmith.tools.pipelines.running import CONFIRMED_FROM, Runner
from tunesmith.tools.pipelines.samples import Samples
from tunesmith.tools.pipelines.stage_code import load_judge, load_stages
from tunesmith.tools.pipelines.store import SampleKey, SampleStore, Spend
from tunesmith.tools.pipelines.table import ReplayTable, all_choices

MOST_STATES = 20_000
"""Outputs of one item that the stages may make; more is no pipeline to be recorded whole."""


class Progress(NamedTuple):
    """How far a recording is."""

    items: int
    """That are recorded whole."""
    of: int
    calls: int
    """That were made since the bank was begun."""
    cost: float
    """Of those, in units of the cost model."""


class CapReached(PipelineError):
    """The next call may exceed what a recording is allowed; what is recorded is kept."""


def record(
    settings: PipelineSettings,
    folder: Path,
    bank: Path,
    *,
    part: str = "search",
    most_calls: int | None = None,
    most_cost: float | None = None,
    tick: Callable[[Progress], None] | None = None,
) -> Progress:
    """Draw what the bank lacks for the task's items.

    Args:
        folder: The task's; its files are relative to it.
        bank: An SQLite file; made where it is missing.
        part: `search` or `confirm`: which items, and with which samples.
        most_calls, most_cost: Caps of all that recording this bank takes, from its beginning. They are looked
            at before each call, with the most it may cost: as stated, or as the dearest of its model so far.
        tick: Called after every item.
    Raises:
        CapReached: A cap would be exceeded. The same call goes on.
        PipelineError, ObjectiveError: Items, callables or the bank cannot be used.
        Exception: What the task's code raised for an item, since a bank with failures would not be exact.
    """
    given = Pipeline().given(settings)
    pipeline = given["pipeline"]
    split = split_items(load_items(pipeline["items"], folder), seed=settings.split_seed, **pipeline["split"])
    items = split.confirm if part == "confirm" else split.search
    stages = load_stages(given, folder)
    versions = json.dumps({stage.name: stage.answer.version if stage.answer else "" for stage in stages})
    store = make_bank(bank, {"split_seed": str(settings.split_seed)})
    recorded = store.about().get("versions", versions)
    if recorded != versions:
        store.close()
        raise PipelineError(
            f"{bank}: was recorded with other code of the stages; record a new bank, or restore the code"
        )
    store.say("versions", versions)
    samples = _Recorded(store, most_calls, most_cost)
    runner = Runner(
        stages,
        load_judge(settings.score, folder),
        samples,
        seed=settings.split_seed,
        first=CONFIRMED_FROM if part == "confirm" else 0,
        part=part,
    )
    choices = all_choices(settings)
    try:
        done = Progress(0, len(items), 0, 0.0)
        for start in range(0, len(items), runner.block):
            block = items[start : start + runner.block]
            _record(runner, block, choices)
            done = Progress(start + len(block), len(items), samples.calls, samples.cost)
            if tick is not None:
                tick(done)
    finally:
        runner.close()
        store.close()
    if store.notes:
        raise PipelineError(f"{bank}: {store.notes[0]}")
    return done


def _record(runner: Runner, items: Sequence[Item], choices: Sequence[Sequence[object]]) -> None:
    """All that the choices of all stages need of some items."""
    source = BankSource(runner, items)
    table = ReplayTable(source)
    states = np.arange(len(items))
    for stage, of_stage in enumerate(choices):
        reached = [table.reached(stage, choice, states) for choice in of_stage]  # type: ignore[arg-type]
        states = np.unique(np.concatenate(reached))
        if len(states) > MOST_STATES * len(items):
            raise PipelineError(
                f"{runner.stages[stage].name}: its choices make {len(states):,} different outputs of "
                f"{len(items)} items, too many to record them all; offer fewer"
            )
        if (fault := source.first_fault()) is not None:
            raise fault


class _Recorded(Samples):
    """A bank that is written to, under caps."""

    def __init__(self, store: SampleStore, most_calls: int | None, most_cost: float | None) -> None:
        super().__init__(store)
        spent = store.spent()
        self.calls, self.cost = sum(one.made for one in spent), sum(one.cost for one in spent)
        self._waiting_calls, self._waiting_cost = 0, 0.0
        self._most_calls, self._most_cost = most_calls, most_cost

    def get(self, keys: Sequence[SampleKey]) -> dict[SampleKey, Drawn]:
        assert self.store is not None
        asked = {key._replace(version=""): key for key in keys}
        return {asked[key]: sample for key, sample in self.store.get(list(asked)).items()}

    def put(self, samples: Mapping[SampleKey, Drawn], spent: Iterable[Spend] = ()) -> dict[SampleKey, Drawn]:
        assert self.store is not None
        spends = list(spent)
        self.calls += sum(one.made for one in spends)
        self.cost += sum(one.cost for one in spends)
        self._waiting_calls, self._waiting_cost = 0, 0.0
        self.store.put({key._replace(version=""): sample for key, sample in samples.items()}, spends)
        return {}

    def allow(self, calls: int, cost: float) -> None:
        made, spent = self.calls + self._waiting_calls, self.cost + self._waiting_cost
        if self._most_calls is not None and made + calls > self._most_calls:
            raise CapReached(f"{made:,} calls are made, and the cap is {self._most_calls:,}")
        if self._most_cost is not None and spent + cost > self._most_cost:
            raise CapReached(
                f"{spent:.6g} is spent, the next may cost {cost:.6g}, and the cap is {self._most_cost:.6g}"
            )
        self._waiting_calls += calls
        self._waiting_cost += cost
