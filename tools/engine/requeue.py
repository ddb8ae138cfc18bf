"""Which configurations are run again when a run is continued."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from tunesmith.history import MAX_LOSSES, History
from tunesmith.trial import Origin, Proposal, Trial, TrialState


class Requeued(NamedTuple):
    again: list[Proposal]
    given_up: list[Trial]
    """The first trial of each configuration that was lost or crashed too often."""


def requeue(history: History) -> Requeued:
    """What an interruption took, in order of trial number.

    Where no trial has ended well, the training code was broken and has perhaps been repaired: then crashed
    configurations, the default among them, are run again too.
    """
    unsettled = {TrialState.LOST}
    if {trial.state for trial in history} <= {TrialState.LOST, TrialState.CRASHED}:
        unsettled.add(TrialState.CRASHED)
    settled = {trial.configuration for trial in history if trial.state not in unsettled}
    open_trials = [trial for trial in history if trial.configuration not in settled]
    times = Counter(trial.configuration for trial in open_trials)
    first = {trial.configuration: trial for trial in reversed(open_trials)}
    requeued = Requeued([], [])
    for trial in sorted(first.values(), key=lambda t: t.number):
        if times[trial.configuration] > MAX_LOSSES:
            requeued.given_up.append(trial)
            continue
        what = "was lost to an interruption" if trial.state is TrialState.LOST else "crashed"
        reason = f"Trial {trial.number} {what}. {trial.proposal.reason}"
        again = trial.proposal.model_copy(update={"origin": Origin.RETRY, "reason": reason})
        requeued.again.append(
            again.with_provenance(parent=trial.number, attempt=times[trial.configuration] + 1)
        )
    return requeued
