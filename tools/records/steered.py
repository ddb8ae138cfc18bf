"""What a changed space makes of a run's trials, and what the log says of changes by commands."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tunesmith.events import Steered
from tunesmith.steering.record import Change, Record
from tunesmith.task import Task
from tunesmith.task.lineage import LeftOut, Lineage
from tunesmith.tools.records.event_store import EventStore
from tunesmith.trial import Origin, Proposal, Trial


def in_space(
    lineage: Lineage, trials: Sequence[Trial], begun: Callable[[Trial], Proposal], task: Task
) -> tuple[tuple[Trial, ...], tuple[Trial, ...]]:
    """Trials with their configurations in the space of now, and those that have none there, as they were.

    Args:
        begun: A trial's proposal as it began, where `trials` may have it in a later space already.
    """
    kept, left = [], []
    for trial in trials:
        began = begun(trial)
        try:
            configuration = lineage.carried(trial.number, began.configuration)
        except LeftOut:
            left.append(trial.model_copy(update={"proposal": began}))
            continue
        proposal = trial.proposal.model_copy(update={"configuration": configuration})
        cost = trial.cost
        if cost is None and proposal.origin is not Origin.PREVIOUS:
            cost = task.cost_of(configuration)
        kept.append(trial.model_copy(update={"proposal": proposal, "cost": cost}))
    return tuple(kept), tuple(left)


def steered(change: Change) -> Steered:
    """The event of a change."""
    return Steered(
        change=change.number,
        command=change.command,
        text=change.text,
        undone=change.undone,
        started=change.started,
        at=change.at,
    )


def tell_steered(record: Record, events: EventStore) -> None:
    """Add to the log what a session that was killed could not say of its changes."""
    if record.changes:
        last = events.last(Steered)
        told = 0 if last is None else last.change
        events.append_many([steered(change) for change in record.changes if change.number > told])
