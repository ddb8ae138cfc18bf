"""What a run has spent, read from its log, so that a kill -9 forgets nothing."""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith.budget import ModelSpend, Spend
from tunesmith.events import Event, ModelCalled, RunFinished, RunStarted
from tunesmith.history import History
from tunesmith.trial import TrialState


def spent(events: Sequence[Event], history: History) -> Spend:
    """Trials, seconds and model use of all sittings in a run's log.

    A sitting lasts from its start to its end or, if it was killed, to the last that was heard of it;
    between two sittings nothing ran. Trials lost to interruptions are not counted: they are run again.
    """
    seconds, model = 0.0, ModelSpend()
    began: float | None = None
    last = 0.0
    for event in events:
        if isinstance(event, RunStarted | RunFinished):
            if began is not None:
                seconds += max(0.0, (event.at if isinstance(event, RunFinished) else last) - began)
            began = last = event.at
            if isinstance(event, RunFinished):
                began = None
        elif isinstance(event, ModelCalled):
            model = event.spend
        last = max(last, event.at)
    if began is not None:
        seconds += last - began
    trials = sum(trial.state is not TrialState.LOST for trial in history)
    return Spend(trials=trials, seconds=seconds, model=model)
