"""What a task with several metrics or with limits is for, and what a run of it is judged by.

One objective under limits: the value of each evaluation, none where it failed or broke a limit. Two
objectives: the share of the known front's hypervolume that the feasible evaluations so far dominate.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tunesmith.bench.metrics import hypervolume
from tunesmith.goals import Goals
from tunesmith.trial import Value

Metrics = Mapping[str, float]
"""Every metric of one evaluation, by name; empty where it failed."""


@dataclass(frozen=True)
class Aims:
    """Metrics and limits of a task.

    Attributes:
        goals: One objective with limits, or two objectives with or without.
        measure: Every metric of a configuration.
        reference: Of two objectives: the point that bounds the hypervolume, metric units.
        most: Hypervolume of the known front; 1 where none is known.
    """

    goals: Goals
    measure: Callable[[Mapping[str, Value]], Metrics]
    reference: tuple[float, ...] = ()
    most: float = 1.0

    def __post_init__(self) -> None:
        n = len(self.goals.objectives)
        assert n <= 2 and len(self.reference) == (n if n > 1 else 0)

    def feasible(self, metrics: Metrics) -> bool:
        """Whether an evaluation has every metric and keeps every limit."""
        return all(name in metrics for name in self.goals.names) and not self.goals.broken(metrics)

    def scores(self, seen: Sequence[Metrics]) -> tuple[float, ...]:
        """What a run is judged by after each evaluation; see above."""
        objectives = self.goals.objectives
        if len(objectives) == 1:
            return tuple(m[objectives[0].metric] if self.feasible(m) else math.nan for m in seen)
        signs = np.array([-goal.sign for goal in objectives])
        reference = signs * np.array(self.reference)
        points: list[list[float]] = []
        shares = []
        for metrics in seen:
            if self.feasible(metrics):
                points.append([metrics[goal.metric] for goal in objectives])
            shares.append(hypervolume(np.array(points).reshape(-1, 2) * signs, reference) / self.most)
        return tuple(shares)
