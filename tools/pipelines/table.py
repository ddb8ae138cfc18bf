"""A sample bank compiled for speed: what any configuration scores and costs, in microseconds.

Notation: a *state* is an item with the output that it has so far, n is the number of items, N of states.
States 0 to n - 1 are the items before the first stage. A stage takes a state to another; a stage that is left
out, or whose gate says no, leaves it. So a configuration is a walk of n states, and its steps array lookups.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from tunesmith.errors import UsageError
from tunesmith.pipeline.allocation import StageChoice
from tunesmith.pipeline.settings import PipelineSettings
from tunesmith.pipeline.stages import FloatRange, Range
from tunesmith.tools.pipelines.votes import SampleArrays, aggregated

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_CONFIGURATIONS = 5_000_000
"""That `exhaustive` goes through."""


class Setting(NamedTuple):
    """What a sample depends on, beside its input."""

    model: str
    temperature: float | None = None
    prompt: str | None = None


class Taken(NamedTuple):
    """What a stage did to some states, one entry for each of them."""

    leads: Ints
    """The states that it led to."""
    costs: Floats
    """In units of the cost model."""
    calls: Ints
    """Calls of the model, fusion included."""


class Source(Protocol):
    """Where a table has its samples from; `ArraySource`, or a bank (`bank_table.py`)."""

    items: tuple[str, ...]
    stages: tuple[str, ...]

    def take(self, stage: int, turn: int, choice: StageChoice, states: Ints) -> Taken:
        """Run a stage for the `turn`-th time (from 0) on states."""

    def asked(self, stage: int, states: Ints) -> tuple[NDArray[np.bool_], Ints]:
        """Whether the stage's gate says that it runs, all true without a gate; and the states.

        Where the gate fails, the state is another from then on, one that no stage runs on.
        """

    def scores(self, states: Ints) -> Floats:
        """Scores of outputs as the pipeline's, in [0, 1]."""

    def stage_scores(self, stage: int, states: Ints) -> Floats | None:
        """Scores of outputs as the stage's own, NaN where there is none; None where it has no `score`."""


@dataclass(frozen=True)
class Replayed:
    """What a configuration scores and costs, item by item: arrays of shape (n,)."""

    scores: Floats
    costs: Floats
    """Units of the cost model."""
    stage_scores: dict[str, Floats]
    """NaN where the stage did not run; stages without a score of their own are missing."""
    stage_costs: dict[str, Floats]
    stage_calls: dict[str, Floats]

    @property
    def score(self) -> float:
        return float(np.mean(self.scores))

    @property
    def cost(self) -> float:
        return float(np.mean(self.costs))


@dataclass(frozen=True)
class Exhaustive:
    """Mean score and cost of every combination of stage choices, over all items.

    `scores[i, j, ...]` is that of `choices[0][i]`, `choices[1][j]`, ...
    """

    choices: tuple[tuple[StageChoice, ...], ...]
    """For each stage, in order."""
    scores: Floats
    costs: Floats

    def best(self, budget: float = math.inf) -> tuple[tuple[StageChoice, ...], float]:
        """The best score for at most `budget` an item, and the cheapest configuration that has it.

        Raises:
            UsageError: Nothing costs so little.
        """
        able = self.costs <= budget
        if not able.any():
            raise UsageError(
                f"no configuration costs at most {budget:g} an item; the least is {self.costs.min():g}"
            )
        top = self.scores[able].max()
        costs = np.where(able & (self.scores >= top), self.costs, np.inf)
        place = np.unravel_index(int(np.argmin(costs)), costs.shape)
        return tuple(choices[i] for choices, i in zip(self.choices, place, strict=True)), float(top)


