"""What earlier sittings of a run leave to the next one, read from the log."""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith.budget import Spend
from tunesmith.events import (
    Confirmed,
    Decided,
    ElicitedPrior,
    Event,
    PriorsElicited,
    RunFinished,
    RunStarted,
    TrialStarted,
)
from tunesmith.interfaces import Decision
from tunesmith.task import Task


def nothing_left(before: Sequence[Event], used: Spend, task: Task) -> str | None:
    """Why there is nothing to continue, or None. Raising a budget makes a finished run continue."""
    last = _last_ending(before)
    if last is None or last.status != "finished" or _more_trials(last, task):
        return None
    if last.by_budget and used.exhausted(task.budget) is None:
        return None
    return last.reason


def standing_plan(before: Sequence[Event], task: Task) -> Decision | None:
    """A decision to end the search that was made before the comparison was interrupted; it still holds."""
    last = _last_ending(before)
    if last is not None and (last.status == "finished" or _more_trials(last, task)):
        return None
    for event in reversed(before):
        if isinstance(event, Decided):
            return event.decision if event.decision.stop is not None else None
        if isinstance(event, TrialStarted):
            return None
    return None


def _last_ending(before: Sequence[Event]) -> RunFinished | None:
    """How the latest sitting ended; None where it was killed, or there was none."""
    for event in reversed(before):
        if isinstance(event, RunFinished):
            return event
        if isinstance(event, RunStarted):
            return None
    return None


def _more_trials(ending: RunFinished, task: Task) -> bool:
    return ending.budget_trials is not None and task.budget.trials > ending.budget_trials


def stated_beliefs(before: Sequence[Event]) -> tuple[ElicitedPrior, ...] | None:
    """What a model stated in this run; None where it has not been asked. The first statement stands."""
    return next((event.beliefs for event in before if isinstance(event, PriorsElicited)), None)


def verdict(before: Sequence[Event]) -> str:
    return next((e.text for e in reversed(before) if isinstance(e, Confirmed) and e.text), "")
