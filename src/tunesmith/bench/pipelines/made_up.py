"""Tasks over the made-up landscapes of `synthetic.py`, each with one insight that is false.

The method was developed on the same generator. The seeds here are of the bench alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np

from tunesmith.bench.pipelines import synthetic
from tunesmith.bench.pipelines.landscape import Choices, Landscape, Looked, pipeline_task
from tunesmith.history import Array
from tunesmith.pipeline.allocation import StageChoice
from tunesmith.pipeline.costs import stage_cost
from tunesmith.seeds import derive_seed

ITEMS = 200


@dataclass(frozen=True)
class Row:
    """One allocation; see `landscape.Looked`."""

    scores: Array
    costs: Array
    stage_scores: dict[str, Array]
    stage_costs: dict[str, Array]
    stage_calls: dict[str, Array]


@dataclass(frozen=True)
class SyntheticTable:
    """A made-up landscape as a table."""

    drawn: synthetic.Landscape

    def looked(self, choices: tuple[StageChoice, ...]) -> Looked:
        measured = self.drawn.run(choices)
        n = len(measured.scores)
        costs = {choice.stage: stage_cost(self.drawn.settings, choice) for choice in choices}
        return Row(
            scores=measured.scores,
            costs=np.full(n, measured.cost),
            stage_scores={stage: np.full(n, score) for stage, score in measured.stages.items()},
            stage_costs={stage: np.full(n, cost) for stage, cost in costs.items()},
            stage_calls={choice.stage: np.full(n, float(choice.samples)) for choice in choices},
        )

    def means(self, choices: Choices) -> Array:
        values = [self.drawn.run(chosen).scores.mean() for chosen in product(*choices)]
        return np.array(values).reshape([len(of) for of in choices])


def maker(family: str) -> Callable[[int], Landscape]:
    """Draws the landscape of a family for a seed of the bench."""

    def make(seed: int) -> Landscape:
        drawn = synthetic.Landscape(
            family.replace("-", "_"), derive_seed(seed, "bench pipeline", family), items=ITEMS, stages=2
        )
        settings = {key: value for key, value in drawn.problem.items() if key != "name"}
        return Landscape(pipeline_task(settings, seed), SyntheticTable(drawn), np.arange(ITEMS))

    return make
