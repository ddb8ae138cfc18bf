"""Asks the strategy what it recommends, and records it."""

from __future__ import annotations

import logging

from tunesmith.events import Degraded, Noted, Recommended
from tunesmith.history import History
from tunesmith.interfaces import Emit, Strategy
from tunesmith.recommendation import Recommendation, by_best_value, none_recommended
from tunesmith.text.cleaning import error_line

log = logging.getLogger(__name__)


def recommend(strategy: Strategy, history: History, emit: Emit) -> Recommendation | None:
    """What the strategy recommends, else the best value; None while no configuration is feasible."""
    try:
        found = strategy.recommend(history)
    except Exception as error:  # a strategy's fault must not cost the run its end
        log.exception("the %s strategy recommends nothing", strategy.name)
        cause, how = error_line(error)[:500], "the configuration of the best value is recommended"
        emit(Degraded(what="fallback", where=f"strategy {strategy.name}", cause=cause, continuation=how))
        found = by_best_value(history)
    if found is not None and all(trial.number != found.trial for trial in history.feasible):
        cause = f"trial {found.trial}, which it recommends, is not feasible"
        how = "the configuration of the best feasible value is recommended"
        emit(Degraded(what="rejected", where=f"strategy {strategy.name}", cause=cause, continuation=how))
        found = by_best_value(history)
    if found is None and (why := none_recommended(history)):
        emit(Noted(text=f"Nothing is recommended: {why}."))
    if found is not None:
        emit(Recommended(recommendation=found, text=found.text(history)))
    return found
