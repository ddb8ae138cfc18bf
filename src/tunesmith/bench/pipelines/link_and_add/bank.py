"""Every sample of Link-and-Add that an allocation of the pool's models can need, as arrays of states.

A state is an item with the output it has so far, as `tools/pipelines/table.py` has it. States are found stage
by stage: all samples are drawn, every model, number of samples and aggregator is applied to them, and what
comes out is what the next stage has to answer. Nothing else can be asked for, so that replay never misses.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from tunesmith.bench.pipelines.link_and_add.items import (
    CANDIDATES,
    COLUMNS,
    FACTS,
    Items,
    asked_by,
    digits,
    draw_items,
)
from tunesmith.bench.pipelines.link_and_add.sampling import cumulative, draw, key_of, uniforms
from tunesmith.pipeline.allocation import StageChoice
from tunesmith.tools.pipelines.votes import SampleArrays, aggregated

if TYPE_CHECKING:  # what is recorded can be replayed without PyTorch
    from tunesmith.bench.pipelines.link_and_add.pool import Pool

SAMPLES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
"""Numbers of samples that the first two stages can have."""
SAMPLES_OF_THREE = (1, 2, 4, 8, 16, 32)
"""The same of pipelines of three stages, which have many more combinations."""
REPAIRS, ROUNDS = (1, 2, 4, 8), 3
"""Numbers of samples of the stage `repair` in a round, and the most rounds."""
CHECKED = ("majority", "check_then_vote", "best_of_n")
"""How totals can be aggregated: by the public check, or by the learned verifier for best_of_n."""
BY_STATE = ("score", "own", "passes", "learned")
_LINK, _ADD, _REPAIR = 0, 1, 2
_POWERS = 10 ** np.arange(COLUMNS)
_PLACES = CANDIDATES ** np.arange(FACTS)


@dataclass
class Bank:
    """Samples of one order of the stages on one set of n items; arrays by state have shape (N,)."""

    link_first: bool
    n: int
    score: np.ndarray
    """Whether the output is the item's answer; NaN of states that can never be the last."""
    own: np.ndarray
    """Whether the stage that led here did what it was asked for, whatever it was given."""
    passes: np.ndarray
    """Whether a total has the item's remainder modulo 9; true of states that are no total."""
    learned: np.ndarray
    """The verifier's score of a total, in [0, 1]."""
    states: dict[tuple[str, int], np.ndarray] = field(default_factory=dict, init=False)
    """By stage and round, which states it can be asked to go on from, rising, (R,)."""
    leads: dict[tuple[str, int, int], np.ndarray] = field(default_factory=dict, init=False)
    """By stage, round and size of the model, the states that samples lead to, (R, S)."""

    def samples(self, stage: str, turn: int, size: int, *, by: str) -> SampleArrays:
        """As a replay table takes them, checked by the aggregator `by`'s verifier."""
        leads = self.leads[stage, turn, size].astype(np.int64)
        checks = (self.learned if by == "best_of_n" else self.passes.astype(float))[leads]
        return SampleArrays(self.states[stage, turn].astype(np.int64), leads, checks=checks)


def record(pool: Pool, items: Items, stream: int) -> Bank:
    """Draw all samples on some items. The same items in another stream have other samples."""
    return _Recorder(pool, items, stream).bank


def record_split(pool: Pool, link_first: bool, n: int, stream: int) -> Bank:
    """As `record`, on `n` items of the stream."""
    return record(pool, draw_items(n, stream, link_first), stream)


