"""What a contender may do, and what is counted: items, cost, infeasible and repeated proposals."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from tunesmith.bench.pipelines.landscape import TRIALS, Landscape, Looked, active_of
from tunesmith.history import Array
from tunesmith.trial import Configuration, Value

MOST_PROPOSALS = 20
"""Proposals for each whole evaluation of the budget; a contender that mostly repeats itself ends there."""


@dataclass(frozen=True)
class Change:
    """From here on a contender would choose something else.

    Attributes:
        items: Item evaluations spent until then.
        cost: What they cost, units of the cost model.
        quality: True mean score of what it would choose now.
    """

    items: int
    cost: float
    quality: float


@dataclass(frozen=True)
class Seen:
    """An allocation that was evaluated on all of the search's items.

    Attributes:
        scores: (n,) in the order of the items.
        values: The metrics that a trial of it reports.
    """

    scores: Array
    values: dict[str, float]

    @property
    def quality(self) -> float:
        return self.values["quality"]


@dataclass
class Search:
    """One run's account. Evaluating what was evaluated before costs nothing, and is counted as a repetition.

    Attributes:
        trials: Whole evaluations that may be spent.
        budget: The same in item evaluations.
        changes: What it would have chosen, when; the last one is its choice.
        seconds: CPU time that looking up took, which is not the contender's.
        calls: Of a language model.
    """

    landscape: Landscape
    trials: int = TRIALS
    budget: int = field(init=False)
    items: int = 0
    cost: float = 0.0
    changes: list[Change] = field(default_factory=list)
    infeasible: int = 0
    repeated: int = 0
    proposals: int = 0
    seconds: float = 0.0
    calls: int = 0
    chosen: Configuration | None = None
    _upto: dict[str, int] = field(default_factory=dict)
    _whole: set[str] = field(default_factory=set)
    _best: float = -np.inf

    def __post_init__(self) -> None:
        self.budget = self.trials * self.n

    @property
    def n(self) -> int:
        """Items of one whole evaluation."""
        return len(self.landscape.items)

    @property
    def tried(self) -> int:
        """Allocations of which at least one item was evaluated."""
        return len(self._upto)

    @property
    def left(self) -> int:
        return self.budget - self.items

    @property
    def over(self) -> bool:
        """Whether there is nothing left to spend, or the known optimum is what it has chosen already."""
        if self.left < 1:
            return True
        if self.landscape.noisy or not self.changes:
            return False
        return self.changes[-1].quality >= self.landscape.optimum - 1e-12

    @property
    def stuck(self) -> bool:
        """Whether it has made so many proposals that it must mostly be repeating itself."""
        return self.proposals >= MOST_PROPOSALS * self.trials

    def legal(self, values: Mapping[str, Value]) -> Configuration | None:
        """The configuration with these values, inactive ones left out; None, counted, beyond the budget."""
        self.proposals += 1
        space = self.landscape.task.space
        active = active_of(space, values)
        if space.problems(active):
            self.infeasible += 1
            return None
        return space.validate(active)

    def evaluate(self, configuration: Configuration) -> Seen:
        """All of the search's items; the best mean so far becomes what would be chosen."""
        self.repeated += configuration.digest in self._whole
        scores = self.look(configuration, self.n)
        began = time.process_time()
        looked = self.landscape.looked(configuration)
        values = self._values(looked, self.n)
        self.seconds += time.process_time() - began
        if self._upto[configuration.digest] >= self.n:
            self._whole.add(configuration.digest)
            if values["quality"] > self._best:
                self._best = values["quality"]
                self.choose(configuration)
        return Seen(scores, values)

    def look(self, configuration: Configuration, upto: int) -> Array:
        """Scores (upto,) of the first so many items, fewer where the budget ends; only new ones are paid."""
        began = time.process_time()
        looked = self.landscape.looked(configuration)
        before = self._upto.get(configuration.digest, 0)
        upto = min(max(upto, before), before + self.left)
        places = self.landscape.items[before:upto]
        self.items += len(places)
        self.cost += float(looked.costs[places].sum())
        self._upto[configuration.digest] = upto
        scores = np.asarray(looked.scores[self.landscape.items[:upto]])
        self.seconds += time.process_time() - began
        return scores

    def partial(self, configuration: Configuration, upto: int) -> dict[str, float]:
        """The metrics of a trial that was stopped after so many items."""
        return self._values(self.landscape.looked(configuration), upto)

    def choose(self, configuration: Configuration) -> None:
        """This is what the contender would deliver now."""
        if self.chosen is not None and self.chosen.digest == configuration.digest:
            return
        self.chosen = configuration
        began = time.process_time()
        self.changes.append(Change(self.items, self.cost, self.landscape.truth(configuration)))
        self.seconds += time.process_time() - began

    def _values(self, looked: Looked, upto: int) -> dict[str, float]:
        """What `tools/pipelines/objective.py` reports."""
        places = self.landscape.items[:upto]
        values = {"quality": float(looked.scores[places].mean()), "cost": float(looked.costs[places].mean())}
        for stage, calls in looked.stage_calls.items():
            values[f"{stage}.cost"] = float(looked.stage_costs[stage][places].mean())
            values[f"{stage}.calls"] = float(calls[places].mean())
            values[f"{stage}.share"] = float((calls[places] > 0).mean())
        for stage, of in looked.stage_scores.items():
            scores = of[places]
            ran = ~np.isnan(scores)
            if ran.any():  # as in a run: a stage is judged on the items that it ran on
                values[f"{stage}.score"] = float(scores[ran].mean())
        return values
