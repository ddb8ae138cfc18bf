"""Options of a stage as numbers that insights and kernels speak of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tunesmith.history import Array
from tunesmith.pipeline.allocation import StageChoice
from tunesmith.pipeline.stages import Range, StageSettings


@dataclass(frozen=True)
class Features:
    """Of n options of one stage.

    Attributes:
        model: (n,) place of the model; -1 where the stage is left out.
        size: (n,) in [0, 1], logarithmic, 1 the largest; 0 where nothing orders the models.
        level: (n,) logarithm of samples, 1 the most.
        effort: (n,) share of the stage's effect: 0 where it is left out, the more the more rounds, below 1.
        other: (n, d) further fields; two options differ by at least 1 in one where a category differs.
        ordered: Whether the models' sizes are known and differ.
        gated: Whether the stage can be left out or run in several rounds.
        most: Samples at level 1.
    """

    model: NDArray[np.intp]
    size: Array
    level: Array
    effort: Array
    other: Array
    ordered: bool
    gated: bool
    most: int

    def take(self, index: NDArray[np.intp]) -> Features:
        return Features(
            self.model[index], self.size[index], self.level[index], self.effort[index], self.other[index],
            self.ordered, self.gated, self.most,
        )  # fmt: skip


def sizes(stage: StageSettings) -> dict[str, float] | None:
    """Of each model in [0, 1], on a logarithmic scale, by parameters, else price; None where not known."""
    by_parameters = {name: model.parameters for name, model in stage.models.items()}
    by_price = {
        name: model.price and model.price.prompt + model.price.completion
        for name, model in stage.models.items()
    }
    for known in (by_parameters, by_price):
        if all(value for value in known.values()) and len(set(known.values())) > 1:
            logs = {name: math.log(value) for name, value in known.items() if value}
            low, high = min(logs.values()), max(logs.values())
            return {name: (value - low) / (high - low) for name, value in logs.items()}
    return None


def features(stage: StageSettings, choices: Sequence[StageChoice]) -> Features:
    """Of options of a stage."""
    models = list(stage.models)
    known = sizes(stage)
    most = max(2, _largest(stage.samples))
    rounds = _largest(stage.rounds)
    categories = {
        field: list(dict.fromkeys(getattr(choice, field) for choice in choices))
        for field in ("prompt", "aggregator", "agree")
    }
    other = [
        [
            float(categories[field].index(getattr(choice, field)) == place)
            for field in categories
            for place in range(len(categories[field]))
        ]
        + [2.0 * (choice.temperature or 0.0)]
        for choice in choices
    ]
    gated = stage.when is not None or rounds > 1
    return Features(
        model=np.array([models.index(c.model) if c.rounds else -1 for c in choices]),
        size=np.array([known[c.model] if known and c.rounds else 0.0 for c in choices]),
        level=np.array([math.log(max(c.samples, 1)) / math.log(most) for c in choices]),
        effort=np.array([(1 - 2.0**-c.rounds) / (1 - 2.0 ** -max(rounds, 1)) for c in choices]),
        other=np.array(other, dtype=float).reshape(len(choices), -1),
        ordered=known is not None,
        gated=gated,
        most=most,
    )


def _largest(offered: tuple[int, ...] | Range) -> int:
    return offered.high if isinstance(offered, Range) else max(offered)
