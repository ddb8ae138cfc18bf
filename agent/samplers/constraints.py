"""Constraints of an Optuna study as limits of a History.

Optuna 5 keeps them in the trial (`trial.set_constraint(name, value)`, or an older `constraints_func`), and a
trial is feasible where all its values are at most 0. Each name becomes a metric `constraint NAME` with the
limit `<= 0`.

A trial without a constraint that others have keeps it, as `study.best_trial` has it: constraints may be set
in some branches only. Trials from before the first constraint of the study are no such ones: none was asked
for yet, so they are not known to be feasible.

A program may set a constraint and, where it is broken, prune: such a trial counts as a failed one, from which
the search learns where trials do not work.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from tunesmith.goals import Limit
from tunesmith.history import History
from tunesmith.trial import TrialState

PREFIX = "constraint "
BEYOND = 2.0
"""An infinite value counts as this many times the largest finite one, so that a model of it stays one."""
MOST = 1e150
"""Larger values are cut: their squares must be floats."""


def with_constraints(history: History, constraints: Mapping[int, Mapping[str, float]]) -> History:
    """The history with the limits that its trials' constraints make.

    Args:
        constraints: By number of the trial; those of trials without any may be missing.
    """
    told = {number: found for number, found in constraints.items() if found}
    names = list(dict.fromkeys(name for number in sorted(told) for name in told[number]))
    if not names:
        return history
    first = min(told)
    columns = {name: _finite([found[name] for found in told.values() if name in found]) for name in names}
    trials = []
    for trial in history.trials:
        if trial.state not in (TrialState.COMPLETED, TrialState.PRUNED) or trial.number < first:
            trials.append(trial)
            continue
        here = told.get(trial.number, {})
        values = {
            PREFIX + name: _within(here[name], reach) if name in here else usual
            for name, (reach, usual) in columns.items()
        }
        changes: dict[str, object] = {"values": {**trial.values, **values}}
        if trial.state is TrialState.PRUNED and any(not value <= 0 for value in here.values()):
            changes["state"] = TrialState.CRASHED
        trials.append(trial.model_copy(update=changes))
    limits = tuple(Limit(metric=PREFIX + name, operator="<=", bound=0.0) for name in names)
    return replace(history, trials=tuple(trials), limits=limits)


def _finite(values: Sequence[float]) -> tuple[float, float]:
    """How far from 0 a value may lie, and what a trial counts as that did not set it.

    That is the value of the trial that keeps it by most: the search goes along the border, so those that keep
    it barely say nothing of a branch without it.
    """
    known = np.array([v for v in values if math.isfinite(v) and abs(v) <= MOST])
    reach = BEYOND * float(np.abs(known).max(initial=0.0)) or 1.0
    least = float(known.min(initial=0.0))
    return reach, least if least < 0 else -reach / BEYOND


def _within(value: float, reach: float) -> float:
    return reach if math.isnan(value) else min(max(value, -reach), reach)
