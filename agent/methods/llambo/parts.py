"""LLAMBO's parts by name, for use alone or in other combinations; `docs/llambo.md` shows each."""

from tunesmith.agent.methods.gp.acquisition import (
    acquire,
    expected_improvement,
    log_expected_improvement,
    upper_confidence_bound,
)
from tunesmith.agent.methods.llambo.candidate_sampler import CandidateSampler
from tunesmith.agent.methods.llambo.composition import compose
from tunesmith.agent.methods.llambo.context import TaskWords
from tunesmith.agent.methods.llambo.discriminative import DiscriminativeSurrogate
from tunesmith.agent.methods.llambo.generative import GenerativeSurrogate
from tunesmith.agent.methods.llambo.judges import judge_of
from tunesmith.agent.methods.llambo.numeric_candidates import NumericCandidates
from tunesmith.agent.methods.llambo.settings import PRESETS, LlamboSettings
from tunesmith.agent.methods.llambo.strategy import LlamboStrategy
from tunesmith.agent.methods.llambo.zero_shot import WarmStarter
from tunesmith.agent.models import open_model

__all__ = [
    "PRESETS",
    "CandidateSampler",
    "DiscriminativeSurrogate",
    "GenerativeSurrogate",
    "LlamboSettings",
    "LlamboStrategy",
    "NumericCandidates",
    "TaskWords",
    "WarmStarter",
    "acquire",
    "compose",
    "expected_improvement",
    "judge_of",
    "log_expected_improvement",
    "open_model",
    "upper_confidence_bound",
]
