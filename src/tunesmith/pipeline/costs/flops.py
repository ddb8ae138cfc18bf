"""Floating-point operations: 2 M a token, and with `layers` and `width` the attention to what went before.

    2 M (P + S N),   and for each token at place t:  4 L D t

M parameters, L layers, D width. Cached prompt tokens are not computed again, so they cost no weights' work.
"""

from __future__ import annotations

from tunesmith.pipeline.costs.model import CostModel
from tunesmith.pipeline.rates import Rates
from tunesmith.pipeline.stages import ModelSettings, StageSettings


def rates(stage: StageSettings, model: ModelSettings) -> Rates:
    """Two operations a weight and token."""
    token = 2 * (model.parameters or 0)
    attention = 4.0 * (model.layers or 0) * (model.width or 0)
    return Rates(prompt=token, completion=token, prefill=attention, context=attention)


MODEL = CostModel("FLOPs", ("tokens", "parameters"), shared=True, fusion=True, rates=rates)
