"""What became of the insights: each stage's belief with its confidence, and the trials that say so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from tunesmith.agent.methods.agenttts.evidence import Observation
from tunesmith.agent.methods.agenttts.insights import capability, interaction, saturation
from tunesmith.agent.methods.agenttts.known import Known
from tunesmith.agent.methods.agenttts.settings import AgentTTSSettings

DROPPED, HELD = 0.15, 0.95
"""Confidence below which an insight is dropped, and from which it counts as borne out."""


@dataclass(frozen=True)
class Belief:
    """One insight about one stage, or about all.

    Attributes:
        insight: `capability`, `saturation` or `interaction`.
        stage: Its name; None for interaction.
        confidence: As of `Posterior.confidence`, in [0, 1].
        evidence: Numbers of the trials that differ most by it.
        text: In words, without a full stop.
    """

    insight: str
    stage: str | None
    confidence: float
    evidence: tuple[int, ...]
    text: str

    @property
    def status(self) -> Literal["held", "open", "dropped"]:
        if self.confidence < DROPPED:
            return "dropped"
        return "held" if self.confidence >= HELD else "open"


def beliefs(known: Known, settings: AgentTTSSettings) -> tuple[Belief, ...]:
    """Every belief that takes part, stage by stage; with what the trials made of it."""
    confidence, found = known.posterior.confidence, list[Belief]()
    for k, stage in enumerate(known.options.stages):
        if settings.capability and known.features[k].ordered:
            evidence = _contrast(known, k, by_size=True)
            found.append(
                _belief(capability.NAME, stage.name, float(confidence[capability.NAME][k]), evidence)
            )
        if settings.saturation and len(set(known.features[k].level)) > 1:
            evidence = _contrast(known, k, by_size=False)
            found.append(
                _belief(saturation.NAME, stage.name, float(confidence[saturation.NAME][k]), evidence)
            )
    if settings.interaction and len(known.options.stages) > 1:
        found.append(_belief(interaction.NAME, None, float(confidence[interaction.NAME][0]), ()))
    return tuple(found)


_WORDS = {
    capability.NAME: ("a larger model is better", "a larger model is not better"),
    saturation.NAME: ("more samples bring less and less", "samples do not saturate as expected"),
    interaction.NAME: ("stages multiply", "stages rather add up than multiply"),
}


def _belief(insight: str, stage: str | None, confidence: float, evidence: tuple[Observation, ...]) -> Belief:
    numbers = tuple(sorted(o.trial for o in evidence))
    holds, fails = _WORDS[insight]
    where = "" if stage is None else f" at stage {stage}"
    dropped = confidence < DROPPED
    text = f"{fails if dropped else holds}{where}"
    if len(evidence) == 2 and (dropped or confidence >= HELD):
        items = min(len(o.items) for o in evidence)
        shared = f" on the same {items} items" if items else ""
        text += f": trials {numbers[0]} and {numbers[1]}{shared}"
    text += "; the belief is dropped" if dropped else f" ({confidence:.0%})"
    return Belief(insight, stage, confidence, numbers, text)


def _contrast(known: Known, k: int, *, by_size: bool) -> tuple[Observation, ...]:
    """The two trials that differ at stage k in size, else in samples, and least in all else; empty: none."""
    f = known.features
    rows = known.rows([known.history_trial(o.trial).configuration for o in known.ends])
    best: tuple[float, tuple[Observation, ...]] = (np.inf, ())
    for i in range(len(rows)):
        for j in range(i):
            apart = [
                abs(f[s].size[rows[i, s]] - f[s].size[rows[j, s]])
                + abs(f[s].level[rows[i, s]] - f[s].level[rows[j, s]])
                for s in range(len(f))
            ]
            axis = f[k].size if by_size else f[k].level
            own = abs(axis[rows[i, k]] - axis[rows[j, k]])
            if own < 0.1 or f[k].effort[rows[i, k]] == 0 or f[k].effort[rows[j, k]] == 0:
                continue
            ratio = (sum(apart) - own + 0.05) / own
            if ratio < best[0]:
                best = (float(ratio), (known.ends[j], known.ends[i]))
    return best[1]
