"""What a stage costs for one item, by the cost model that a task names; known before anything is run.

Each cost model is a file here. Costs of stages add up to the cost of an allocation for one item.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunesmith.pipeline.allocation import StageChoice
from tunesmith.pipeline.settings import PipelineSettings


def stage_costs(options: PipelineSettings, configuration: Mapping[str, Any]) -> dict[str, float]:
    """Cost of each stage for one item, in units of the cost model, by the stage's name."""
    return {choice.stage: stage_cost(options, choice) for choice in options.allocation(configuration)}


def item_cost(options: PipelineSettings, configuration: Mapping[str, Any]) -> float:
    """Cost of an allocation for one item; finite, above 0."""
    return sum(stage_costs(options, configuration).values())


def stage_cost(options: PipelineSettings, choice: StageChoice) -> float:
    """Cost of one stage for one item: all its samples, its aggregation, in all expected rounds."""
    stage = options.stages[choice.stage]
    model = stage.models[choice.model]
    weights = model.parameters or 1.0
    prompt, completion = (
        (1.0, 1.0) if stage.tokens is None else (stage.tokens.prompt, stage.tokens.completion)
    )
    once = 2 * weights * (prompt + choice.samples * completion)
    rounds = sum(stage.share**k for k in range(1, choice.rounds + 1)) if stage.when else choice.rounds
    return once * rounds
