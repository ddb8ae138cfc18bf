"""From costs back to samples: what a stage may spend, and how many samples that pays for.

Exact: the answer is looked for with the forward function, which never falls as samples rise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tunesmith.pipeline.allocation import StageChoice
from tunesmith.pipeline.costs.known import KnownCosts
from tunesmith.pipeline.settings import PipelineSettings


def most_samples(options: PipelineSettings, choice: StageChoice, cost: float) -> int | None:
    """The largest number of samples that a stage offers and a cost for one item pays for.

    Args:
        choice: The stage, its model, aggregator and rounds; its own samples do not matter.
        cost: In units of the cost model.
    Returns:
        None where not even the least number is paid for.
    """
    offered = options.stages[choice.stage].offered("samples")
    counts = (
        range(int(offered.low), int(offered.high) + 1) if not isinstance(offered, tuple) else sorted(offered)
    )
    low, high = 0, len(counts)  # counts[:low] are paid for, counts[high:] are not
    while low < high:
        middle = (low + high) // 2
        if options.costs.stage(replace(choice, samples=counts[middle])) <= cost:
            low = middle + 1
        else:
            high = middle
    return counts[low - 1] if low else None


def left_for(options: PipelineSettings, stage: str, configuration: Mapping[str, Any]) -> float:
    """What a stage may spend on one item while the others have what a configuration gives them.

    Returns:
        In units of the cost model; infinite without an item budget, and below 0 where the others exceed it.
    """
    if options.item_budget is None:
        return float("inf")
    costs: KnownCosts = options.costs
    others = (cost for name, cost in costs.by_stage(configuration).items() if name != stage)
    return options.item_budget - sum(others)