class ReplayTable:
    """Every configuration of a pipeline whose samples are recorded, exactly as running it would be.

        table = ReplayTable.from_arrays(...)            or replay_table(settings, folder), of a bank
        replayed = table.evaluate(settings.allocation(configuration))
        replayed.score, replayed.cost, replayed.scores

    What a stage does to a state is worked out when it is first needed, and kept. Not for several threads.
    """

    def __init__(self, source: Source, settings: PipelineSettings | None = None) -> None:
        self.source, self.settings = source, settings
        self._steps: dict[tuple[int, int], _Step] = {}

    @classmethod
    def from_arrays(
        cls,
        *,
        items: Sequence[str],
        stages: Sequence[str],
        score: Floats,
        samples: Mapping[tuple[str, int], Mapping[Setting, SampleArrays]],
        cost: Callable[[StageChoice, int, bool], float],
        gates: Mapping[str, NDArray[np.bool_]] | None = None,
        stage_scores: Mapping[str, Floats] | None = None,
        settings: PipelineSettings | None = None,
    ) -> ReplayTable:
        """A table of samples that are there as arrays, such as those of models that sample in batches.

        For a pipeline of two stages with items a and b, where stage 1 can lead a to the outputs x and y:
        states 0 and 1 are a and b, states 2 and 3 (a, x) and (a, y), and so on. Two samples of a state agree
        where they lead to the same state.

        Args:
            items: Ids, n of them.
            stages: Names, in order.
            score: Shape (N,), of a state as the pipeline's last; NaN where it is never the last.
            samples: By stage and turn (0; of a stage that repeats also 1, ...), then by what they depend on.
            cost: What a stage costs for one item: of its choice, the number of samples that were drawn, and
                whether they were fused; units of the cost model.
            gates: By stage, shape (N,): whether it runs on the state. Stages without a gate are missing.
            stage_scores: By stage, shape (N,), of a state as the stage's output.
            settings: For `exhaustive()` without choices.
        """
        source = ArraySource(
            tuple(items), tuple(stages), score, samples, cost, gates or {}, stage_scores or {}
        )
        return cls(source, settings)

    @property
    def items(self) -> tuple[str, ...]:
        """Ids, in the order of the arrays that `evaluate` returns."""
        return self.source.items

    def evaluate(self, choices: Sequence[StageChoice], items: Ints | None = None) -> Replayed:
        """A configuration on all items, or on those at some places.

        Args:
            choices: One for each stage, in order (`settings.allocation(configuration)`).
            items: Places in `self.items`; None: all.
        Raises:
            BankMiss: A sample that it needs is not recorded.
        """
        states = np.arange(len(self.items)) if items is None else np.asarray(items, dtype=np.int64)
        costs = np.zeros(len(states))
        by_stage: dict[str, _Walk] = {}
        stage_scores: dict[str, Floats] = {}
        for stage, choice in enumerate(choices):
            walk = by_stage[choice.stage] = self._stage(stage, choice, states)
            states, costs = walk.states, costs + walk.costs
            own = self.source.stage_scores(stage, states)
            if own is not None:
                stage_scores[choice.stage] = np.where(walk.calls > 0, own, np.nan)
        return Replayed(
            scores=self.source.scores(states),
            costs=costs,
            stage_scores=stage_scores,
            stage_costs={name: walk.costs for name, walk in by_stage.items()},
            stage_calls={name: walk.calls.astype(float) for name, walk in by_stage.items()},
        )

    def exhaustive(self, choices: Sequence[Sequence[StageChoice]] | None = None) -> Exhaustive:
        """All combinations of stage choices; what the stages before have in common is computed once.

        Args:
            choices: For each stage, in order; None: all that the settings offer.
        Raises:
            UsageError: There are too many, or a range of floats among them.
            BankMiss: As of `evaluate`.
        """
        if choices is None:
            if self.settings is None:
                raise UsageError("exhaustive() needs choices: the table was made without settings")
            choices = all_choices(self.settings)
        shape = tuple(len(of_stage) for of_stage in choices)
        if math.prod(shape) > MOST_CONFIGURATIONS:
            raise UsageError(
                f"{math.prod(shape):,} configurations are more than {MOST_CONFIGURATIONS:,}; leave some out"
            )
        scores, costs = np.empty(shape), np.empty(shape)
        n = len(self.items)
        paths: list[tuple[tuple[int, ...], Ints, Floats]] = [((), np.arange(n), np.zeros(n))]
        while paths:
            place, states, paid = paths.pop()
            stage = len(place)
            for i, choice in enumerate(choices[stage]):
                walk = self._stage(stage, choice, states)
                if stage + 1 < len(shape):
                    paths.append(((*place, i), walk.states, paid + walk.costs))
                else:
                    scores[(*place, i)] = np.mean(self.source.scores(walk.states))
                    costs[(*place, i)] = np.mean(paid + walk.costs)
        return Exhaustive(tuple(map(tuple, choices)), scores, costs)

    def reached(self, stage: int, choice: StageChoice, states: Ints) -> Ints:
        """The states that a stage's choice leads to."""
        return self._stage(stage, choice, states).states

    def _stage(self, stage: int, choice: StageChoice, states: Ints) -> _Walk:
        costs, calls = np.zeros(len(states)), np.zeros(len(states), dtype=np.int64)
        for turn in range(choice.rounds):
            asked, states = self.source.asked(stage, states)
            if asked.all():
                taken = self._taken(stage, turn, choice, states)
                states, costs, calls = taken.leads, costs + taken.costs, calls + taken.calls
                continue
            places = np.flatnonzero(asked)
            if not len(places):
                break
            taken = self._taken(stage, turn, choice, states[places])
            states = states.copy()
            states[places] = taken.leads
            costs[places] += taken.costs
            calls[places] += taken.calls
        return _Walk(states, costs, calls)

    def _taken(self, stage: int, turn: int, choice: StageChoice, states: Ints) -> Taken:
        step = self._steps.setdefault((stage, turn), _Step())
        places = step.places(states)
        column = step.column(choice)
        leads = column.leads[places]
        if (leads < 0).any():
            new = np.unique(states[leads < 0])
            column.put(step.places(new), self.source.take(stage, turn, choice, new))
            leads = column.leads[places]
        return Taken(leads, column.costs[places], column.calls[places])


class _Walk(NamedTuple):
    """What a stage did to the states of some items, in all its rounds."""

    states: Ints
    costs: Floats
    calls: Ints


