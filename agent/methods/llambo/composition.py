"""The usual ways to put LLAMBO's parts together.

fallback = GaussianProcessStrategy(space, seed)
strategy = compose(model, space, seed, words, PRESETS["llambo-paper"], fallback=fallback)
strategy.propose(history, 1)
"""

from __future__ import annotations

from typing import Literal

from tunesmith.agent.methods.gp.strategy import GaussianProcessStrategy
from tunesmith.agent.methods.llambo.candidate_sampler import CandidateSampler
from tunesmith.agent.methods.llambo.context import TaskWords
from tunesmith.agent.methods.llambo.discriminative import DiscriminativeSurrogate
from tunesmith.agent.methods.llambo.generative import GenerativeSurrogate
from tunesmith.agent.methods.llambo.numeric_candidates import NumericCandidates
from tunesmith.agent.methods.llambo.part import silent
from tunesmith.agent.methods.llambo.settings import LlamboSettings
from tunesmith.agent.methods.llambo.strategy import LlamboStrategy, Source
from tunesmith.agent.methods.llambo.zero_shot import WarmStarter
from tunesmith.agent.models import LanguageModel
from tunesmith.data_card import DataCard
from tunesmith.interfaces import Emit
from tunesmith.space import Space

Sampling = Literal["llambo", "numeric"]
Judging = Literal["discriminative", "generative", "gp"]


def compose(
    model: LanguageModel,
    space: Space,
    seed: int,
    words: TaskWords | str,
    protocol: LlamboSettings,
    *,
    fallback: GaussianProcessStrategy,
    data: DataCard | None = None,
    emit: Emit = silent,
    sampler: Sampling = "llambo",
    surrogate: Judging | None = None,
    metric: str | None = None,
) -> LlamboStrategy:
    """The strategy that a protocol describes.

    Args:
        fallback: Takes over where the model fails; also the numeric sampler's and judge's Gaussian process.
        sampler: Whose candidates: the model's or the numeric search's.
        surrogate: Who judges; None: as the protocol says.
        metric: See `LlamboStrategy`.
    """
    kind = protocol.surrogate if surrogate is None else surrogate
    judge: object = fallback
    if kind == "discriminative":
        judge = DiscriminativeSurrogate(model, space, words, protocol, data=data, seed=seed, emit=emit)
    elif kind == "generative":
        judge = GenerativeSurrogate(model, space, words, protocol, data=data, seed=seed, emit=emit)
    source: Source = NumericCandidates(fallback)
    if sampler == "llambo":
        source = CandidateSampler(model, space, words, protocol, data, emit, seed=seed)
    warmed = protocol.initial_design == "warm_start"
    return LlamboStrategy(
        space,
        seed,
        warm=WarmStarter(model, space, words, protocol, data, emit) if warmed else None,
        sampler=source,
        surrogate=judge,
        acquisition=protocol.acquisition,
        kappa=protocol.ucb_kappa,
        fallback=fallback,
        initial=protocol.initial,
        candidates=protocol.candidates,
        emit=emit,
        model=model,
        metric=metric,
    )
