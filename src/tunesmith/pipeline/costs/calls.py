"""Number of calls: for a pipeline of which nothing else is known."""

from __future__ import annotations

from tunesmith.pipeline.costs.model import CostModel
from tunesmith.pipeline.rates import Rates
from tunesmith.pipeline.stages import ModelSettings, StageSettings


def rates(stage: StageSettings, model: ModelSettings) -> Rates:
    """One a call, whatever the model."""
    return Rates(call=1.0)


MODEL = CostModel("calls", (), shared=True, fusion=True, rates=rates)
