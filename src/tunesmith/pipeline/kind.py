"""The kind of problem `pipeline`: stages of model calls, and which model each calls how often."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from tunesmith.pipeline.costs import item_cost
from tunesmith.pipeline.settings import PipelineSettings
from tunesmith.problem import ProblemKind

QUALITY, COST = "quality", "cost"
"""Metrics of every pipeline: mean score of the items, and the measured cost for one item."""


class Pipeline(ProblemKind):
    settings = PipelineSettings

    def compile(self, options: PipelineSettings, stated: Mapping[str, Any]) -> Mapping[str, Any]:
        keys: dict[str, Any] = {**stated, "space": options.space, "objective": f"{_worker_file()}:evaluate"}
        if options.goal == "front":
            keys["metrics"] = {QUALITY: "maximize", COST: "minimize"}
        elif options.goal == "cheapest":
            keys |= {"metric": COST, "direction": "minimize"}
            if options.quality is not None:
                keys["limits"] = {QUALITY: f">= {options.quality.at_least}"}
        else:
            keys |= {"metric": QUALITY, "direction": "maximize"}
        return keys

    def cost(self, options: PipelineSettings, configuration: Mapping[str, Any]) -> float | None:
        return item_cost(options, configuration)

    def feasible(self, options: PipelineSettings, configuration: Mapping[str, Any]) -> bool:
        return options.item_budget is None or item_cost(options, configuration) <= options.item_budget

    def given(self, options: PipelineSettings) -> Mapping[str, Any]:
        return {"pipeline": options.model_dump(mode="json"), "fixed": options.fixed}


def _worker_file() -> str:
    found = find_spec("tunesmith.tools.pipelines.objective")
    assert found is not None and found.origin is not None
    return found.origin
