"""Scripted advisers and small landscapes: what a good or a misleading model does to a run, in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from math import log10
from typing import Any, Literal

import numpy as np

from tunesmith.agent.methods.gp.strategy import GaussianProcessStrategy
from tunesmith.agent.methods.hybrid.elicited_priors import ElicitedPriors, read_priors
from tunesmith.agent.methods.hybrid.proposer import Opening
from tunesmith.agent.methods.hybrid.strategy import HybridStrategy
from tunesmith.agent.methods.hybrid.suggester import HybridSuggester
from tunesmith.history import Array, History
from tunesmith.space import Float, Int, Space
from tunesmith.trial import (
    WARM_START,
    Configuration,
    Origin,
    Prediction,
    Proposal,
    Provenance,
    Trial,
    TrialState,
    Value,
)

Kind = Literal["good", "hostile", "wrong"]
LOOK_EVERY = 4
"""Trials between two looks of the rules policy, as in a run."""


@dataclass(frozen=True)
class Landscape:
    """A function to maximise, whose best is known."""

    space: Space
    score: Callable[[Configuration], float]
    default: dict[str, Value]
    best: dict[str, Value]
    top: float
    words: str = ""

    def regrets(self, scores: list[float]) -> Array:
        """Simple regret after each evaluation, as a share of the distance from the best to the median."""
        rows = self.space.round(np.random.default_rng(99).random((300, self.space.dimensions)))
        median = float(np.median([self.score(self.space.decode(row)) for row in rows]))
        return (self.top - np.maximum.accumulate(np.array(scores))) / (self.top - median)

    def unit(self, values: dict[str, Value]) -> Array:
        return self.space.encode(self.space.validate(values))[0]

    def at(self, row: Array) -> Configuration:
        return self.space.decode(self.space.round(np.clip(row, 0, 1)[None])[0])


def branin(seed: int) -> Landscape:
    """Branin's function; unknown names, so that only the default is known."""

    def score(c: Configuration) -> float:
        x, y = float(c["a"]), float(c["b"])
        bowl = (y - 5.1 / (4 * np.pi**2) * x * x + 5 / np.pi * x - 6) ** 2
        return -float(bowl + 10 * (1 - 1 / (8 * np.pi)) * np.cos(x) + 10)

    space = Space({"a": Float(-5, 10), "b": Float(0, 15)})
    return Landscape(space, score, {"a": 0.0, "b": 5.0}, {"a": np.pi, "b": 2.275}, -0.397887)


def network(seed: int) -> Landscape:
    """A bowl over hyperparameters whose names have cards, with its best drawn by the seed."""
    rng = np.random.default_rng(seed)
    rate, width, drop, decay = (
        rng.uniform(*ends) for ends in ((-3.5, -1.5), (1.3, 2.2), (0.05, 0.4), (-5, -2))
    )

    def score(c: Configuration) -> float:
        loss = (log10(float(c["lr"])) - rate) ** 2 + 0.5 * (log10(float(c["width"])) - width) ** 2
        loss += 2 * (float(c["dropout"]) - drop) ** 2 + 0.1 * (log10(float(c["weight_decay"])) - decay) ** 2
        return -loss

    space = Space(
        {
            "lr": Float(1e-5, 1, scale="log"),
            "width": Int(8, 256, scale="log"),
            "dropout": Float(0, 0.6),
            "weight_decay": Float(1e-6, 1e-1, scale="log"),
        }
    )
    default: dict[str, Value] = {"lr": 1e-3, "width": 32, "dropout": 0.1, "weight_decay": 1e-4}
    best: dict[str, Value] = {
        "lr": 10**rate,
        "width": round(10**width),
        "dropout": drop,
        "weight_decay": 10**decay,
    }
    return Landscape(space, score, default, best, 0.0, "small network trained with Adam")


