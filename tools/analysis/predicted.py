"""Predictions of trials beside what came of them: how far off, in spreads, and the shares within 1 and 2.

Drawn by the terminal and the report alike.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Protocol

from tunesmith.trial import Proposal


class Ended(Protocol):
    """A trial, as the records or the terminal have it."""

    @property
    def number(self) -> int: ...
    @property
    def proposal(self) -> Proposal | None: ...
    @property
    def value(self) -> float | None: ...


class Predicted(NamedTuple):
    """One completed trial that had a prediction."""

    number: int
    expected: float
    spread: float
    """Standard deviation, metric units, > 0."""
    actual: float

    @property
    def off(self) -> float:
        """(actual - expected) / spread."""
        return (self.actual - self.expected) / self.spread


def predicted(trials: Iterable[Ended]) -> list[Predicted]:
    """Completed trials that had a prediction with a spread, in the order given."""
    found = []
    for trial in trials:
        proposal = trial.proposal
        if proposal is None or trial.value is None or proposal.expected is None or not proposal.spread:
            continue
        found.append(Predicted(trial.number, proposal.expected, proposal.spread, trial.value))
    return found


def within(points: Iterable[Predicted], spreads: float) -> int:
    """How many results came within so many spreads of what was expected."""
    return sum(abs(point.off) <= spreads for point in points)
