"""One pipeline task with a table in which every allocation can be looked up, so that the optimum is known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tunesmith.history import Array
from tunesmith.pipeline.allocation import StageChoice
from tunesmith.pipeline.costs import stage_cost, stage_costs
from tunesmith.pipeline.settings import PipelineSettings
from tunesmith.space import Parameter, Space
from tunesmith.space.choices import Listed
from tunesmith.task import Task
from tunesmith.trial import Configuration, Value

TRIALS = 50
"""Whole evaluations that a search may spend; item evaluations are this times the number of its items."""
Places = NDArray[np.int64]
Choices = tuple[tuple[StageChoice, ...], ...]
"""What each stage may do, stage by stage."""


class Looked(Protocol):
    """What a table says of one allocation; arrays over its items, shape (n,)."""

    @property
    def scores(self) -> Array: ...
    @property
    def costs(self) -> Array: ...
    @property
    def stage_scores(self) -> Mapping[str, Array]: ...
    @property
    def stage_costs(self) -> Mapping[str, Array]: ...
    @property
    def stage_calls(self) -> Mapping[str, Array]: ...


class Table(Protocol):
    """Recorded samples, replayed exactly. Shared by the tasks of a seed that differ in their budget alone."""

    def looked(self, choices: tuple[StageChoice, ...]) -> Looked:
        """An allocation on all items, in the table's order."""

    def means(self, choices: Choices) -> Array:
        """Mean score over all items of every combination, an axis for each stage."""


@dataclass
class Landscape:
    """A task, its table, and which of the table's items the search may see.

    Attributes:
        items: Places (n,) in the table of the search's items, in the order in which they are evaluated.
        judges: Places of the items by which what was chosen is judged; None: the search is judged by its own,
            which are all, as the question is how soon it finds the optimum of what it can measure.
    """

    task: Task
    table: Table
    items: Places
    judges: Places | None = None
    _known: dict[str, Looked] = field(default_factory=dict, repr=False)

    @property
    def settings(self) -> PipelineSettings:
        return settings_of(self.task)

    @property
    def noisy(self) -> bool:
        return self.judges is not None

    def looked(self, configuration: Configuration) -> Looked:
        """The table's row of a configuration; all items."""
        if configuration.digest not in self._known:
            self._known[configuration.digest] = self.table.looked(self.choices(configuration))
        return self._known[configuration.digest]

    def forget(self, configuration: Configuration) -> None:
        """Keep its row no longer: those of all configurations may be too much for the memory."""
        self._known.pop(configuration.digest, None)

    def choices(self, configuration: Mapping[str, Value]) -> tuple[StageChoice, ...]:
        return self.settings.allocation(self.task.space.originals(configuration))

    def truth(self, configuration: Configuration) -> float:
        """Mean score over the judging items."""
        scores = self.looked(configuration).scores
        return float(scores.mean() if self.judges is None else scores[self.judges].mean())

    def drawn(self, rng: np.random.Generator) -> Iterator[Configuration]:
        """Every feasible configuration once, in a random order."""
        for i in rng.permutation(len(self.feasible)):
            yield self.configuration(self.feasible[i])

    def configuration(self, places: Sequence[int] | Places) -> Configuration:
        """The configuration in which each stage has the option at its place."""
        values: dict[str, Value] = {}
        for options, place in zip(self.options, places, strict=True):
            values |= options[place]
        return self.task.space.validate(values)

    @cached_property
    def options(self) -> tuple[tuple[dict[str, Value], ...], ...]:
        """For each stage in order, the values of every combination of its parameters."""
        space = self.task.space
        every = []
        for stage in self.settings.stages:
            names = [name for name in space.parameters if name.startswith(f"{stage}.")]
            rows = product(*(listed_of(space.parameters[name]) for name in names))
            active = [active_of(space, dict(zip(names, row, strict=True))) for row in rows]
            every.append(tuple({tuple(sorted(of.items())): of for of in active}.values()))
        return tuple(every)

    @cached_property
    def stage_choices(self) -> Choices:
        """As `options`."""
        choices = []
        for k, options in enumerate(self.options):
            rest = {name: v for j, other in enumerate(self.options) if j != k for name, v in other[0].items()}
            choices.append(tuple(self.choices({**rest, **values})[k] for values in options))
        return tuple(choices)

    @cached_property
    def feasible(self) -> Places:
        """Places of the options of every configuration within the budget, shape (k, stages)."""
        costs: Array = np.zeros(())
        for choices in self.stage_choices:
            costs = costs[..., None] + np.array([stage_cost(self.settings, choice) for choice in choices])
        budget = self.settings.item_budget
        return np.argwhere(costs <= (np.inf if budget is None else budget))

    @cached_property
    def truths(self) -> Array:
        """Mean scores over all items of all feasible ones, shape (k,)."""
        means = self.table.means(self.stage_choices)
        return np.asarray(means[tuple(self.feasible.T)])

    @property
    def optimum(self) -> float:
        return float(self.truths.max())

    @cached_property
    def optimum_se(self) -> float:
        """Standard error of the optimum, from the spread over the items."""
        scores = self.looked(self.configuration(self.feasible[int(self.truths.argmax())])).scores
        return float(scores.std(ddof=1) / np.sqrt(len(scores))) if len(scores) > 1 else 0.0


def settings_of(task: Task) -> PipelineSettings:
    """What a pipeline task says under `problem`."""
    assert task.problem is not None
    assert isinstance(task.problem.settings, PipelineSettings)
    return task.problem.settings


def default_of(task: Task) -> Configuration:
    """Every stage's largest model with one sample; while that costs too much, the costliest one smaller.

    Fields other than model and samples have the first of their values.
    """
    settings, space = settings_of(task), task.space
    values = {name: listed_of(parameter)[0] for name, parameter in space.parameters.items()}
    offered = {
        f"{stage}.model": [m for m in one.models if m in listed_of(space.parameters[f"{stage}.model"])]
        for stage, one in settings.stages.items()
        if f"{stage}.model" in values
    }
    while True:
        values |= {name: left[-1] for name, left in offered.items()}
        active = active_of(space, values)
        if not space.problems(active):
            return space.validate(active)
        costs = stage_costs(settings, space.originals(active))
        smaller = [name for name, left in offered.items() if len(left) > 1]
        if not smaller:  # not even the smallest models fit with what the other fields are
            return space.sample(np.random.default_rng(0))[0]
        offered[max(smaller, key=lambda name: costs[name.removesuffix(".model")])].pop()


def active_of(space: Space, values: Mapping[str, Value]) -> dict[str, Value]:
    """Values without those of parameters that are inactive, such as a repair that is not done."""
    kept: dict[str, Value] = {}
    for name in space.order:
        if name in values and space.is_active(name, kept):
            kept[name] = values[name]
    return kept


def listed_of(parameter: Parameter) -> tuple[Value, ...]:
    """The values of a parameter that lists them, or of a range of whole numbers."""
    if isinstance(parameter, Listed):
        return parameter.listed
    return tuple(range(parameter.low, parameter.high + 1))  # type: ignore[attr-defined]


def pipeline_task(settings: Mapping[str, Any], seed: int) -> Task:
    """The task of such a pipeline, with its default stated, as a run would be given it."""
    keys: dict[str, Any] = {
        "problem": {"name": "pipeline", **settings},
        "seed": seed,
        "budget": {"trials": TRIALS},
    }
    task = Task.model_validate(keys)
    return Task.model_validate({**keys, "default": dict(default_of(task))})