@dataclass
class _Column:
    """What one choice does to the states that a step has met, by their places."""

    leads: Ints
    """-1: not worked out."""
    costs: Floats
    calls: Ints

    def grow(self, size: int) -> None:
        more = size - len(self.leads)
        self.leads = np.concatenate([self.leads, np.full(more, -1)])
        self.costs = np.concatenate([self.costs, np.zeros(more)])
        self.calls = np.concatenate([self.calls, np.zeros(more, dtype=np.int64)])

    def put(self, places: Ints, taken: Taken) -> None:
        self.leads[places], self.costs[places], self.calls[places] = taken


@dataclass
class _Step:
    """One turn of one stage: the states that it has met, and a column for each choice."""

    met: Ints = field(default_factory=lambda: np.full(0, -1))
    """Place of a state in the columns, by state; -1: not met."""
    count: int = 0
    columns: dict[StageChoice, _Column] = field(default_factory=dict)

    def places(self, states: Ints) -> Ints:
        if len(states) and (highest := int(states.max())) >= len(self.met):
            self.met = np.concatenate([self.met, np.full(highest + 1, -1)])
        places: Ints = self.met[states]
        if (places < 0).any():
            new = np.unique(states[places < 0])
            self.met[new] = np.arange(self.count, self.count + len(new))
            self.count += len(new)
            places = self.met[states]
        return places

    def column(self, choice: StageChoice) -> _Column:
        column = self.columns.get(choice)
        if column is None:
            empty = np.empty(0, dtype=np.int64)
            column = self.columns[choice] = _Column(empty, np.empty(0), empty)
        if len(column.leads) < self.count:
            column.grow(max(self.count, 2 * len(column.leads)))
        return column


class ArraySource:
    """Samples as arrays; see `ReplayTable.from_arrays`."""

    def __init__(
        self,
        items: tuple[str, ...],
        stages: tuple[str, ...],
        score: Floats,
        samples: Mapping[tuple[str, int], Mapping[Setting, SampleArrays]],
        cost: Callable[[StageChoice, int, bool], float],
        gates: Mapping[str, NDArray[np.bool_]],
        stage_scores: Mapping[str, Floats],
    ) -> None:
        self.items, self.stages = items, stages
        self._score, self._samples, self._cost = score, samples, cost
        self._gates = [gates.get(stage) for stage in stages]
        self._own = [stage_scores.get(stage) for stage in stages]
        self._costs: dict[tuple[StageChoice, int, bool], float] = {}

    def take(self, stage: int, turn: int, choice: StageChoice, states: Ints) -> Taken:
        setting = Setting(choice.model, choice.temperature, choice.prompt)
        arrays = self._samples.get((self.stages[stage], turn), {}).get(setting)
        if arrays is None:
            raise UsageError(f"{self.stages[stage]}: no samples of {setting} in round {turn + 1}")
        found = aggregated(arrays, choice, states)
        costs = np.array(
            [self._cost_of(choice, int(n), bool(f)) for n, f in zip(found.drawn, found.fused, strict=True)]
        )
        return Taken(found.leads, costs, found.drawn + found.fused)

    def asked(self, stage: int, states: Ints) -> tuple[NDArray[np.bool_], Ints]:
        gate = self._gates[stage]
        return (np.ones(len(states), dtype=bool) if gate is None else gate[states]), states

    def scores(self, states: Ints) -> Floats:
        scores = self._score[states]
        if np.isnan(scores).any():
            state = int(states[np.isnan(scores)][0])
            raise UsageError(f"state {state} is the last of an item, and has no score")
        return scores

    def stage_scores(self, stage: int, states: Ints) -> Floats | None:
        own = self._own[stage]
        return None if own is None else own[states]

    def _cost_of(self, choice: StageChoice, drawn: int, fused: bool) -> float:
        key = (choice, drawn, fused)
        if key not in self._costs:
            self._costs[key] = self._cost(choice, drawn, fused)
        return self._costs[key]


def all_choices(settings: PipelineSettings) -> tuple[tuple[StageChoice, ...], ...]:
    """For each stage in order, every choice that the settings offer.

    Raises:
        UsageError: A field is a range of floats.
    """
    whole = []
    for name, stage in settings.stages.items():
        offered: dict[str, tuple[Any, ...]] = {}
        for key in ("model", "samples", "temperature", "prompt", "aggregator", "agree", "rounds"):
            values = stage.offered(key)
            if isinstance(values, FloatRange):
                if values.low < values.high:
                    raise UsageError(f"{name}.{key} is a range of floats, of which there are too many")
                values = (values.low,)
            if isinstance(values, Range):
                values = tuple(range(values.low, values.high + 1))
            if values:
                offered[key] = values
        whole.append(
            tuple(
                StageChoice(
                    name,
                    **{
                        k: v
                        for k, v in zip(offered, combination, strict=True)
                        if v is not None and (k, v) != ("agree", 0)
                    },
                )
                for combination in itertools.product(*offered.values())
            )
        )
    return tuple(whole)
