"""A budget of costs: what can still be paid for, and how much a costly trial must promise.

With c(u) the cost of a configuration, known before it is run, and s the share of the budget that is left, the
acquisition function is lowered by

    s log c(u)

so that trials are judged by their improvement for each unit of cost at first, and by the improvement alone
at the end, when what is not spent is worth nothing (Lee, Perrone, Archambeau and Seeger, *Cost-aware Bayesian
optimization*, 2020). Where trials are limited too, a cost below an equal part of what is left for each of
them counts as that part: what is saved beyond it could not be spent. What costs more than is left is not
proposed at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np

from tunesmith.errors import SpaceError
from tunesmith.history import Array, History
from tunesmith.space import Space
from tunesmith.trial import Configuration, Proposal, Value

Cost = Callable[[Mapping[str, Value]], float | None]
"""What running a configuration costs, above 0; None where that is not known, which no such budget can pay."""
DRAWS, FEW = 256, 4
EARLY, PART = 6, 0.1
"""Of the first six trials none costs much more than a tenth of what is left: they show where to search, and
next to nothing is known of what they promise (the cost-effective initial design of the paper)."""
STEEPNESS = 5.0
LEAST = 1e-300


@dataclass(frozen=True)
class Spending:
    """What is known of costs when one trial is proposed.

    Attributes:
        cost: Of a configuration.
        left: What the trial may cost at most, >= 0.
        share: left as a share of the whole budget, in [0, 1].
        part: left for each trial that may still be run, this one too; 0 where trials are not limited.
        ample: More is hardly spent on this trial, however much it promises; infinite but for the first ones.
    """

    space: Space
    cost: Cost
    left: float
    share: float
    part: float = 0.0
    ample: float = np.inf

    def allows(self, configuration: Configuration) -> bool:
        """Whether it can be paid for."""
        return self._cost(configuration) <= self.left

    def is_ample(self, configuration: Configuration) -> bool:
        """Whether it can be paid for, and costs no more than is ample."""
        return self._cost(configuration) <= min(self.left, self.ample)

    def merit(self, rows: Array) -> Array:
        """What to add to a log acquisition value at legal rows (m, c); minus infinity where too dear."""
        costs = np.array([self._cost(values) for values in self.space.values_of(rows)], dtype=np.float64)
        paid = costs <= self.left
        logs = np.log(np.where(paid, costs, 1.0))
        counted = np.maximum(logs, np.log(max(self.part, LEAST)))
        merit = -self.share * counted - STEEPNESS * np.maximum(logs - np.log(max(self.ample, LEAST)), 0.0)
        return np.where(paid, merit, -np.inf)

    def draw(self, rng: np.random.Generator, taken: Set[str]) -> Configuration | None:
        """A random configuration that is new and can be paid for; None where none of DRAWS is.

        One that costs more than is ample is drawn only where there is no other.
        """
        drawn: list[Configuration] = []
        for n in (DRAWS, FEW):
            try:
                drawn = self.space.sample(rng, n)
                break
            except SpaceError:  # what can be run is a small part of the space, or nothing
                continue
        new = [c for c in drawn if c.digest not in taken and self.allows(c)]
        return next((c for c in new if self.is_ample(c)), new[0] if new else None)

    def _cost(self, values: Mapping[str, Value]) -> float:
        cost = self.cost(values)
        return np.inf if cost is None else cost


def spending_at(
    space: Space, cost: Cost | None, history: History, trials: int = 0, proposals: Sequence[Proposal] = ()
) -> Spending | None:
    """What may be spent after a history and `proposals`; None where there is no budget of costs.

    Args:
        trials: How many may be run in all; 0 where that is not limited.
    """
    if cost is None or history.affordable is None:
        return None
    promised = sum(cost(proposal.configuration) or 0.0 for proposal in proposals)
    left = max(history.affordable - promised, 0.0)
    whole = history.cost + history.affordable
    begun = len(history.not_lost) + len(proposals)
    share = left / whole if whole > 0 else 0.0
    part = left / max(trials - begun, 1) if trials else 0.0
    ample = max(PART * left, part) if begun < EARLY else np.inf
    return Spending(space, cost, left, share, part, ample)
