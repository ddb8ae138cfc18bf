"""What the models of Link-and-Add do: how quality scales with samples, and which allocation is best.

    python -m tunesmith.bench.pipelines.link_and_add.measured

Trains the eight models of `EIGHT` and records 200 items in each order: 40 s on one core.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from tunesmith.bench.pipelines.link_and_add import kept as stored
from tunesmith.bench.pipelines.link_and_add.bank import Bank, record_split
from tunesmith.bench.pipelines.link_and_add.pool import Pool, train_pool
from tunesmith.bench.pipelines.link_and_add.replaying import replay_table, settings_of
from tunesmith.pipeline.allocation import StageChoice
from tunesmith.pipeline.costs import stage_cost
from tunesmith.pipeline.settings import PipelineSettings
from tunesmith.tools.pipelines.table import Exhaustive, ReplayTable, all_choices
from tunesmith.tools.pipelines.votes import aggregated

EIGHT = {"link": (300, 800, 2000, 4500), "add": (5, 8, 14, 32)}
BUDGETS = (1.2e6, 2.4e6, 4.8e6, 9.6e6)
"""FLOPs for one item."""
SIZES = {stage: {str(size): size for size in sizes} for stage, sizes in EIGHT.items()}
SIZES["repair"] = SIZES["add"]
Parameters = dict[str, dict[int, int]]


def main(repeats: int = 5) -> None:
    """Print all of it.

    Args:
        repeats: Sets of items and samples by which the spread of the optimum is measured.
    """
    begun = time.perf_counter()
    pool = train_pool(stored.SEED, *EIGHT.values())
    print(f"8 models and a verifier trained in {time.perf_counter() - begun:.0f} s")
    begun = time.perf_counter()
    banks = {order: record_split(pool, order, 200, stored.stream_of("search")) for order in (True, False)}
    print(f"banks of both orders, 200 items each, recorded in {time.perf_counter() - begun:.1f} s\n")
    parameters = pool.parameters
    for lines in (
        scaling(banks[True], parameters),
        verifier(banks[True], parameters),
        interaction(banks[True], parameters),
        optima(pool, repeats),
    ):
        print("\n".join(lines), end="\n\n")


def scaling(bank: Bank, parameters: Parameters) -> Iterator[str]:
    """Right answers of each stage by model and samples, by votes; of add, given the right numbers."""
    table = table_of(bank, parameters, "majority")
    samples = (1, 3, 8, 24, 64)
    yield "link: all three places right, by slots and samples (majority)"
    yield from rows(
        samples,
        (
            (
                f"{slots:5} slots, {parameters['link'][slots]:6,} weights",
                [mean(table, link(slots, s), add(32, 1), "link") for s in samples],
            )
            for slots in EIGHT["link"]
        ),
    )
    yield "\nadd: the total of what it was given, by hidden units and samples (link 4500 x 8)"
    for by in ("majority", "check_then_vote"):
        table = table_of(bank, parameters, by)
        yield f"  {by}"
        yield from rows(
            samples,
            (
                (
                    f"{hidden:5} units, {parameters['add'][hidden]:6,} weights",
                    [mean(table, link(4500, 8), add(hidden, s, by), "add") for s in samples],
                )
                for hidden in EIGHT["add"]
            ),
        )


def verifier(bank: Bank, parameters: Parameters) -> Iterator[str]:
    """Over-optimisation of the learned verifier, with coverage: whether any sample is right."""
    table, samples = table_of(bank, parameters, "best_of_n"), (1, 2, 4, 8, 16, 32, 64)
    yield "add, best of n by the learned verifier (link 4500 x 8); below each, share with a right one among n"
    items = np.arange(bank.n)
    linked = aggregated(bank.samples("link", 0, 4500, by="majority"), link(4500, 8), items).leads
    reached = np.searchsorted(bank.states["add", 0], linked)
    for hidden in EIGHT["add"]:
        own = bank.own[bank.leads["add", 0, hidden][reached]]
        found = [mean(table, link(4500, 8), add(hidden, s, "best_of_n"), "add") for s in samples]
        covered = [own[:, :s].any(1).mean() for s in samples]
        yield from rows(samples, [(f"{hidden:5} units", found), ("    coverage", covered)], head=hidden == 5)


def interaction(bank: Bank, parameters: Parameters) -> Iterator[str]:
    """Score of the whole by the link stage and the samples of the 14-unit adder."""
    samples = (1, 3, 8, 24, 64)
    for by in ("majority", "check_then_vote"):
        table = table_of(bank, parameters, by)
        yield f"whole pipeline, 14 units, {by}: by the link stage (8 samples) and samples of add"
        yield from rows(
            samples,
            (
                (
                    f"{slots:5} slots",
                    [table.evaluate((link(slots, 8), add(14, s, by))).score for s in samples],
                )
                for slots in EIGHT["link"]
            ),
        )


def optima(pool: Pool, repeats: int) -> Iterator[str]:
    """The best allocation of each budget and aggregator, and how much it varies from one bank to another."""
    for order in (True, False):
        banks = [
            record_split(pool, order, 200, stored.stream_of("search", repeat)) for repeat in range(repeats)
        ]
        first = "link, then add" if order else "add, then link"
        yield f"{first}: exhaustive optimum; SD of its score over {repeats} banks; configurations within .01"
        for by in ("majority", "check_then_vote"):
            settings = settings_of(order, SIZES, pool.parameters, by, False)
            costs, every = known_costs(settings), [everything(bank, settings) for bank in banks]
            for budget in BUDGETS:
                able = costs <= budget
                best = [found.scores[able].max() for found in every]
                near = (every[0].scores >= best[0] - 0.01) & able
                chosen = every[0].best(budget)[0]
                says = " -> ".join(f"{choice.model} x {choice.samples}" for choice in chosen)
                yield (
                    f"  {by:16} {budget / 1e6:4.1f} MFLOPs  {says:22} {best[0]:.3f}"
                    f"  SD {np.std(best, ddof=1):.3f}  {near.sum():4} of {able.sum()}"
                )


def table_of(bank: Bank, parameters: Parameters, by: str) -> ReplayTable:
    """The two stages with the eight models."""
    return replay_table(bank, settings_of(bank.link_first, SIZES, parameters, by, False), SIZES)


def everything(bank: Bank, settings: PipelineSettings) -> Exhaustive:
    """All configurations on a bank's items."""
    return replay_table(bank, settings, SIZES).exhaustive()


def known_costs(settings: PipelineSettings) -> np.ndarray:
    """Of all configurations, as of `everything`."""
    costs: np.ndarray = np.zeros(())
    for of_stage in all_choices(settings):
        costs = costs[..., None] + np.array([stage_cost(settings, choice) for choice in of_stage])
    return costs


def link(slots: int, samples: int) -> StageChoice:
    return StageChoice("link", str(slots), samples)


def add(hidden: int, samples: int, by: str = "majority") -> StageChoice:
    return StageChoice("add", str(hidden), samples, aggregator=by)


def mean(table: ReplayTable, first: StageChoice, second: StageChoice, stage: str) -> float:
    """Mean of a stage's own score."""
    return float(np.mean(table.evaluate((first, second)).stage_scores[stage]))


def rows(
    samples: Sequence[int], values: Iterable[tuple[str, Sequence[float]]], *, head: bool = True
) -> Iterator[str]:
    """A table's lines."""
    if head:
        yield f"{'samples':>30}" + "".join(f"{s:6}" for s in samples)
    for name, of in values:
        yield f"{name:>30}" + "".join(f"{value:6.2f}" for value in of)


if __name__ == "__main__":
    main()
