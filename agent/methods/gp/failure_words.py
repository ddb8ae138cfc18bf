"""Where trials failed, in words: which values of which one or two hyperparameters, and how often there.

The model of a kind of failure says which hyperparameters to look at and which way they point; what is said of
them is counted in the trials, and holds for them exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from tunesmith.agent.methods.gp.feasibility import Feasibility, KindModel
from tunesmith.history import History
from tunesmith.trial import Configuration, Trial, TrialState

LOOKED_AT = 4
"""Hyperparameters of the largest weights among which one or two are chosen."""
MOSTLY = 0.7
"""Share of the trials in a region that must have failed for it to be said."""
FEWEST = 2
"""Failures of a kind from which on a region is said: any one lies at the edge of many."""
NAMES = {
    TrialState.OUT_OF_MEMORY: "memory failed",
    TrialState.DIVERGED: "training diverged",
    TrialState.TIMED_OUT: "the time limit was passed",
    TrialState.CRASHED: "trials crashed",
}


@dataclass(frozen=True)
class Region:
    """Where all trials that failed in one way lie, and hardly any other.

    Attributes:
        sides: (parameter, whether failures lie at larger values, their edge), one or two.
        failed, trials: How many of the trials there failed so, and how many there are.
    """

    kind: TrialState
    sides: tuple[tuple[str, bool, float], ...]
    failed: int
    trials: int

    def holds(self, configuration: Configuration) -> bool:
        return all(_beyond(configuration, side) for side in self.sides)

    def __str__(self) -> str:
        where = " with ".join(f"{name} {'>=' if up else '<='} {edge:.4g}" for name, up, edge in self.sides)
        return f"{NAMES[self.kind]} at {where} in {self.failed} of {self.trials} trials"


def regions(history: History, model: Feasibility) -> list[Region]:
    """One region for each kind of failure that has one, of one hyperparameter where that explains as much."""
    return [found for kind in model.kinds if (found := _region(history, kind)) is not None]


def said_of(history: History, model: Feasibility, configuration: Configuration, works: float) -> str:
    """What the failures have to do with a proposal, as part of its reason; empty where nothing can be said.

    Args:
        works: P(works) of the proposal.
    """
    found = regions(history, model)
    if not found:
        return ""
    first = max(found, key=lambda region: region.failed)
    text = f"{str(first)[0].upper()}{str(first)[1:]}"
    if not first.holds(configuration):
        inside = all(up for _, up, _ in first.sides)
        return f"{text}; {'kept below' if inside else 'kept away from it'}"
    return f"{text}; this one lies there too, and works with probability {works:.0%}"


def _region(history: History, model: KindModel) -> Region | None:
    if len(model.failed) < FEWEST:
        return None
    decided = (*model.failed, *model.passed)
    sides = [
        side for side in _sides(history, model) if all(_beyond(t.configuration, side) for t in model.failed)
    ]
    best: Region | None = None
    for chosen in [(side,) for side in sides] + list(combinations(sides, 2)):
        there = sum(all(_beyond(t.configuration, side) for side in chosen) for t in decided)
        region = Region(model.kind, chosen, len(model.failed), there)
        if best is None or there < best.trials:  # one before two, and those of larger weight first
            best = region
    return best if best is not None and best.failed >= MOSTLY * best.trials else None


def _sides(history: History, model: KindModel) -> list[tuple[str, bool, float]]:
    """The numeric hyperparameters of largest weight, with the way they point and the failures' edge."""
    space, weights = history.space, model.weights
    order = [i for i in np.argsort(-np.abs(weights), kind="stable") if abs(weights[i]) > 0]
    sides = []
    for i in order:
        name = space.columns[i].parameter
        if space.columns[i].kind != "numeric" or not space.parameters[name].numeric:
            continue
        values = [v for t in model.failed if (v := _number(t, name)) is not None]
        if values:
            up = bool(weights[i] > 0)
            sides.append((name, up, min(values) if up else max(values)))
    return sides[:LOOKED_AT]


def _beyond(configuration: Configuration, side: tuple[str, bool, float]) -> bool:
    name, up, edge = side
    value = configuration.get(name)
    if value is None or isinstance(value, str):
        return False
    return float(value) >= edge if up else float(value) <= edge


def _number(trial: Trial, name: str) -> float | None:
    value = trial.configuration.get(name)
    return None if value is None or isinstance(value, str | bool) else float(value)
