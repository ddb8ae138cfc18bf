"""What each stage of a pipeline may be given, and which allocations can be afforded.

An option is the choice for one stage. An allocation is a row with the place of its option for each stage, so
that what is known of options is computed once and looked up for thousands of allocations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
from numpy.typing import NDArray

from tunesmith.history import Array
from tunesmith.pipeline.allocation import FIELDS, StageChoice, allocation
from tunesmith.pipeline.costs import stage_cost
from tunesmith.pipeline.settings import PipelineSettings
from tunesmith.space.parameter import Parameter
from tunesmith.trial import Value

Rows = NDArray[np.intp]
MOST_LEVELS = 24
"""Values of one number that are looked at, spread evenly on its scale; more are thinned."""
MOST_OPTIONS = 4000
"""Options of one stage; with more of them, numbers are thinned further."""
MOST_LISTED, DRAWS = 200_000, 100_000
"""Allocations that are listed; of more, so many are drawn, and those kept that can be afforded."""
MOST_ROWS = 3000
"""Allocations that are judged at once."""


@dataclass(frozen=True)
class StageOptions:
    """The options of one stage, each different.

    Attributes:
        name: Of the stage.
        values: Of the parameters, by name, for each option.
        choices: The same, read.
        costs: (n,) for one item, units of the cost model.
    """

    name: str
    values: tuple[Mapping[str, Value], ...]
    choices: tuple[StageChoice, ...]
    costs: Array


class Options:
    """All options of a pipeline.

    Args:
        settings: Of the task.
    """

    def __init__(self, settings: PipelineSettings) -> None:
        self.settings = settings
        self.stages = tuple(self._stage(name) for name in settings.stages)
        self._places = [frozenset(stage.choices) for stage in self.stages]
        self.budget = np.inf if settings.item_budget is None else settings.item_budget * (1 + 1e-12)

    def __len__(self) -> int:
        return len(self.stages)

    @cached_property
    def count(self) -> float:
        """How many allocations there are, the unaffordable ones counted."""
        return float(np.prod([float(len(stage.values)) for stage in self.stages]))

    def costs(self, rows: Rows) -> Array:
        """Of allocations (m, stages) for one item, shape (m,)."""
        return np.asarray(sum(stage.costs[rows[:, k]] for k, stage in enumerate(self.stages)))

    def affordable(self, rows: Rows) -> Rows:
        """Those within the task's `item_budget`."""
        return rows[self.costs(rows) <= self.budget]

    def rows(self, rng: np.random.Generator) -> Rows:
        """Affordable allocations, all of them where they are at most MOST_ROWS, else as many draws."""
        every = self._every
        if every is not None:
            return every if self.listed else every[rng.choice(len(every), MOST_ROWS, replace=False)]
        drawn = np.column_stack([rng.integers(len(s.values), size=DRAWS) for s in self.stages])
        return self.affordable(drawn)[:MOST_ROWS]

    def neighbours(self, row: Rows) -> Rows:
        """Affordable allocations that differ from one in a single stage."""
        parts = []
        for k, stage in enumerate(self.stages):
            changed = np.repeat(row[None], len(stage.values), axis=0)
            changed[:, k] = np.arange(len(stage.values))
            parts.append(changed)
        return self.affordable(np.concatenate(parts))

    def read(self, originals: Mapping[str, object]) -> tuple[StageChoice, ...]:
        """The choices of a configuration, as training code gets it; stages that are left out are alike."""
        return tuple(map(self._canonical, self.settings.allocation(originals)))

    def dearest(self) -> Rows:
        """The allocation that costs most, whether it can be afforded or not, (1, stages)."""
        return np.array([[int(np.argmax(stage.costs)) for stage in self.stages]], dtype=np.intp)

    def including(
        self, configurations: Sequence[tuple[Mapping[str, Value], Sequence[StageChoice]]]
    ) -> Options:
        """The same with the options of some configurations added, which `rows` does not draw.

        Args:
            configurations: Their values by parameter, and what was read of them.
        """
        stages = []
        for k, stage in enumerate(self.stages):
            new: dict[StageChoice, dict[str, Value]] = {}
            for values, choices in configurations:
                if choices[k] not in self._places[k]:
                    own = {n: v for n, v in values.items() if n.startswith(f"{stage.name}.")}
                    new.setdefault(choices[k], own)
            costs = np.array([stage_cost(self.settings, choice) for choice in new])
            stages.append(
                StageOptions(
                    stage.name,
                    (*stage.values, *new.values()),
                    (*stage.choices, *new),
                    np.concatenate([stage.costs, costs]),
                )
            )
        other = copy(self)
        other.stages = tuple(stages)
        return other

    def configuration(self, row: Rows) -> dict[str, Value]:
        """Values of the search's parameters for an allocation."""
        return {
            name: value for k, stage in enumerate(self.stages) for name, value in stage.values[row[k]].items()
        }

    @property
    def listed(self) -> bool:
        """Whether `rows` are all affordable allocations."""
        return self._every is not None and len(self._every) <= MOST_ROWS

    @cached_property
    def _every(self) -> Rows | None:
        """All affordable allocations; None where they are too many to list."""
        if self.count > MOST_LISTED:
            return None
        grid = np.indices([len(stage.values) for stage in self.stages]).reshape(len(self.stages), -1).T
        return self.affordable(grid)

    def _stage(self, name: str) -> StageOptions:
        stage = self.settings.stages[name]
        parameters = {
            field: parameter for field in FIELDS if (parameter := stage.parameter(field)) is not None
        }
        most = MOST_LEVELS
        while True:
            levels = {field: _levels(parameter, most) for field, parameter in parameters.items()}
            if np.prod([float(len(v)) for v in levels.values()]) <= MOST_OPTIONS or most <= 2:
                break
            most = most // 2
        kept: dict[StageChoice, dict[str, Value]] = {}
        for chosen in product(*levels.values()):
            every = {f"{name}.{field}": value for field, value in zip(levels, chosen, strict=True)}
            values = self._meaningful(every)
            read = {key: self.settings.space.parameters[key].original(value) for key, value in values.items()}
            (choice,) = allocation({name: self.settings.fixed[name]}, read)
            kept.setdefault(self._canonical(choice), values)
        choices = tuple(kept)
        costs = np.array([stage_cost(self.settings, choice) for choice in choices])
        return StageOptions(name, tuple(kept.values()), choices, costs)

    def _meaningful(self, values: dict[str, Value]) -> dict[str, Value]:
        """Without what means nothing beside the rest, such as `agree` at one sample."""
        space, most = self.settings.space, len(values) + 1
        while len(values) < most:
            most = len(values)
            values = {name: value for name, value in values.items() if space.is_active(name, values)}
        return values

    def _canonical(self, choice: StageChoice) -> StageChoice:
        """The same for all choices that leave the stage out."""
        if choice.rounds:
            return choice
        return StageChoice(choice.stage, next(iter(self.settings.stages[choice.stage].models)), rounds=0)


def _levels(parameter: Parameter, most: int) -> list[Value]:
    """The values of a parameter, or some that are spread evenly on its scale."""
    if parameter.size is not None and (parameter.size <= most or parameter.one_hot):
        return [parameter.value_at(i) for i in range(parameter.size)]
    return list(dict.fromkeys(parameter.from_unit(float(u)) for u in np.linspace(0, 1, most)))
