"""What a stage costs for one item, by the cost model that a task names; known before anything is run.

Each cost model is a file here: which coefficients (`rates.py`) it gives a model in a stage. Costs of stages
add up to the cost of an allocation for one item. Early stopping (`agree`) shows only in what is measured:
what is known is the cost of all samples.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from tunesmith.pipeline.allocation import StageChoice
from tunesmith.pipeline.costs.known import KnownCosts


class HasCosts(Protocol):
    """`PipelineSettings`."""

    @property
    def costs(self) -> KnownCosts: ...


def stage_costs(options: HasCosts, configuration: Mapping[str, Any]) -> dict[str, float]:
    """Cost of each stage for one item, in units of the cost model, by the stage's name."""
    return options.costs.by_stage(configuration)


def item_cost(options: HasCosts, configuration: Mapping[str, Any]) -> float:
    """Cost of an allocation for one item; finite, above 0."""
    return options.costs.item(configuration)


def stage_cost(options: HasCosts, choice: StageChoice) -> float:
    """Cost of one stage for one item: all its samples, its aggregation, in all expected rounds."""
    return options.costs.stage(choice)
