"""What a cost model says; each of the others here is one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

from tunesmith.pipeline.rates import Rates
from tunesmith.pipeline.stages import ModelSettings, StageSettings

Need = Literal["tokens", "parameters", "price", "seconds"]


class CostModel(NamedTuple):
    """How a stage's calls of a model become costs."""

    unit: str
    """What costs count, in the plural."""
    needs: tuple[Need, ...]
    """What it goes by: `tokens` of a stage, the others of a model."""
    shared: bool
    """Whether samples of a stage share their prompt, where the task does not say."""
    fusion: bool
    """Whether the fusion call is charged, where the task does not say."""
    rates: Callable[[StageSettings, ModelSettings], Rates]
    """The coefficients of a model in a stage; `Basis.rates` fills in averages and switches."""
