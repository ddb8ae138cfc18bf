"""By how much trials break the limits: one number for each, by which infeasible ones are compared."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tunesmith.goals import Limit
from tunesmith.history import Array, History
from tunesmith.trial import Trial, TrialState

LARGEST = 1e300
"""An excess is cut here: the difference of two finite numbers may be infinite."""


def violations(history: History, trials: Sequence[Trial]) -> Array:
    """Sum over the limits of log(1 + excess / m), shape (n,): 0 where all are kept, infinite without values.

    m is the median distance of the completed trials from the bound, so that the metric's unit does not count.
    """
    total = np.zeros(len(trials))
    for limit in history.limits:
        distance = np.abs(excesses(limit, history.completed))
        distance = distance[np.isfinite(distance) & (distance > 0)]
        scale = float(np.median(distance)) if len(distance) else 1.0
        total += np.log1p(np.maximum(excesses(limit, trials), 0.0) / scale)
    return total


def excesses(limit: Limit, trials: Sequence[Trial]) -> Array:
    """What each trial exceeds a limit by, metric units, (n,); infinite where it has no value for it."""
    known = (t.values.get(limit.metric) if t.state is TrialState.COMPLETED else None for t in trials)
    found = [np.inf if v is None else min(max(limit.excess(v), -LARGEST), LARGEST) for v in known]
    return np.array(found, dtype=np.float64)
