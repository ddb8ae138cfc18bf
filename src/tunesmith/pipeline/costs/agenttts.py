"""Units of AgentTTS (Wang et al., 2025, arXiv 2508.00890, equation 4): samples of 3B on 128/64 tokens.

    B = (alpha * (P + S * N) - 128) / 64,   alpha = parameters / 3e9

The fusion call is not charged, as published; `charge_fusion: true` corrects that. The constant makes costs of
a small model 0 or less on short prompts, and a sum over stages less than the work: `flops` has neither fault.
"""

from __future__ import annotations

from tunesmith.pipeline.costs.model import CostModel
from tunesmith.pipeline.rates import Rates
from tunesmith.pipeline.stages import ModelSettings, StageSettings

SMALLEST, PROMPT, COMPLETION = 3e9, 128, 64
"""The model and the lengths of one unit."""


def rates(stage: StageSettings, model: ModelSettings) -> Rates:
    """Linear in the tokens."""
    token = (model.parameters or 0) / SMALLEST / COMPLETION
    return Rates(once=-PROMPT / COMPLETION, prompt=token, cached=token, completion=token)


MODEL = CostModel("AgentTTS units", ("tokens", "parameters"), shared=True, fusion=False, rates=rates)
