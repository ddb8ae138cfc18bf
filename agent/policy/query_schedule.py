"""When a language model is asked: on triggers, ever less often; a run costs a handful of calls.

A question costs tokens and time, and brings less the more has been measured. So the wait for the next one
grows with the trials: two thirds of all, or a third where something happened that the model may explain
(a plateau, a surprise, failures). Over 30 trials that is 3 to 5 times, over 300 trials twice as often.
"""

from __future__ import annotations

from tunesmith.history import History
from tunesmith.tools.engine.triggers import FAILURES_IN_ROW, SURPRISE, plateau
from tunesmith.tools.records.outcomes import surprise

LEAST, LEAST_URGENT = 6, 4
"""Finished trials between two questions at least."""


def query_due(finished: int, asked_at: int | None, *, urgent: bool = False) -> bool:
    """Whether to ask after `finished` trials, having asked last after `asked_at` (None: never)."""
    if asked_at is None:
        return True
    wait = max(LEAST_URGENT, finished // 3) if urgent else max(LEAST, 2 * finished // 3)
    return finished - asked_at >= wait


def urgent(history: History) -> bool:
    """Whether the history shows something a model may explain, by the engine's own triggers."""
    latest = history.finished[-FAILURES_IN_ROW:]
    if len(latest) == FAILURES_IN_ROW and all(trial.state.failed for trial in latest):
        return True
    z = surprise(latest[-1], history.sign) if latest else None
    return (z is not None and abs(z) > SURPRISE) or plateau(history) is not None
