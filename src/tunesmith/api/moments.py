"""A run as it was at an earlier moment: its trials, and the space, budget and priors of then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tunesmith.commands import SetPrior
from tunesmith.errors import UsageError
from tunesmith.events import Event, PriorsElicited, RunStarted, Steered, TrialFinished, TrialStarted
from tunesmith.history import History
from tunesmith.steering.record import Record
from tunesmith.task import Task
from tunesmith.task.lineage import Lineage
from tunesmith.trial import Origin, Trial, TrialState

if TYPE_CHECKING:
    from tunesmith.tools.records.run_folder import RunFolder


@dataclass(frozen=True)
class Moment:
    """A run at one moment.

    Attributes:
        task: As it was, as far as commands changed it; of changes of the task file between two sessions
            the space alone is known.
        history: Its trials, in the space of then.
        events: The log up to then.
        expected: Where people expected best values.
    """

    task: Task
    history: History
    events: list[Event]
    expected: tuple[SetPrior, ...]


def at_trial(folder: RunFolder, events: Sequence[Event], trials: int) -> Moment:
    """The run when `trials` of its trials had ended.

    Trials taken over from another run were there from the start and are not counted.

    Raises:
        UsageError: Fewer have ended.
    """
    from tunesmith.tools.report.build import recorded_trials
    from tunesmith.tools.report.lineage import split

    ended = {event.number: event.seq for event in events if isinstance(event, TrialFinished)}
    recorded = recorded_trials(folder)
    known = {t.number for t in recorded if t.finished and t.proposal.origin is not Origin.PREVIOUS}
    order = sorted(known & ended.keys(), key=lambda number: ended[number])
    order += sorted(known - ended.keys())  # the log was lost: by number
    if not 0 <= trials <= len(order):
        raise UsageError(
            f"--at {trials}: of this run {len(order)} trials have ended. Give 0 to {len(order)}."
        )
    finished = set(order[:trials])
    until = max((ended.get(number, 0) for number in finished), default=0)
    # Those that start with the session run beside the first one from the start.
    kept = [event for event in events if event.seq <= until] if trials else _before_first(events)
    started = {event.number for event in kept if isinstance(event, TrialStarted)}
    now: list[Trial] = []
    for trial in recorded:
        if trial.proposal.origin is Origin.PREVIOUS or trial.number in finished:
            now.append(trial)
        elif trial.number in started:
            now.append(_as_running(trial))
    task, lineage, expected = _task_then(folder, kept, max(started | finished, default=-1) + 1)
    counting, left = split(lineage, now)
    return Moment(task, replace(task.empty_history(), trials=counting, earlier=left), kept, expected)


def _task_then(
    folder: RunFolder, kept: Sequence[Event], started: int
) -> tuple[Task, Lineage, tuple[SetPrior, ...]]:
    """Task, spaces and what people expected when the trials of numbers below `started` had begun."""
    epochs = [e for e in folder.lineage.epochs if e.first_trial < max(started, 1)] or folder.lineage.epochs[
        :1
    ]
    if not folder.record.changes:
        task, last = folder.task, epochs[-1]
        if last.space != task.space:
            task = task.model_copy(update={"space": last.space, "default": last.default})
        return task, Lineage(epochs), ()
    made = {event.change for event in kept if isinstance(event, Steered)}
    changes = tuple(change for change in folder.record.changes if change.number in made)
    task, record = Record(changes=changes).replay(folder.given)
    return task, Lineage(epochs).continued(task, started), record.priors


def _as_running(trial: Trial) -> Trial:
    return Trial(
        number=trial.number,
        proposal=trial.proposal,
        state=TrialState.RUNNING,
        seed=trial.seed,
        started_at=trial.started_at,
        cost=trial.cost,
    )


def _before_first(events: Sequence[Event]) -> list[Event]:
    """Events up to the first trial's start: what a language model said of the priors may be among them."""
    kept: list[Event] = []
    for event in events:
        if isinstance(event, TrialStarted):
            break
        kept.append(event)
    return [event for event in kept if isinstance(event, PriorsElicited | RunStarted | Steered)]
