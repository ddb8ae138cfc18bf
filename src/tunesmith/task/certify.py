"""The key `certify` of a task: what is delivered keeps a bound, with a stated confidence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from tunesmith.errors import TaskError, short
from tunesmith.goals import Limit
from tunesmith.text.suggestions import did_you_mean
from tunesmith.trial import Frozen

_AS_TUPLE = BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value)


class Certify(Frozen):
    """A bound on the mean score of items that no trial has seen."""

    model_config = ConfigDict(strict=True)

    metric: str
    """A metric of the task that has scores by item."""
    at_least: float | None = Field(default=None, allow_inf_nan=False)
    at_most: float | None = Field(default=None, allow_inf_nan=False)
    """The bound of the metric's mean over all items of the kind; one of the two."""
    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    """Probability with which what is delivered keeps the bound."""
    scores: Annotated[tuple[float, float], _AS_TUPLE] = (0.0, 1.0)
    """Lowest and highest score that an item can have, metric units."""
    most: int = Field(default=6, ge=1, le=100)
    """Configurations that are tested at most; each is trained once by the code of `confirm`."""
    failures: int = Field(default=0, ge=0, le=10)
    """Tests that may fail before it ends, less one; every test then is `failures` + 1 times as strict."""

    @model_validator(mode="after")
    def _bounded(self) -> Certify:
        low, high = self.scores
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise ValueError("`scores` should be two rising finite numbers. Write `scores: [0, 1]`")
        if (self.at_least is None) == (self.at_most is None):
            has = "neither" if self.at_least is None else "both"
            raise ValueError(f"should have one of `at_least` and `at_most`, got {has}. Write `at_least: 0.9`")
        if not low < self.bound < high:
            name = "at_least" if self.at_most is None else "at_most"
            rule = f"`{name}` should lie between the ends of `scores`, {low:g} and {high:g}"
            raise ValueError(f"{rule}, got {self.bound:g}. Write it in the units of the scores")
        return self

    @property
    def bound(self) -> float:
        """Metric units."""
        bound = self.at_most if self.at_least is None else self.at_least
        assert bound is not None
        return bound

    @property
    def limit(self) -> Limit:
        """The same as a limit on a trial's metric."""
        return Limit(metric=self.metric, operator="<=" if self.at_least is None else ">=", bound=self.bound)


def certify_faults(certify: Certify, metrics: Sequence[str], *, fresh: bool) -> list[TaskError]:
    """What `certify` lacks elsewhere in the task: its metric, and data that the search never saw.

    Args:
        metrics: Those that a trial has.
        fresh: Whether `confirm` has code of its own.
    """
    problems = []
    if certify.metric not in metrics:
        problem = f"should be a metric of the task, got {short(certify.metric)}."
        hint = did_you_mean(certify.metric, metrics)
        fix = f"Name one of {', '.join(metrics)}" + (f": {hint}" if hint.endswith("?") else ".")
        problems.append(TaskError(problem, key="certify.metric", fix=fix))
    if not fresh:
        problem = "needs code that scores on items which the search never saw."
        fix = 'Write `confirm: {function: "test.py:test", seeds: 1}`.'
        problems.append(TaskError(problem, key="certify", fix=fix))
    return problems
