"""Which parameters of a define-by-run study are proposed together, and draws of those that are not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.samplers import RandomSampler
from optuna.study import Study
from optuna.trial import FrozenTrial
from optuna.trial import TrialState as OptunaState

from tunesmith.agent.samplers.study_view import expressible

MOST_RANGES = 3
"""Different ranges of one name in a study up to which it is one parameter whose range was edited; beyond, the
range is made anew in each trial, and what an earlier one found in its own says little of the next."""
TRIES = 100


def shared_distributions(trials: Sequence[FrozenTrial]) -> dict[str, BaseDistribution]:
    """The parameters that all completed trials have, with their newest distributions, by name in order."""
    completed = [trial for trial in trials if trial.state is OptunaState.COMPLETE]
    if not completed:
        return {}
    names = set.intersection(*(set(trial.distributions) for trial in completed))
    found: dict[str, BaseDistribution] = {}
    for name in sorted(names):
        newest = max((t for t in trials if name in t.distributions), key=lambda t: t.number)
        distribution = newest.distributions[name]
        ranges: list[BaseDistribution] = []
        # Choices are compared for nothing, and for long: Optuna lets no study change them.
        for trial in () if isinstance(distribution, CategoricalDistribution) else trials:
            if name in trial.distributions and trial.distributions[name] not in ranges:
                ranges.append(trial.distributions[name])
        if len(ranges) <= MOST_RANGES and expressible(distribution):
            found[name] = distribution
    return found


def contains(distribution: BaseDistribution, value: Any) -> bool:
    """Whether Optuna would take the value for a parameter of this distribution."""
    try:
        return distribution._contains(distribution.to_internal_repr(value))
    except (ValueError, TypeError, OverflowError):
        return False


def draw_alone(
    study: Study, trial: FrozenTrial, name: str, distribution: BaseDistribution, rng: np.random.Generator
) -> Any:
    """A value of a distribution that no Space has: integers beyond 2^53, over 1000 choices, and the like."""
    if isinstance(distribution, IntDistribution):
        for _ in range(TRIES):
            value = int(float(_integer(distribution, rng)))  # Optuna keeps it as a float
            if contains(distribution, value):
                return value
    if isinstance(distribution, FloatDistribution) and distribution.step is None:
        share = rng.random()
        if distribution.log:
            ends = math.log(distribution.low), math.log(distribution.high)
            drawn = math.exp(ends[0] * (1 - share) + ends[1] * share)
        else:  # written so that it holds where `high - low` is more than a float can be
            drawn = distribution.low * (1 - share) + distribution.high * share
        return min(max(drawn, distribution.low), distribution.high)
    return RandomSampler(seed=int(rng.integers(2**32))).sample_independent(study, trial, name, distribution)


def _integer(distribution: IntDistribution, rng: np.random.Generator) -> int:
    """Uniform over the legal integers, or over their logarithms."""
    low, high, step = distribution.low, distribution.high, distribution.step
    if distribution.log:
        drawn = int(math.exp(rng.uniform(math.log(low), math.log(high))))
        return min(max(drawn, low), high)
    return low + int.from_bytes(rng.bytes(24), "big") % ((high - low) // step + 1) * step
