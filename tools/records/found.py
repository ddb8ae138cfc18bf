"""One result of earlier work as a new run would have it, or why it is left out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from tunesmith.errors import InvalidConfiguration
from tunesmith.task import Task
from tunesmith.task.lineage import Epoch, LeftOut, carried
from tunesmith.text.cleaning import clean
from tunesmith.trial import Configuration, Outcome, Trial, TrialState

MOST_RESULTS = 20_000
LONGEST_S = 1e9
"""A trial that says it took longer says nothing of its length."""
TAKEN_STATES = (TrialState.COMPLETED, TrialState.PRUNED, TrialState.DIVERGED)
"""Ends that say something of a configuration whatever code, machine and limits there were."""


class Found(NamedTuple):
    """One result of a source: what it is called there, and what it is here or why it is left out."""

    label: str
    configuration: Configuration | None
    outcome: Outcome | None
    seed: int
    started_at: float
    why_not: str


class Source(NamedTuple):
    """What a source holds."""

    label: str
    """Short name of it, without a path."""
    results: list[Found]
    notes: tuple[str, ...] = ()
    """What a person should know of how it was read."""


def found(
    label: str,
    values: Mapping[str, Any],
    epochs: list[Epoch],
    outcome: Outcome,
    task: Task,
    trial: Trial | None = None,
    same_metric: bool = True,
    names: set[str] | None = None,
) -> Found:
    """One result as the task would have it, or why not."""
    if outcome.state not in TAKEN_STATES:
        return left_out(label, f"it ended {outcome.state.value.replace('_', ' ')}")
    if outcome.state is TrialState.COMPLETED:
        lacking = [m for m in task.goals.names if not math.isfinite(outcome.values.get(m, math.nan))]
        if lacking:
            return left_out(label, f"it has no {' and no '.join(lacking)}")
    elif not same_metric:
        return left_out(label, "it was stopped or diverged by another metric")
    elif outcome.state is TrialState.PRUNED and not outcome.curve:
        return left_out(label, "it was stopped early without a value")
    try:
        # Validated, because a run of the same space is not looked at: its records may be anybody's.
        configuration = task.space.validate(dict(carried(values, epochs, names)))
    except (LeftOut, InvalidConfiguration) as why:
        return left_out(label, str(why))
    if not same_metric:
        outcome = outcome.changed(curve=())
    seconds = outcome.seconds if 0 <= outcome.seconds <= LONGEST_S else 0.0
    outcome = outcome.changed(traceback="", message=clean(outcome.message, 300), seconds=seconds)
    seed = trial.seed if trial is not None and 0 <= trial.seed < 2**63 else 0
    started = trial.started_at if trial is not None and 0 <= trial.started_at < LONGEST_S * 10 else 0.0
    return Found(label, configuration, outcome, seed, started, "")


def left_out(label: str, why: str) -> Found:
    return Found(label, None, None, 0, 0.0, clean(why, 300))