class _Recorder:
    """Grows the table of states, stage by stage."""

    def __init__(self, pool: Pool, items: Items, stream: int) -> None:
        self.pool, self.items, self.stream = pool, items, stream
        n = len(items)
        unset = np.full(n, np.nan)
        self.item = np.arange(n)
        self.bank = Bank(items.link_first, n, unset, unset, np.ones(n, bool), np.zeros(n, np.float32))
        if items.link_first:
            places = {size: self._linked(size, items.asked, items.shown, self.item, 0) for size in pool.links}
            reached = self._link(np.arange(n), self.item, np.zeros(n, np.int64), places, last=False)
            numbers = np.take_along_axis(
                items.numbers[self.item[reached]], self._place[reached][:, :, None], 2
            )[..., 0]
            self._add_and_repair(reached, numbers, self._code[reached], last=True)
        else:
            reached = self._add_and_repair(np.arange(n), items.numbers, np.zeros(n, np.int64), last=False)
            asked, of = asked_by(self._total[reached]), self.item[reached]
            places = {
                size: self._linked(size, asked, items.shown[of], of, self._total[reached])
                for size in pool.links
            }
            self._link(reached, of, self._total[reached], places, last=True)

    def _linked(
        self, size: int, asked: np.ndarray, shown: np.ndarray, item: np.ndarray, given: np.ndarray | int
    ) -> np.ndarray:
        """Places (R, S, 3) that samples of a link model name."""
        random = uniforms(key_of(self.stream, item, _LINK, size, given), np.arange(max(SAMPLES)), FACTS)
        return draw(cumulative(self.pool.links[size].logits(asked, shown)), random)

    def _link(
        self,
        states: np.ndarray,
        item: np.ndarray,
        given: np.ndarray,
        places: dict[int, np.ndarray],
        *,
        last: bool,
    ) -> np.ndarray:
        """Enter the link stage; the states that it can lead to."""
        items, first = self.items, len(self.item)
        code = {size: drawn.astype(np.int64) @ _PLACES for size, drawn in places.items()}
        keys = {size: item[:, None] * CANDIDATES**FACTS + drawn for size, drawn in code.items()}
        known, ids = _joined(keys.values())
        of, codes = known // CANDIDATES**FACTS, known % CANDIDATES**FACTS
        place = codes[:, None] // _PLACES % CANDIDATES
        right = (place == items.place[of]).all(1)
        self._grow(of, np.where(last, right, np.nan), right, np.ones(len(of), bool), np.zeros(len(of)))
        self._place = np.concatenate([np.zeros((first, FACTS), np.int64), place])
        self._code = np.concatenate([np.zeros(first, np.int64), codes])
        self._enter("link", 0, states, {size: first + i for size, i in zip(keys, ids, strict=True)})
        return self._reached("link", 0, SAMPLES, ("majority",))

    def _add_and_repair(
        self, states: np.ndarray, numbers: np.ndarray, given: np.ndarray, *, last: bool
    ) -> np.ndarray:
        """Enter the add stage and the rounds of repair; the states that they can lead to.

        What repair draws depends on the three numbers and the round, not on the total that failed.
        """
        items, adders, first = self.items, self.pool.adders, len(self.item)
        item, columns, row = self.item[states], digits(numbers), np.arange(len(states))[:, None]
        keys: dict[tuple[int, int], np.ndarray] = {}
        for size, adder in adders.items():
            cumulated = cumulative(adder.logits(columns))
            for turn in range(-1, ROUNDS):
                stage, most = (_ADD, max(SAMPLES)) if turn < 0 else (_REPAIR, max(REPAIRS))
                key = key_of(self.stream, item, stage, size, given, max(turn, 0))
                drawn = draw(cumulated, uniforms(key, np.arange(most), COLUMNS))
                keys[size, turn] = row * 10**COLUMNS + drawn.astype(np.int64) @ _POWERS
        known, ids = _joined(keys.values())
        node, total = known // 10**COLUMNS, known % 10**COLUMNS
        of = item[node]
        self._grow(
            of,
            np.where(last, total == items.total[of], np.nan),
            total == numbers[node].sum(1),
            total % 9 == items.check[of],
            self.pool.verifier.scores(columns[node], digits(total)),
        )
        self._total = np.concatenate([np.zeros(first, np.int64), total])
        node = np.concatenate([np.full(first, -1), node])
        leads = {key: first + i for key, i in zip(keys, ids, strict=True)}
        self._enter("add", 0, states, {size: leads[size, -1] for size in adders})
        reached = everything = self._reached("add", 0, SAMPLES, CHECKED)
        for turn in range(ROUNDS):
            failed = reached[~self.bank.passes[reached]]
            self._enter("repair", turn, failed, {size: leads[size, turn][node[failed]] for size in adders})
            reached = self._reached("repair", turn, REPAIRS, CHECKED)
            everything = np.union1d(everything, reached)
        return everything

    def _grow(
        self, item: np.ndarray, score: np.ndarray, own: np.ndarray, passes: np.ndarray, learned: np.ndarray
    ) -> None:
        bank = self.bank
        self.item = np.concatenate([self.item, item])
        bank.score = np.concatenate([bank.score, score])
        bank.own = np.concatenate([bank.own, own])
        bank.passes = np.concatenate([bank.passes, passes])
        bank.learned = np.concatenate([bank.learned, learned.astype(np.float32)])

    def _enter(self, stage: str, turn: int, states: np.ndarray, leads: dict[int, np.ndarray]) -> None:
        self.bank.states[stage, turn] = states.astype(np.int32)
        for size, led in leads.items():
            self.bank.leads[stage, turn, size] = led.astype(np.int32)

    def _reached(
        self, stage: str, turn: int, counts: Iterable[int], aggregators: Iterable[str]
    ) -> np.ndarray:
        """All states that some model, number of samples and aggregator leads to, rising."""
        states = self.bank.states[stage, turn].astype(np.int64)
        found = [np.zeros(0, np.int64)]
        for size in self.pool.links if stage == "link" else self.pool.adders:
            for by in aggregators:
                arrays = self.bank.samples(stage, turn, size, by=by)
                for samples in counts:
                    choice = StageChoice(stage, str(size), samples, aggregator=by)
                    found.append(np.unique(aggregated(arrays, choice, states).leads))
        return np.unique(np.concatenate(found))


def _joined(keys: Iterable[np.ndarray]) -> tuple[np.ndarray, list[np.ndarray]]:
    """All keys, rising, and for each array the places of its keys among them."""
    keys = list(keys)
    known = np.unique(np.concatenate([np.unique(each) for each in keys]))
    return known, [np.searchsorted(known, each) for each in keys]
