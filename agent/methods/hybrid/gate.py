"""The gate: a guaranteed share of trials is the surrogate's own choice, without any language model.

After the warm start every trial is on one of two sides. `surrogate`: chosen as if there were no model.
`model`: the model had a part, by a candidate, an elicited prior, its predictions, or a launch of its own.
Before a trial on the model's side there are at least this many of the surrogate's since the last one:

    max(1 + n // 15, 2^m)    n trials counted so far; m the model's current misses, at most 5
    none                     while the model leads by log score and m = 0, but at most 3 trials on the
                             model's side follow each other

So in any window of w such trials at least floor(w / 4) are the surrogate's, at least floor(w / 2) while the
model does not lead, and more as evidence grows, like LLINBO's Transient rule (arXiv 2505.14756), which hands
over to the Gaussian process with probability min(t^2 / T, 1); here without randomness, so that the history
decides.

A miss is a trial on the model's side that came out below the median of those before it; one of the warm
start counts twice, because it is the model's best attempt; a hit takes one miss back. The model's log score
(`log_score.py`) is summed within 2 LEAD of 0, so that a change for the worse shows within a few trials. It
leads from LEAD on; where it is as far behind, the model has two misses at least. With several metrics or
limits a miss is a result that `standing.py` calls poor.

What a misleading model costs: one that always misses has a part in 2 + log2(n) of n trials at most, whatever
its log score, and in two more where trials run in parallel and no result is known yet. One that takes three
trials of four has bet well against the surrogate, which happens by chance in about one run of ten, and
goes on only as long as these trials are no worse than the median so far; the surrogate's quarter is left
even then. What the default or a person asked for is on neither side.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

import numpy as np

from tunesmith.agent.methods.hybrid.log_score import gain
from tunesmith.agent.methods.hybrid.standing import Standing
from tunesmith.history import History
from tunesmith.trial import WARM_START, Origin, Proposal, Trial

GROWS_EVERY = 15
"""Counted trials after which one more of the surrogate's is required between two of the model's."""
MOST_MISSES = 5
MOST_IN_ROW = 3
"""Trials on the model's side that may follow each other while the model leads."""
LEAD = math.log(10)
"""Strong evidence by Jeffreys (1961), nats."""
MISSES_BEHIND = 2

Side = Literal["surrogate", "model"]
_NEITHER = (Origin.DEFAULT, Origin.USER, Origin.RETRY, Origin.PREVIOUS)


class Step(NamedTuple):
    """One trial as the gate sees it."""

    side: Side | None
    missed: bool | None = None
    """Whether a choice with the model's part in it ended poorly; None without a part or a result."""
    gain: float = 0.0
    """What it says for the model by log score, nats."""


def side(proposal: Proposal) -> Side | None:
    """Which side of the gate a proposal is on; None for neither."""
    provenance = proposal.provenance
    if provenance.side is not None:
        return provenance.side
    if provenance.own_choice:
        return "model"
    if provenance.stage == WARM_START or proposal.origin in _NEITHER:
        return None
    return "surrogate"


def between(counted: int, misses: int = 0) -> int:
    """How many trials of the surrogate's are required between two of the model's that does not lead."""
    return max(1 + counted // GROWS_EVERY, 1 << min(misses, MOST_MISSES))


def is_open(steps: Iterable[Step]) -> bool:
    """Whether the model may have a part in the next trial, after these in order."""
    counted = misses = row = 0
    since: int | None = None
    lead = 0.0
    for step in steps:
        lead = min(max(lead + step.gain, -2 * LEAD), 2 * LEAD)
        if step.missed is not None:
            worth = 1 if step.side == "model" else 2  # of a warm start, which is its best shot
            misses = min(misses + worth, MOST_MISSES) if step.missed else max(misses - 1, 0)
        if step.side is not None:
            counted += 1
            since = 0 if step.side == "model" else None if since is None else since + 1
            row = row + 1 if step.side == "model" else 0
    if lead >= LEAD and not misses:
        return row < MOST_IN_ROW
    if lead <= -LEAD:
        misses = max(misses, MISSES_BEHIND)
    if since is None:  # no part since the warm start: the result of that decides how long it waits
        since, needed = counted, between(counted, misses) - 1
        return since >= needed
    return since >= between(counted, misses)


def steps_of(history: History) -> list[Step]:
    """The trials of a run, in order; a lost one is run again and counts then."""
    if not history.goals.plain:
        return _steps_with_goals(history)
    steps: list[Step] = []
    before: list[float] = []
    for trial in history.not_lost:
        on, missed, gained = side(trial.proposal), None, 0.0
        if trial.finished and _judged(trial) and before:
            missed = trial.value is None or history.sign * trial.value < float(np.median(before))
            gained = gain(trial, history.sign * max(before), history.sign)
        if trial.value is not None:
            before.append(history.sign * trial.value)
        steps.append(Step(on, missed, gained))
    return steps


def _steps_with_goals(history: History) -> list[Step]:
    """The same with several metrics or limits; the log score is of predictions of the primary metric."""
    steps: list[Step] = []
    standing, best, sign = Standing(history.goals), None, history.sign
    for trial in history.not_lost:
        missed, gained, first = None, 0.0, not len(standing)
        kept = trial.value is not None and not history.goals.broken(trial.values)
        poor = standing.add(trial) if trial.value is not None else True
        if trial.finished and _judged(trial) and not first:
            missed = poor
            # What is tilted is the gain of all objectives together: one of them says nothing of it.
            gained = gain(trial, None if history.others else best, sign, feasible=kept)
        if kept and trial.value is not None and (best is None or sign * trial.value > sign * best):
            best = trial.value
        steps.append(Step(side(trial.proposal), missed, gained))
    return steps


def _judged(trial: Trial) -> bool:
    """Whether the gate looks at how a trial ended."""
    return side(trial.proposal) == "model" or trial.proposal.provenance.stage == WARM_START


class ShareGate:
    """Implements `interfaces.LaunchGate` by the rule above."""

    refusal = (
        "at least half of the trials stay the statistical strategy's own choice (a quarter while your "
        "predictions and choices clearly lead its own by log score), so yours must wait for some of these. "
        "It goes on competing under the acquisition function. Launch what the surrogate chose by itself, or "
        "call decide: you are woken again."
    )

    def applies_to(self, proposal: Proposal) -> bool:
        return side(proposal) == "model"

    def is_open(self, history: History, launched: Sequence[Proposal]) -> bool:
        return is_open([*steps_of(history), *(Step(side(p)) for p in launched)])
