"""How many configurations a second a `ReplayTable` evaluates: three stages, 200 items, up to 32 samples.

    python benchmarks/replay_speed.py

By `evaluate`, one by one in random order, from a table that has worked out nothing yet and from one that has;
and all of them by `exhaustive`. Samples are made up: what they say costs no time.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from tunesmith.pipeline.allocation import StageChoice
from tunesmith.tools.pipelines.table import ReplayTable, Setting
from tunesmith.tools.pipelines.votes import SampleArrays

COUNTS = (1, 2, 4, 8, 16, 32)
OUTPUTS = 6
"""Different outputs of a stage for an item."""
MODELS = {"a": 0.2, "b": 0.4, "c": 0.6, "d": 0.8}
"""Chance of the right output, the first."""


def made_up(items: int, seed: int) -> ReplayTable:
    """A table whose states are, after each of three stages, an item with one of `OUTPUTS` outputs."""
    rng = np.random.default_rng(seed)
    after_stages = items + np.arange(3 * items * OUTPUTS).reshape(3, -1)
    blocks = [np.arange(items), *after_stages]
    samples = {}
    for stage, (name, before, after) in enumerate(zip("123", blocks[:-1], blocks[1:], strict=True)):
        for_models = {}
        for model, chance in MODELS.items():
            output = np.where(
                rng.random((len(before), max(COUNTS))) < chance,
                0,
                rng.integers(1, OUTPUTS, (len(before), max(COUNTS))),
            )
            item = np.arange(len(before)) // (1 if stage == 0 else OUTPUTS)
            leads = after[0] + item[:, None] * OUTPUTS + output
            for_models[Setting(model)] = SampleArrays(before, leads, checks=rng.random(leads.shape))
        samples[name, 0] = for_models
    states = int(blocks[-1][-1]) + 1
    score = np.full(states, np.nan)
    for block in blocks[2:]:  # the gate of the third stage leaves states as they are
        score[block] = (block - block[0]) % OUTPUTS == 0
    return ReplayTable.from_arrays(
        items=[f"q{i}" for i in range(items)],
        stages=tuple("123"),
        score=score,
        samples=samples,
        cost=lambda choice, drawn, fused: float(drawn),
        gates={"3": rng.random(states) < 0.5},
    )


def choices() -> list[list[StageChoice]]:
    """4 models, 6 numbers of samples and 3 aggregators in each of three stages."""
    return [
        [
            StageChoice(stage, model, samples=count, aggregator=aggregator)
            for model in MODELS
            for count in COUNTS
            for aggregator in ("majority", "best_of_n", "check_then_vote")
        ]
        for stage in "123"
    ]


def main() -> None:
    """Print configurations a second."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--items", type=int, default=200)
    parser.add_argument("--configurations", type=int, default=20_000)
    options = parser.parse_args()
    table, all_of_them = made_up(options.items, seed=0), choices()
    rng = np.random.default_rng(1)
    drawn = [
        tuple(of_stage[i] for of_stage, i in zip(all_of_them, rng.integers(0, 72, 3), strict=True))
        for _ in range(options.configurations)
    ]
    for what in ("nothing worked out before", "all worked out before"):
        begun = time.perf_counter()
        for one in drawn:
            table.evaluate(one)
        told(what, len(drawn), time.perf_counter() - begun)
    begun = time.perf_counter()
    whole = made_up(options.items, seed=0).exhaustive(all_of_them)
    told("exhaustive, nothing worked out before", whole.scores.size, time.perf_counter() - begun)
    alone = table.evaluate(drawn[0])
    place = tuple(of_stage.index(c) for of_stage, c in zip(all_of_them, drawn[0], strict=True))
    assert (whole.scores[place], whole.costs[place]) == (alone.score, alone.cost)


def told(what: str, count: int, seconds: float) -> None:
    """One line of the result."""
    print(f"{what:<40} {count:>8,} configurations in {seconds:6.2f} s: {count / seconds:>8,.0f} a second")


if __name__ == "__main__":
    main()
