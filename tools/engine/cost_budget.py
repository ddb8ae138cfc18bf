"""What trials may still cost: nothing starts that the budget of costs cannot pay for (`budget.cost`).

A running trial is paid for when it starts; what is lost to an interruption is paid for when it runs again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from tunesmith.errors import SpaceError
from tunesmith.history import History
from tunesmith.seeds import rng_for
from tunesmith.task import Task
from tunesmith.trial import Configuration, Origin, Proposal

DRAWS = 256
"""Random configurations among which one that can be paid for is looked for, and the cheapest."""
FEW_DRAWS = 32
"""The same where a kind of problem is asked about each, most of which it may be unable to run."""
ROUNDS = 3
"""How often each coordinate of the cheapest one is moved, to make it cheaper still."""
PLACES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Where each coordinate is moved to: a cost that only grows with a parameter is least at one end."""


class CostBudget:
    """Used from the engine's thread."""

    def __init__(self, task: Task) -> None:
        self._task, self._budget = task, task.budget
        self.limited = task.budget.cost is not None
        self._drawn: tuple[int, list[Configuration]] = (-1, [])  # with the number of trials it was for

    def asked(self, history: History) -> History:
        """The history as a strategy is given it, with what the next trial may cost."""
        if not self.limited:
            return history
        return replace(history, affordable=self._budget.cost_left(history.cost))

    def why_not(self, proposal: Proposal, history: History, waiting: Sequence[Proposal] = ()) -> str | None:
        """Why a proposal cannot be paid for, once those waiting are; None where it can.

        A configuration that states no cost, where a budget of costs is set, cannot be counted and is not run.
        """
        if not self.limited:
            return None
        cost = self._task.cost_of(proposal.configuration)
        if cost is None:
            return "what it costs is not known, and the budget is one of costs"
        reserved = sum(self._task.cost_of(other.configuration) or 0.0 for other in waiting)
        spent = history.cost + reserved
        left = self._budget.cost_left(spent)
        if left is None or cost <= left:
            return None
        return f"it costs {cost:.4g}, and {self._left(spent)} of the cost budget are left"

    def instead(self, history: History) -> list[Proposal]:
        """Random configurations, and the cheapest one, that are new and can be paid for.

        For when a strategy proposes none. Empty where the search found none.
        """
        left = self._budget.cost_left(history.cost)
        assert left is not None
        text = self._left(history.cost)
        return [
            Proposal(
                configuration=one,
                origin=Origin.RANDOM,
                reason=f"Drawn at random among what the rest of the cost budget, {text}, pays for.",
            )
            for one in self._found(history)
            if one.digest not in history.taken and self._cost(one) <= left
        ]

    def why_over(self, history: History) -> str | None:
        """That no new configuration can be paid for; None where it is not for its cost."""
        left = self._budget.cost_left(history.cost)
        if left is None:
            return None
        found = self._found(history)
        costs = {one: self._cost(one) for one in found if one.digest not in history.taken}
        if not costs:
            return None
        least = min(costs.values())
        new = "new " if any(self._cost(one) < least for one in found) else ""
        return (
            f"the budget of {self._budget.cost:g} cost units has {self._left(history.cost)} left, "
            f"less than the cheapest {new}configuration ({least:.6g})"
        )

    def _left(self, spent: float) -> str:
        return f"{max((self._budget.cost or 0.0) - spent, 0.0):.3g}"

    def _cost(self, configuration: Configuration) -> float:
        cost = self._task.cost_of(configuration)
        return float("inf") if cost is None else cost

    def _found(self, history: History) -> list[Configuration]:
        """Random legal configurations, and the cheapest that is found from them."""
        if self._drawn[0] != len(history):
            self._drawn = len(history), self._draw(len(history))
        return self._drawn[1]

    def _draw(self, trials: int) -> list[Configuration]:
        space = self._task.space
        if space.cardinality is not None and space.cardinality <= DRAWS:
            return space.all_configurations()
        rng = rng_for(self._task.seed, "cost budget", trials)
        try:
            drawn = space.sample(rng, DRAWS if space.why_not_run is None else FEW_DRAWS)
        except SpaceError:  # a kind of problem says now that nothing can be run
            return []
        return [*drawn, *self._descent(min(drawn, key=self._cost))]

    def _descent(self, start: Configuration) -> Iterator[Configuration]:
        """Ever cheaper configurations, by moving one coordinate of the unit cube at a time."""
        space = self._task.space
        row, cheapest = space.encode(start)[0], start
        for _ in range(ROUNDS):
            before = cheapest
            for column in range(space.dimensions):
                rows = np.repeat(row[None, :], len(PLACES), axis=0)
                rows[:, column] = PLACES
                for near in space.legal_configurations(rows[space.feasible(rows)]):
                    if self._cost(near) < self._cost(cheapest):
                        row, cheapest = space.encode(near)[0], near
                        yield near
            if cheapest == before:
                return