class ScriptedAdviser:
    """An `Adviser` that knows the landscape.

    good: candidates and priors near the best, honest predictions. wrong: priors 3 standard deviations (0.15
    of the range each) from the best, no candidates. hostile: priors and candidates at the worst corner, and
    predictions beyond the best there, stated with great confidence.
    """

    def __init__(self, kind: Kind, land: Landscape, seed: int) -> None:
        self.kind, self.land, self._rng = kind, land, np.random.default_rng(seed)
        corners = [np.array(bits, dtype=float) for bits in product((0, 1), repeat=land.space.dimensions)]
        self._worst = min(corners, key=lambda row: land.score(land.at(row)))
        self._best = land.unit(land.best)
        self._scale = abs(land.top - land.score(land.at(self._worst)))
        self.calls = 0

    def opening(self, history: History, n: int) -> Opening:
        self.calls += 1
        priors, faults = read_priors([self._belief(j) for j in range(len(self._best))], self.land.space)
        assert not faults, faults
        marked = [p.with_provenance(stage=WARM_START) for p in self._some(n)]
        return Opening(marked, tuple(priors), "", "scripted")

    def candidates(self, history: History, n: int) -> list[Proposal]:
        self.calls += 1
        return self._some(n)

    def _belief(self, j: int) -> dict[str, Any]:
        centre, half = self._best[j], 0.2
        if self.kind == "wrong":
            centre, half = centre + (0.45 if centre < 0.5 else -0.45), 0.19
        elif self.kind == "hostile":
            centre, half = self._worst[j], 0.1
        name = self.land.space.names[j]
        units = np.clip([centre - half, centre, centre + half], 0, 1)
        low, best, high = (float(v) for v in self.land.space.parameters[name].numbers(units))
        return {"parameter": name, "low": low, "best": best, "high": high}

    def _some(self, n: int) -> list[Proposal]:
        return [self._one() for _ in range(n)] if self.kind != "wrong" else []

    def _one(self) -> Proposal:
        noise = self._rng.standard_normal(len(self._best))
        if self.kind == "good":
            configuration = self.land.at(self._best + 0.12 * noise)
            said = self.land.score(configuration) + 0.02 * self._scale * float(self._rng.standard_normal())
        else:
            configuration = self.land.at(self._worst + 0.05 * noise)
            said = self.land.top + 0.5 * self._scale
        predicted = Prediction.of(said, 0.01 * self._scale)
        return Proposal(
            configuration=configuration,
            origin=Origin.MODEL,
            reason="So it says.",
            provenance=Provenance(model_prediction=predicted),
        )


def run(land: Landscape, seed: int, n: int, kind: Kind | None = None) -> tuple[list[float], History]:
    """`n` evaluations one after the other as in a run: opening, then the strategy with what was kept."""
    history = History(land.space, "score", "maximize", default=land.space.validate(land.default))
    alone = GaussianProcessStrategy(land.space, seed, words=land.words)
    strategy, suggest = alone, None
    queue: list[Proposal] = []
    kept: tuple[Proposal, ...] = ()
    if kind is not None:
        elicited = ElicitedPriors(land.space)
        strategy = HybridStrategy(alone, elicited)
        suggest = HybridSuggester(strategy, ScriptedAdviser(kind, land, seed), lambda e: e, elicited)
        found = suggest(history, 8)
        queue = [p for p in found if p.origin is Origin.DEFAULT or p.provenance.stage == WARM_START]
        kept = suggest.left
    scores: list[float] = []
    while len(scores) < n:
        if suggest is not None and len(scores) % LOOK_EVERY == LOOK_EVERY - 1:
            found = suggest(history, 1)
            kept = (*(p for p in found if p.origin is Origin.MODEL), *suggest.left)
        proposal = queue.pop(0) if queue else strategy.propose(history, 1, kept)[0]
        scores.append(land.score(proposal.configuration))
        history = history.with_trial(
            Trial(number=len(history), proposal=proposal, state=TrialState.COMPLETED, value=scores[-1])
        )
    return scores, history
