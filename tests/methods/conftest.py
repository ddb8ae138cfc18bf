"""A study in memory: any function of a configuration, tuned by any strategy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from tunesmith.history import Direction, History
from tunesmith.interfaces import Strategy
from tunesmith.space import Space
from tunesmith.trial import Configuration, Origin, Proposal, Trial, TrialState, Value

Objective = Callable[[Configuration], float]


class Study:
    """Runs trials one after another, in memory."""

    def __init__(
        self,
        space: Space,
        objective: Objective,
        default: Mapping[str, Value] | None = None,
        direction: Direction = "maximize",
    ) -> None:
        start = space.validate(default) if default is not None else None
        self.history = History(space, "score", direction, default=start)
        self.objective = objective

    def run(self, strategy: Strategy, n: int) -> History:
        for _ in range(n):
            proposals = strategy.propose(self.history, 1)
            if not proposals:
                break
            self.tell(proposals[0])
        return self.history

    def tell(self, proposal: Proposal | Configuration, **outcome: object) -> Trial:
        """Add a finished trial; `outcome` may set state, value, curve."""
        if isinstance(proposal, Configuration):
            proposal = Proposal(configuration=proposal, origin=Origin.USER, reason="")
        fields = {"state": TrialState.COMPLETED} | outcome
        if fields["state"] is TrialState.COMPLETED and "value" not in fields:
            fields["value"] = float(self.objective(proposal.configuration))
        trial = Trial(number=len(self.history), proposal=proposal, **fields)
        self.history = self.history.with_trial(trial)
        return trial

    def without_encodings(self) -> History:
        """The same history as a resumed run would build it."""
        return replace(self.history, _rows={})


@pytest.fixture
def study() -> type[Study]:
    return Study
