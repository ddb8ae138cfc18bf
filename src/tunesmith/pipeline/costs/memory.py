"""Bytes that are read from memory: what bounds decoding at small batches.

All weights once for the prompt and once for every decoded token; with `layers` and `width` also the keys and
values of every token before it: 2 L D bytes of a number each, D being `kv_width` where heads share keys.
"""

from __future__ import annotations

from tunesmith.pipeline.costs.model import CostModel
from tunesmith.pipeline.rates import Rates
from tunesmith.pipeline.stages import ModelSettings, StageSettings


def rates(stage: StageSettings, model: ModelSettings) -> Rates:
    """A call decoded by itself, without a batch."""
    weights = (model.parameters or 0) * model.bytes
    cache = 2.0 * (model.layers or 0) * (model.kv_width or model.width or 0) * model.bytes
    return Rates(encode=weights, completion=weights, context=cache)


MODEL = CostModel("bytes", ("tokens", "parameters"), shared=True, fusion=True, rates=rates)
