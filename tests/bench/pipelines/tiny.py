"""A table of two stages that is worked out by hand: 40 items, 3 models and 4 sample counts a stage."""

from __future__ import annotations

from itertools import product
from types import SimpleNamespace
from typing import Any

import numpy as np

from tunesmith.bench.pipelines.landscape import Landscape, pipeline_task
from tunesmith.pipeline.costs import stage_cost
from tunesmith.pipeline.settings import PipelineSettings

ITEMS = 40
SIZES = {"small": 1.0, "middle": 4.0, "large": 16.0}
STAGE = {"call": "stages.py:answer", "models": {m: {"parameters": s} for m, s in SIZES.items()}}
STAGE |= {"samples": (1, 2, 4, 8), "tokens": {"prompt": 1, "completion": 1}}
SETTINGS: dict[str, Any] = {
    "stages": {"find": STAGE, "answer": STAGE},
    "items": "stages.py:items",
    "score": "stages.py:score",
    "item_budget": 100.0,
}
LEVEL = {"small": 0.3, "middle": 0.5, "large": 0.6}


class TinyTable:
    """Item i is right where (i + 0.5) / ITEMS is below the product of what the stages reach."""

    def looked(self, choices: tuple[Any, ...]) -> Any:
        reach = float(np.prod([min(1.0, LEVEL[c.model] + 0.1 * np.log2(c.samples)) for c in choices]))
        scores = ((np.arange(ITEMS) * 7 % ITEMS + 0.5) / ITEMS < reach).astype(float)
        settings = PipelineSettings.model_validate(SETTINGS)
        costs = {c.stage: np.full(ITEMS, stage_cost(settings, c)) for c in choices}
        calls = {c.stage: np.full(ITEMS, float(c.samples)) for c in choices}
        return SimpleNamespace(
            scores=scores, costs=sum(costs.values()), stage_scores={}, stage_costs=costs, stage_calls=calls
        )

    def means(self, choices: Any) -> Any:
        every = [self.looked(chosen).scores.mean() for chosen in product(*choices)]
        return np.array(every).reshape([len(of) for of in choices])


def landscape(*, noisy: bool = False) -> Landscape:
    """All items for the search, or every fourth for it and the others for its judgement."""
    places = np.arange(ITEMS)
    task = pipeline_task(SETTINGS, 3)
    if not noisy:
        return Landscape(task, TinyTable(), places)
    return Landscape(task, TinyTable(), places[::4], np.setdiff1d(places, places[::4]))
