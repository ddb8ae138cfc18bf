"""What a search is for: metrics to optimise, the first of which is the primary one, and limits on metrics.

A limit is an outcome constraint: only a trial shows whether it is met. A trial is *feasible* when it
completed and keeps every limit; only feasible trials are ever the best one, or on the Pareto front.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import cached_property
from typing import Literal

from pydantic import Field

from tunesmith.errors import short
from tunesmith.trial import Frozen

Direction = Literal["minimize", "maximize"]
Operator = Literal["<=", ">="]
_LIMIT = re.compile(r"\s*(?P<operator><=|>=)\s*(?P<bound>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*")


class Goal(Frozen):
    """One metric that is optimised."""

    metric: str
    direction: Direction

    @property
    def sign(self) -> float:
        """+1 to maximise, -1 to minimise: `score = sign * value`."""
        return 1.0 if self.direction == "maximize" else -1.0

    @property
    def text(self) -> str:
        """Such as `maximize val_accuracy`."""
        return f"{self.direction} {self.metric}"


class Limit(Frozen):
    """A bound that a metric must keep."""

    metric: str
    operator: Operator
    bound: float = Field(allow_inf_nan=False)

    @classmethod
    def read(cls, metric: str, text: object) -> Limit:
        """A limit from what a task states, such as `<= 20`.

        Raises:
            ValueError: It is none; the message says what one looks like.
        """
        found = _LIMIT.fullmatch(text) if isinstance(text, str) and len(text) <= 100 else None
        if found is None or not math.isfinite(bound := float(found["bound"])):
            raise ValueError(f"should be a comparison with a number, such as `<= 20`, got {short(text)}")
        return cls(metric=metric, operator="<=" if found["operator"] == "<=" else ">=", bound=bound)

    @property
    def comparison(self) -> str:
        """Without the metric, as a task states it: `<= 20`."""
        short = f"{self.bound:.15g}"
        return f"{self.operator} {short if float(short) == self.bound else repr(self.bound)}"

    @property
    def text(self) -> str:
        """Such as `latency_ms <= 20`."""
        return f"{self.metric} {self.comparison}"

    @property
    def sign(self) -> float:
        """+1 where larger values break it, -1 where smaller ones do."""
        return 1.0 if self.operator == "<=" else -1.0

    def excess(self, value: float) -> float:
        """By how much a value lies beyond the bound, metric units; at most 0 where it keeps the limit."""
        return self.sign * (value - self.bound)

    def met(self, value: float | None) -> bool:
        """Whether a value keeps the limit; a missing one, or NaN, does not."""
        return value is not None and self.excess(value) <= 0


class Goals(Frozen):
    """Metrics to optimise and limits on metrics."""

    objectives: tuple[Goal, ...] = Field(min_length=1)
    """The primary one first: it is what is shown, and what ends a search."""
    limits: tuple[Limit, ...] = ()

    @property
    def primary(self) -> Goal:
        return self.objectives[0]

    @property
    def several(self) -> bool:
        """Whether there is more than one metric to optimise."""
        return len(self.objectives) > 1

    @property
    def plain(self) -> bool:
        """Whether it is one metric without any limit."""
        return not self.several and not self.limits

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The metrics that every completed trial has: those optimised, then those that only have a limit."""
        return tuple(dict.fromkeys([*(g.metric for g in self.objectives), *(x.metric for x in self.limits)]))

    def broken(self, values: Mapping[str, float]) -> tuple[Limit, ...]:
        """The limits that a trial's metrics do not keep."""
        return tuple(limit for limit in self.limits if not limit.met(values.get(limit.metric)))

    def violation(self, values: Mapping[str, float]) -> float:
        """By how much metrics break the limits together, >= 0: the sum of excesses in units of each bound.

        An excess over a bound of 0 counts in the metric's own unit. Infinite where a metric is missing.
        """
        parts = []
        for limit in self.limits:
            value = values.get(limit.metric)
            beyond = math.inf if value is None else max(limit.excess(value), 0.0)
            parts.append(beyond / (abs(limit.bound) or 1.0))
        return math.fsum(parts) if all(map(math.isfinite, parts)) else math.inf

    def dominates(self, values: Mapping[str, float], other: Mapping[str, float]) -> bool:
        """Whether metrics are as good as others in every objective, and better in one."""
        gains = [g.sign * (values[g.metric] - other[g.metric]) for g in self.objectives]
        return min(gains) >= 0 < max(gains)
