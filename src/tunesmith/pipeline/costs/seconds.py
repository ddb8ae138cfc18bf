"""Wall time of the calls, added up: what they take one after another, whatever runs at the same time."""

from __future__ import annotations

from tunesmith.pipeline.costs.model import CostModel
from tunesmith.pipeline.rates import Rates
from tunesmith.pipeline.stages import ModelSettings, StageSettings


def rates(stage: StageSettings, model: ModelSettings) -> Rates:
    """A call's own seconds."""
    return Rates(second=1.0)


MODEL = CostModel("seconds", ("seconds",), shared=True, fusion=True, rates=rates)
