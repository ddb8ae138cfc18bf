"""Which configurations are run again: when a run is continued, and when a trial took its process down."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import NamedTuple

from tunesmith.history import MAX_LOSSES, History
from tunesmith.objective import Objective
from tunesmith.tools.analysis.crashes import before_training, by_person
from tunesmith.trial import Origin, Proposal, Trial, TrialState


class Requeued(NamedTuple):
    again: list[Proposal]
    given_up: list[Trial]
    """The first trial of each configuration that crashed, or took its process down, too often."""


def changed_since(objective: Objective, history: History) -> bool:
    """Whether a file of the training code was written after the last trial of this run began."""
    own = [t.started_at for t in history.every if t.proposal.origin is not Origin.PREVIOUS]
    if not own:
        return False
    named = [objective.function.rpartition(":")[0]] if objective.function else objective.command or ()
    last = max(own)
    files = (Path(objective.workdir or ".") / name for name in named)
    return any(path.is_file() and path.stat().st_mtime > last for path in files)


def requeue(history: History, *, edited: bool = False) -> Requeued:
    """What an interruption took, in order of trial number; for a run that is continued.

    What was interrupted from outside is run again however often that happens; a configuration that took its
    own process down, at most `MAX_LOSSES` times. Where every trial crashed, those that did before their
    training began are run again too, and all of them where the code was edited since: that it crashed says
    nothing of the configuration then. Otherwise the search goes on with new ones.

    Args:
        edited: Whether the training code has changed since.
    """
    broken = {trial.state for trial in history} <= {TrialState.LOST, TrialState.CRASHED}

    def unsettled(trial: Trial) -> bool:
        if trial.state is TrialState.CRASHED:
            return broken and not by_person(trial) and (edited or before_training(trial))
        return trial.state is TrialState.LOST

    settled = {trial.configuration for trial in history if not unsettled(trial)}
    open_trials = [trial for trial in history if trial.configuration not in settled]
    times = Counter(trial.configuration for trial in open_trials)
    own_doing = Counter(trial.configuration for trial in open_trials if _own_doing(trial))
    first = {trial.configuration: trial for trial in reversed(open_trials)}
    requeued = Requeued([], [])
    for trial in sorted(first.values(), key=lambda t: t.number):
        if own_doing[trial.configuration] > MAX_LOSSES:
            requeued.given_up.append(trial)
        else:
            requeued.again.append(_again(trial, times[trial.configuration]))
    return requeued


def after_loss(history: History, trial: Trial) -> Requeued:
    """What becomes, in the same session, of the configuration of a trial that took its process down."""
    alike = [t for t in history if t.configuration == trial.configuration]
    if any(t.state is not TrialState.LOST for t in alike):
        return Requeued([], [])  # it has ended otherwise, or is running again
    if sum(map(_own_doing, alike)) > MAX_LOSSES:
        return Requeued([], [alike[0]])
    return Requeued([_again(alike[0], len(alike))], [])


def runs_alone(history: History, proposal: Proposal) -> bool:
    """Whether a proposal is to have the machine to itself: its last chance.

    The process that watches over trials takes all of them with it, so that one configuration can make
    others look bad. The last try tells which it is.
    """
    if proposal.origin is not Origin.RETRY:
        return False
    alike = (t for t in history if t.configuration == proposal.configuration)
    return sum(t.loss == "process" for t in alike) >= MAX_LOSSES


def _own_doing(trial: Trial) -> bool:
    return trial.state is TrialState.CRASHED or trial.loss == "process"


def _again(trial: Trial, times: int) -> Proposal:
    """The proposal of `trial`, which was started `times` times, once more."""
    what = "crashed" if trial.state is TrialState.CRASHED else "was lost to an interruption"
    if trial.loss == "process":
        what = "was lost when its process died"
    reason = f"Trial {trial.number} {what}. {trial.proposal.reason}"
    again = trial.proposal.model_copy(update={"origin": Origin.RETRY, "reason": reason})
    return again.with_provenance(parent=trial.number, attempt=times + 1)
