"""What a run has spent by trial and by purpose of a model call: events summed, in bounded memory."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import Literal

from tunesmith.budget import ModelSpend
from tunesmith.events import Event, ModelCalled, TrialFinished, TrialStarted
from tunesmith.text.literal import one_line
from tunesmith.trial import Origin, TrialState
from tunesmith.tui.spans import Role

MOST_PURPOSES = 20
DEAREST = 10
OTHERS = "other purposes"
ENDS: dict[str, tuple[TrialState, ...]] = {
    "completed": (TrialState.COMPLETED,),
    "pruned": (TrialState.PRUNED,),
    "failed": tuple(state for state in TrialState if state.failed),
    "lost": (TrialState.LOST,),
}
ROLES: dict[str, Role] = {"completed": "good", "pruned": "dim", "failed": "bad", "lost": "warn"}
_END = {state: name for name, states in ENDS.items() for state in states}


@dataclass
class Purpose:
    """Calls of a model for one purpose."""

    name: str
    """Literal."""
    budget: Literal["search", "conversation"]
    calls: int = 0
    failed: int = 0
    tokens: int = 0
    seconds: float = 0.0
    dollars: float | None = 0.0
    """None once a call of unknown price was among them."""


@dataclass
class Ended:
    """Trials that ended in one way."""

    trials: int = 0
    seconds: float = 0.0
    cost: float = 0.0
    """In units of the problem; 0 where none is stated."""


class Spending:
    """What trials and model calls have taken, folded from events; each event costs the same."""

    def __init__(self) -> None:
        self.search = ModelSpend()
        self.conversation = ModelSpend()
        self.unpriced = ""
        """The latest model that was called without a price being known; literal, empty for none."""
        self.estimated = False
        """Whether tokens of some call are an estimate."""
        self.ended: dict[str, Ended] = {name: Ended() for name in ENDS}
        """By the names of ENDS."""
        self.costed = 0
        """Trials that ended and whose cost is stated."""
        self._purposes: dict[tuple[str, str], Purpose] = {}
        self._costs: dict[int, float] = {}  # of trials that run
        self._free: set[int] = set()  # trials that run and were paid for elsewhere
        self._dearest: list[tuple[float, float, int]] = []

    @property
    def purposes(self) -> list[Purpose]:
        """Those with the most tokens first."""
        return sorted(self._purposes.values(), key=lambda each: (-each.tokens, -each.calls, each.name))

    @property
    def dearest(self) -> list[tuple[int, float | None, float]]:
        """(trial, cost, seconds) of those that took most: by cost where it is stated, else by time."""
        found = sorted(self._dearest, reverse=True)
        return [(-number, None if cost < 0 else cost, seconds) for cost, seconds, number in found]

    @property
    def trials(self) -> int:
        """Trials that ended and were paid for here."""
        return sum(each.trials for each in self.ended.values())

    def take(self, event: Event) -> bool:
        """Whether the event changed what was spent."""
        match event:
            case ModelCalled():
                self._called(event)
            case TrialStarted(number=number, cost=cost, proposal=proposal):
                self._costs.pop(number, None)
                if proposal.origin is Origin.PREVIOUS:
                    self._free.add(number)
                elif cost is not None:
                    self._costs[number] = cost
            case TrialFinished():
                return self._finished(event)
            case _:
                return False
        return True

    def _called(self, event: ModelCalled) -> None:
        if event.budget == "search":
            self.search = event.spend
        else:
            self.conversation = event.spend
        if event.dollars is None and event.spend.dollars is None:
            self.unpriced = one_line(event.model, 40) or "the model"
        self.estimated |= event.estimated
        name = one_line(event.purpose, 40)
        if (event.budget, name) not in self._purposes and len(self._purposes) >= MOST_PURPOSES:
            name = OTHERS
        known = self._purposes.setdefault((event.budget, name), Purpose(name, event.budget))
        known.calls += 1
        known.failed += not event.ok
        known.tokens += event.prompt_tokens + event.completion_tokens
        known.seconds += event.seconds
        priced = event.dollars is not None and known.dollars is not None
        known.dollars = (known.dollars or 0.0) + (event.dollars or 0.0) if priced else None

    def _finished(self, event: TrialFinished) -> bool:
        number, outcome = event.number, event.outcome
        cost = self._costs.pop(number, None)
        if number in self._free:
            self._free.discard(number)
            return False
        end = self.ended[_END.get(outcome.state, "lost")]
        end.trials += 1
        end.seconds += outcome.seconds
        if outcome.state is TrialState.LOST:
            return True  # its cost is not counted: it is run again, or paid nothing
        if cost is not None:
            end.cost += cost
            self.costed += 1
        entry = (-1.0 if cost is None else cost, outcome.seconds, -number)
        if len(self._dearest) < DEAREST:
            heapq.heappush(self._dearest, entry)
        else:
            heapq.heappushpop(self._dearest, entry)
        return True
