"""The value of running an allocation next, from the surrogate of quality and the cost that is known before.

| goal | value |
|---|---|
| quality | E (q - best)_+, with q cut at 1 |
| lowest cost with quality kept | P(q >= bound) log(c_best / c)_+ |
| both | expected gain of the hypervolume of (q, -log c) |

While nothing keeps the bound, c_best lies above all costs, so that what keeps it likely comes first and what
is cheap next. A limit on the cost is a rule: what is expected to cost more has no value.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tunesmith.agent.methods.agenttts.known import Known
from tunesmith.agent.methods.agenttts.options import Rows
from tunesmith.agent.methods.goals.hypervolume import Boxes, log_expected_gain, undominated
from tunesmith.goals import Limit
from tunesmith.history import Array
from tunesmith.pipeline.kind import COST, QUALITY

LEAST = 1e-300
KNOWN = 1e-6
"""Standard deviation of the logarithm of a cost."""
MARGIN = 1.5
"""How far the reference cost lies beyond all costs while nothing keeps the limits."""


class Acquisition:
    """Log value of allocations, larger is better.

    Args:
        known: The surrogate; its history has the goals.
        share: Of a budget of costs that is left, in [0, 1]: improvement counts for each unit of cost at first
            and by itself at the end (`gp/spending.py`). 0 where there is no such budget.
    """

    def __init__(self, known: Known, share: float = 0.0) -> None:
        self._known, self._share = known, share
        history, goals = known.history, known.history.goals
        self._metrics = [goal.metric for goal in goals.objectives]
        self._limits: dict[str, Limit] = {limit.metric: limit for limit in goals.limits}
        done = list({o.trial: o for o in known.ends}.values())
        numbers = {o.trial for o in done}
        self._trials = [t for t in history.scored if t.number in numbers]
        rows = known.rows([t.configuration for t in self._trials])
        self._smoothed = known.posterior.quality(rows)[0] if len(rows) else np.empty(0)
        kept = self._kept(rows)
        self.incumbent = float(self._smoothed[kept].max()) if kept.any() else 0.0
        """Expected quality of the best allocation that was run; 0 where none was."""
        self._boxes: Boxes | None = None
        costs = known.cost(rows) if len(rows) else np.empty(0)
        highest = max([*costs, float(known.cost(known.options.dearest())[0])])
        self._least_cost = float(costs[kept].min()) if kept.any() else MARGIN * highest
        if len(self._metrics) > 1:
            points = np.column_stack([self._smoothed[kept], -np.log(costs[kept])])
            reference = np.array([0.0, -np.log(MARGIN * highest)])
            self._boxes = undominated(points, reference)

    def __call__(self, rows: Rows) -> Array:
        known, posterior = self._known, self._known.posterior
        costs = known.cost(rows)
        if self._boxes is not None:
            mean, std = posterior.quality(rows)
            means, stds = np.stack([mean, -np.log(costs)]), np.stack([std, np.full(len(rows), KNOWN)])
            value = log_expected_gain(means, stds, self._boxes)
        elif self._metrics[0] == COST:
            saved = np.maximum(np.log(self._least_cost / costs), 0.0)
            value = np.log(np.maximum(saved, LEAST))
        else:
            value = np.log(np.maximum(posterior.improvement(rows, self.incumbent), LEAST))
        if (limit := self._limits.get(QUALITY)) is not None:
            value = value + np.log(np.maximum(posterior.above(rows, limit.bound), LEAST))
        if (limit := self._limits.get(COST)) is not None:
            value = np.where(costs <= limit.bound, value, -np.inf)
        return np.asarray(value - self._share * np.log(costs))

    def _kept(self, rows: Rows) -> NDArray[np.bool_]:
        """Which of the trials keep the limits, by expected quality and measured cost."""
        kept = np.ones(len(rows), dtype=bool)
        for trial, i in zip(self._trials, range(len(rows)), strict=True):
            if (limit := self._limits.get(QUALITY)) is not None:
                kept[i] &= limit.met(float(self._smoothed[i])) and trial in self._known.history.feasible
            if (limit := self._limits.get(COST)) is not None:
                kept[i] &= limit.met(trial.values.get(COST))
        return kept
