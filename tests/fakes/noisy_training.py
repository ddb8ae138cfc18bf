"""A training by formula whose first report is mostly noise, tuned in memory with a pruner."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from tunesmith.agent.methods.gp.strategy import GaussianProcessStrategy
from tunesmith.history import History
from tunesmith.seeds import derive_seed
from tunesmith.space import Float, Space
from tunesmith.task import PrunerSpec
from tunesmith.tools.analysis.collapse import collapse_texts
from tunesmith.tools.engine.pruning import Pruner
from tunesmith.trial import Configuration, Trial, TrialState

SPACE = Space({"lr": Float(1e-5, 1e-1, scale="log"), "decay": Float(0.0, 0.1)})
DEFAULT = SPACE.validate({"lr": 0.012, "decay": 0.0})
STEPS = 6
Train = Callable[[Configuration, int], list[tuple[int, float]]]
"""The whole curve of a configuration trained with a seed; its last value is the result."""


def final(configuration: Configuration) -> float:
    """An accuracy without noise: best, .86, at lr = .03 and decay = .06; at chance level far away."""
    lr, decay = float(configuration["lr"]), float(configuration["decay"])
    return max(0.1, 0.86 - 0.06 * math.log10(lr / 0.03) ** 2 - 4 * (decay - 0.06) ** 2)


def curve(configuration: Configuration, seed: int) -> list[tuple[int, float]]:
    """Good configurations begin anywhere between about .5 and .8, and end about where `final` says."""
    rng = np.random.default_rng(seed)
    end = final(configuration) + rng.normal(0, 0.004)
    start = max(0.1, end - 0.15 + rng.normal(0, 0.08))
    return [(s, float(end + (start - end) * math.exp(1 - s))) for s in range(1, STEPS + 1)]


def tuned(
    pruner: PrunerSpec,
    seed: int,
    trials: int,
    *,
    train: Train = curve,
    default: Configuration = DEFAULT,
    space: Space = SPACE,
) -> History:
    """A run of the numeric method, trial after trial, each judged at every step as it is in the engine."""
    strategy, judge = GaussianProcessStrategy(space, seed), Pruner(pruner, "maximize")
    history = History(space, "accuracy", "maximize", default=default)
    for number in range(trials):
        proposal = strategy.propose(history, 1)[0]
        points = train(proposal.configuration, derive_seed(seed, "trial", number))
        steps, cautious = len(points), bool(collapse_texts(history, pruner.kind))
        verdicts = (judge.should_stop(number, points[:k], cautious=cautious) for k in range(1, steps))
        kept = next((k for k, stop in enumerate(verdicts, 1) if stop), steps)
        stopped = kept < steps
        trial = Trial(
            number=number,
            proposal=proposal,
            state=TrialState.PRUNED if stopped else TrialState.COMPLETED,
            value=None if stopped else points[-1][1],
            curve=tuple(points[:kept]),
        )
        judge.observe(trial)
        history = history.with_trial(trial)
    return history
