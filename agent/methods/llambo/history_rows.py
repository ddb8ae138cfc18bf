"""Observed trials as the rows of the sampler's prompt: how each reads, and in what order they stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tunesmith.agent.methods.llambo.examples import ending, shown
from tunesmith.agent.methods.llambo.formats import format_configuration, format_score
from tunesmith.agent.methods.llambo.settings import LlamboSettings
from tunesmith.history import History
from tunesmith.seeds import rng_for
from tunesmith.trial import Trial


@dataclass(frozen=True)
class Row:
    """One trial as a prompt shows it.

    Attributes:
        configuration: `a: 1, b: 0.20`.
        performance: The value, or how the trial ended without one: that teaches something too.
    """

    number: int
    configuration: str
    performance: str


def rows(history: History, protocol: LlamboSettings) -> list[Row]:
    """The trials that fit in a prompt, in order of number; lost ones are left out."""
    return [
        Row(
            number=trial.number,
            configuration=format_configuration(history.space, trial.configuration, protocol),
            performance=_performance(trial, protocol),
        )
        for trial in shown(history, protocol.history_limit)
    ]


def permuted(found: Sequence[Row], protocol: LlamboSettings, seed: int, template: int) -> list[Row]:
    """The order of one template: shuffled by its own seed, the same at every trial; as given unpermuted."""
    if not protocol.permute:
        return list(found)
    order = rng_for(seed, "llambo examples", template).permutation(len(found))
    return [found[i] for i in order]


def _performance(trial: Trial, protocol: LlamboSettings) -> str:
    return f"none ({ending(trial)})" if trial.value is None else format_score(trial.value, protocol)
