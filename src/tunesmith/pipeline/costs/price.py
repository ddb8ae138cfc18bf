"""Money, in dollars: prompt, cached and completion tokens at their prices, thinking as completion, a fee.

Most services charge the prompt for each call, so that is the default; `prompt_sharing: shared` is for one
request with several answers, and for a server of one's own.
"""

from __future__ import annotations

from tunesmith.pipeline.costs.model import CostModel
from tunesmith.pipeline.rates import Rates
from tunesmith.pipeline.stages import ModelSettings, StageSettings

PER = 1e6
"""Tokens for which prices are stated."""


def rates(stage: StageSettings, model: ModelSettings) -> Rates:
    """Linear in the tokens."""
    price = model.price
    if price is None:
        return Rates()
    cached = price.prompt if price.cached is None else price.cached
    return Rates(
        call=price.call, prompt=price.prompt / PER, cached=cached / PER, completion=price.completion / PER
    )


MODEL = CostModel("dollars", ("tokens", "price"), shared=False, fusion=True, rates=rates)
