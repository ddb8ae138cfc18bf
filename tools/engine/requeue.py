"""Which configurations are run again when a run is continued."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import NamedTuple

from tunesmith.history import MAX_LOSSES, History
from tunesmith.objective import Objective
from tunesmith.tools.analysis.crashes import before_training
from tunesmith.trial import Origin, Proposal, Trial, TrialState


class Requeued(NamedTuple):
    again: list[Proposal]
    given_up: list[Trial]
    """The first trial of each configuration that was lost or crashed too often."""


def changed_since(objective: Objective, history: History) -> bool:
    """Whether a file of the training code was written after the last trial began."""
    if not history.trials:
        return False
    named = [objective.function.rpartition(":")[0]] if objective.function else objective.command or ()
    last = max(trial.started_at for trial in history)
    files = (Path(objective.workdir or ".") / name for name in named)
    return any(path.is_file() and path.stat().st_mtime > last for path in files)


def requeue(history: History, *, edited: bool = False) -> Requeued:
    """What an interruption took, in order of trial number.

    Where every trial crashed, those that did before their training began are run again too, and all of them
    where the code was edited since: that it crashed says nothing of the configuration then. Otherwise the
    search goes on with new ones.

    Args:
        edited: Whether the training code has changed since.
    """
    broken = {trial.state for trial in history} <= {TrialState.LOST, TrialState.CRASHED}

    def unsettled(trial: Trial) -> bool:
        if trial.state is TrialState.CRASHED:
            return broken and (edited or before_training(trial))
        return trial.state is TrialState.LOST

    settled = {trial.configuration for trial in history if not unsettled(trial)}
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
