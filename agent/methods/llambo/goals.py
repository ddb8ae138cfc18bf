"""A search with limits or several objectives as LLAMBO's protocol can show it: one metric, and failures.

A completed trial that breaks a limit counts as one without a result, and prompts say which limit it broke.
So it is never the best, sets no target, is in no top share, and the numeric parts learn where not to look.
Several objectives become one number to minimise, by weights that are drawn anew for every proposal (ParEGO,
see `goals/scalarise.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tunesmith.agent.methods.goals.scalarise import draw_weights, scalarise
from tunesmith.goals import Limit
from tunesmith.history import History
from tunesmith.text.cleaning import clean
from tunesmith.trial import Trial, TrialState

METRIC = "weighted_objectives"
"""What prompts call the one number that several objectives become."""
NAME_LIMIT = 60
"""Characters of a metric's name in a prompt."""
MOST_NAMED = 3
"""Broken limits that are named; more are counted."""


def weights_of(history: History, seed: int) -> tuple[float, ...]:
    """Weights of the objectives for the next proposal; one where there is one objective."""
    objectives = len(history.goals.objectives)
    return draw_weights(seed, len(history), objectives) if objectives > 1 else (1.0,)


def with_one_metric(history: History, weights: tuple[float, ...]) -> History:
    """The history with one metric, and its infeasible trials as failed ones; itself where it is such a one.

    Its limits stay, so that `broken_text` can say what such a trial broke.
    """
    goals = history.goals
    if goals.plain:
        return history
    trials = tuple(
        trial.model_copy(update={"state": TrialState.CRASHED, "value": None})
        if trial.state is TrialState.COMPLETED and goals.broken(trial.values)
        else trial
        for trial in history.trials
    )
    if not goals.several:
        return replace(history, trials=trials)
    signs = [-goal.sign for goal in goals.objectives]
    rows = np.array(
        [
            [t.values[goal.metric] for goal in goals.objectives]
            for t in trials
            if t.state is TrialState.COMPLETED
        ]
    ).reshape(-1, len(signs))
    scalars = iter(scalarise(rows * signs, weights).tolist())
    return replace(
        history,
        metric=METRIC,
        direction="minimize",
        others=(),
        trials=tuple(
            t.model_copy(update={"value": next(scalars)}) if t.state is TrialState.COMPLETED else t
            for t in trials
        ),
    )


def broken_text(trial: Trial, limits: Sequence[Limit], *, blinded: bool = False) -> str:
    """Which limits a trial without a result broke, with its values; empty where it is not for that."""
    if not trial.values or trial.state is not TrialState.CRASHED:
        return ""
    broken = [limit for limit in limits if limit.metric in trial.values]
    broken = [limit for limit in broken if not limit.met(trial.values[limit.metric])]
    if not broken or blinded:
        return "breaks a limit" if broken else ""
    named = [
        f"{_name(limit)} is {trial.values[limit.metric]:.4g}, not {limit.comparison}"
        for limit in broken[:MOST_NAMED]
    ]
    more = f", and {len(broken) - MOST_NAMED} more" if len(broken) > MOST_NAMED else ""
    return f"breaks a limit: {', '.join(named)}{more}"


def _name(limit: Limit) -> str:
    """On one line, with nothing in it that reads as a mark of a prompt."""
    return clean(limit.metric, NAME_LIMIT).replace("#", "").replace("<", "‹").replace(">", "›")
