"""LLAMBO's parts by name, for use alone or in other combinations; `docs/llambo.md` shows each."""

from tunesmith.agent.strategies.acquisition import (
    acquire,
    expected_improvement,
    log_expected_improvement,
    upper_confidence_bound,
)
from tunesmith.agent.strategies.llambo.candidate_sampler import CandidateSampler
from tunesmith.agent.strategies.llambo.composition import compose
from tunesmith.agent.strategies.llambo.context import TaskWords
from tunesmith.agent.strategies.llambo.discriminative import DiscriminativeSurrogate
from tunesmith.agent.strategies.llambo.function_model import FunctionModel
from tunesmith.agent.strategies.llambo.generative import GenerativeSurrogate
from tunesmith.agent.strategies.llambo.judges import judge_of
from tunesmith.agent.strategies.llambo.numeric_candidates import NumericCandidates
from tunesmith.agent.strategies.llambo.protocol import PRESETS, LlamboProtocol
from tunesmith.agent.strategies.llambo.strategy import LlamboStrategy
from tunesmith.agent.strategies.llambo.zero_shot import WarmStarter

__all__ = [
    "PRESETS",
    "CandidateSampler",
    "DiscriminativeSurrogate",
    "FunctionModel",
    "GenerativeSurrogate",
    "LlamboProtocol",
    "LlamboStrategy",
    "NumericCandidates",
    "TaskWords",
    "WarmStarter",
    "acquire",
    "compose",
    "expected_improvement",
    "judge_of",
    "log_expected_improvement",
    "upper_confidence_bound",
]
