"""What the log of a run says as a whole. The log alone is read, so that a kill -9 loses nothing."""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith.budget import ModelSpend, Spend
from tunesmith.commands import SetPrior
from tunesmith.events import (
    Confirmed,
    ElicitedPrior,
    Event,
    ModelCalled,
    PriorsElicited,
    Recommended,
    RunFinished,
    RunStarted,
    Steered,
)
from tunesmith.history import History
from tunesmith.recommendation import Recommendation
from tunesmith.runs import feasible_configurations


def last_ending(events: Sequence[Event]) -> RunFinished | None:
    """How the latest session ended; None where it has not, was killed, or there was none."""
    last = next((event for event in reversed(events) if isinstance(event, RunFinished | RunStarted)), None)
    return last if isinstance(last, RunFinished) else None


def elicited_priors(events: Sequence[Event]) -> tuple[ElicitedPrior, ...] | None:
    """Priors elicited from a model in this run, all parts of its answer; None where it was not asked."""
    told = [event for event in events if isinstance(event, PriorsElicited)]
    return tuple(belief for event in told for belief in event.beliefs) if told else None


def priors_of_people(events: Sequence[Event]) -> tuple[SetPrior, ...]:
    """What people expect, by commands that were not taken back; the latest on each hyperparameter."""
    told = [event for event in events if isinstance(event, Steered)]
    gone = {event.undone for event in told}
    found = (event.command for event in told if event.change not in gone)
    return tuple({c.parameter: c for c in found if isinstance(c, SetPrior)}.values())


def latest_recommendation(events: Sequence[Event]) -> Recommendation | None:
    """What the latest session to end recommended; None in a run of before there was such an event."""
    found = (e.recommendation for e in reversed(events) if isinstance(e, Recommended))
    return next(found, None)


def recommended(events: Sequence[Event], history: History) -> Recommendation | None:
    """The latest recommendation as far as it holds for `history`.

    None where another trial is the best by now, where the limits were changed since and it breaks one, alone
    or by the mean of its runs, or where the search space was changed since and its trial does not count in
    the one of now. The same values have another digest in another space, so values are compared.
    """
    found, best = latest_recommendation(events), history.incumbent
    if found is None or best is None or best.number != found.best_trial:
        return None
    kept = {runs.configuration for runs in feasible_configurations(history)}
    feasible = (t for t in history.feasible if t.configuration in kept)
    trial = next((t for t in feasible if t.number == found.trial), None)
    if trial is None:
        return None
    if trial.configuration == found.configuration:
        return found
    if any(trial.configuration.get(name) != value for name, value in found.configuration.items()):
        return None
    return found.model_copy(update={"configuration": trial.configuration})


def standing_recommendation(events: Sequence[Event]) -> Recommendation | None:
    """What was recommended, unless a session has begun since: then its trials have not been judged yet."""
    last = next((e for e in reversed(events) if isinstance(e, RunStarted | Recommended)), None)
    return last.recommendation if isinstance(last, Recommended) else None


def verdict(events: Sequence[Event]) -> str:
    """The latest result of comparing the best configuration with the default; empty without one."""
    return next((e.text for e in reversed(events) if isinstance(e, Confirmed) and e.text), "")


def spent(events: Sequence[Event], history: History) -> Spend:
    """Trials, seconds and the search's model use over all sessions.

    A session lasts from its start to its end or, if it was killed, to its last event, by the clock that its
    events carry: nobody sets that one, and it stands still while the machine sleeps. Between two sessions no
    time passes. Lost trials are not counted, because they are run again.
    """
    seconds, model = 0.0, ModelSpend()
    began: Event | None = None
    last, clock = 0.0, 0.0
    for event in events:
        if isinstance(event, RunStarted | RunFinished):
            if began is not None:
                until = event if isinstance(event, RunFinished) else None
                seconds += _lasted(began, until.at if until else last, until.clock if until else clock)
            began, last, clock = event, event.at, event.clock
            if isinstance(event, RunFinished):
                began = None
        elif isinstance(event, ModelCalled) and event.budget == "search":
            model = event.spend
        last, clock = max(last, event.at), max(clock, event.clock)
    if began is not None:
        seconds += _lasted(began, last, clock)
    return Spend(trials=history.paid, seconds=seconds, cost=history.cost, model=model)


def conversation_spent(events: Sequence[Event]) -> ModelSpend:
    """What questions and instructions of people have cost, over all sessions."""
    asked = (e for e in reversed(events) if isinstance(e, ModelCalled) and e.budget == "conversation")
    last = next(asked, None)
    return ModelSpend() if last is None else last.spend


def _lasted(began: Event, until_at: float, until_clock: float) -> float:
    """Seconds of a session; by the wall clock where its log is of before events carried another one."""
    if began.clock and until_clock:
        return max(0.0, until_clock - began.clock)
    return max(0.0, until_at - began.at)
