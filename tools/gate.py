"""The gate: a guaranteed share of trials is the surrogate's own choice, untouched by any language model.

After the warm start every trial is on one of two sides. `surrogate`: chosen as if there were no model.
`model`: the model had a say, by a candidate, a stated prior, its predictions, or a launch of its own. Between
two trials of the model's side stand at least so many of the surrogate's:

    max(1 + n // 15, 2^m)    n trials counted so far; m the model's standing misses, at most 5

So in any window of w such trials at least floor(w / 2) are the surrogate's, and more as evidence grows, like
LLINBO's Transient rule (arXiv 2505.14756), which hands over to the Gaussian process with probability
min(t^2 / T, 1); here without chance, so that a history decides. A miss is a trial with the model's say that
came out below the median of those before it; one of the warm start, its best shot, counts twice; a hit takes
one miss back. What a misleading model costs is therefore a logarithm of the run. What the default or a person
asked for is on neither side.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

import numpy as np

from tunesmith.history import History
from tunesmith.trial import Origin, Proposal, TrialState

OWN = "own_choice"
"""Mark in `Proposal.details` of a configuration that the policy made up and launched past the acquisition."""
WARM_START = "warm_start"
"""Mark in `Proposal.details` of a zero-shot configuration, made before there was much to learn from."""
GATE = "gate"
"""Key in `Proposal.details`: 1 where the gate was shut (the surrogate's own choice), 0 where it was open."""
GROWS_EVERY = 15
"""Counted trials after which one more of the surrogate's stands between two of the model's."""
MOST_MISSES = 5

Side = Literal["surrogate", "model"]
_NEITHER = (Origin.DEFAULT, Origin.USER, Origin.RETRY)


class Step(NamedTuple):
    """One trial as the gate sees it."""

    side: Side | None
    missed: bool | None = None
    """Whether the model's say led to a poor result; None without a say or a result."""


def side(proposal: Proposal) -> Side | None:
    """Which side of the gate a proposal is on; None for neither."""
    mark = proposal.details.get(GATE)
    if mark is not None:
        return "model" if mark == 0 else "surrogate"
    if OWN in proposal.details:
        return "model"
    if WARM_START in proposal.details or proposal.origin in _NEITHER:
        return None
    return "surrogate"


def between(counted: int, misses: int = 0) -> int:
    """How many trials of the surrogate's stand between two of the model's."""
    return max(1 + counted // GROWS_EVERY, 1 << min(misses, MOST_MISSES))


def is_open(steps: Iterable[Step]) -> bool:
    """Whether the model may have a say in the next trial, after these in order."""
    counted = misses = 0
    since: int | None = None
    for step in steps:
        if step.missed is not None:
            worth = 1 if step.side == "model" else 2  # of a warm start, which is its best shot
            misses = min(misses + worth, MOST_MISSES) if step.missed else max(misses - 1, 0)
        if step.side is not None:
            counted += 1
            since = 0 if step.side == "model" else None if since is None else since + 1
    if since is None:  # it has not spoken since the warm start; how that went decides how long it waits
        since, needed = counted, between(counted, misses) - 1
        return since >= needed
    return since >= between(counted, misses)


def steps_of(history: History) -> list[Step]:
    """The trials of a run, in order; a lost one is run again and counts then."""
    steps: list[Step] = []
    before: list[float] = []
    for trial in history:
        if trial.state is TrialState.LOST:
            continue
        on, missed = side(trial.proposal), None
        if trial.finished and (on == "model" or WARM_START in trial.proposal.details) and before:
            missed = trial.value is None or history.sign * trial.value < float(np.median(before))
        if trial.value is not None:
            before.append(history.sign * trial.value)
        steps.append(Step(on, missed))
    return steps
