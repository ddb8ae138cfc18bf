"""Costs of allocations, known before they are run. A search asks for every candidate, so answers are kept."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from tunesmith.pipeline.allocation import AGGREGATORS, StageChoice
from tunesmith.pipeline.costs.basis import Basis
from tunesmith.pipeline.offered import FloatRange, Range
from tunesmith.pipeline.rates import Rates
from tunesmith.pipeline.stages import StageSettings
from tunesmith.problem import SettingsFault
from tunesmith.trial import Value

KEPT = 2**16
"""Answers that are kept for a stage."""
_COUNTS = ("model", "samples", "aggregator", "rounds")
"""The fields that a cost depends on."""
_Choice = tuple[Any, ...]
"""Their values."""
_DEFAULTS: _Choice = ("", 1, AGGREGATORS[0], 1)


class Reach(NamedTuple):
    """The cheapest and the dearest that a stage, or an allocation, can be for one item."""

    least: float
    most: float


class KnownCosts:
    """What the stages of a pipeline cost for one item, in units of its cost model.

    Args:
        stages: In order.
        fixed: `PipelineSettings.fixed`.
        basis: The cost model and its switches.
    """

    def __init__(
        self,
        stages: Mapping[str, StageSettings],
        fixed: Mapping[str, Mapping[str, Value | None]],
        basis: Basis,
    ) -> None:
        self.basis = basis
        self.rates: dict[str, dict[str, Rates]] = {
            name: {model: basis.rates(stage, given) for model, given in stage.models.items()}
            for name, stage in stages.items()
        }
        """By stage and model."""
        self._stages = stages
        self._known: dict[str, dict[_Choice, float]] = {name: {} for name in stages}
        self._asked = tuple(
            (name, tuple((f"{name}.{field}", fixed[name].get(field)) for field in _COUNTS)) for name in stages
        )

    def stage(self, choice: StageChoice) -> float:
        """Cost of one stage: all its samples, its aggregation, in all expected rounds."""
        return self._of(choice.stage, (choice.model, choice.samples, choice.aggregator, choice.rounds))

    def by_stage(self, configuration: Mapping[str, Any]) -> dict[str, float]:
        """Cost of each stage of a configuration of the space, in order."""
        return {
            name: self._of(name, tuple([configuration.get(key, fallback) for key, fallback in fields]))
            for name, fields in self._asked
        }

    def item(self, configuration: Mapping[str, Any]) -> float:
        """Cost of a configuration for one item; finite, above 0."""
        return sum(self.by_stage(configuration).values())

    def choices(self, stage: str) -> Iterator[StageChoice]:
        """What a stage's cost depends on, at the ends of its ranges: every model and aggregator offered."""
        settings = self._stages[stage]
        ends = {field: _ends(settings.offered(field)) for field in ("samples", "rounds")}
        for model in _list(settings.offered("model")):
            for aggregator in _list(settings.offered("aggregator")):
                for samples in ends["samples"]:
                    for rounds in ends["rounds"]:
                        yield StageChoice(stage, model, samples=samples, aggregator=aggregator, rounds=rounds)

    def reach(self, stage: str | None = None) -> Reach:
        """The least and the most that a stage can cost; None: all of them together."""
        if stage is None:
            each = [self.reach(name) for name in self._stages]
            return Reach(sum(one.least for one in each), sum(one.most for one in each))
        costs = [self.stage(choice) for choice in self.choices(stage)]
        return Reach(min(costs), max(costs))

    def faults(self, item_budget: float | None) -> list[SettingsFault]:
        """Why no allocation can be run, or some has no cost."""
        least, most = self.reach()
        unit = self.basis.unit
        if not (least > 0 and math.isfinite(most)):
            problem = (
                f"gives the cheapest allocation a cost of {least:.6g} {unit} for an item and the dearest "
                f"{most:.6g}; costs have to be finite and above 0."
            )
            fix = "Name another `cost_model`, or state what its models cost."
            return [SettingsFault(("cost_model",), problem, fix)]
        if item_budget is not None and least > item_budget:
            problem = f"is {item_budget:g}, and the cheapest allocation costs {least:.6g} {unit} for an item."
            fix = f"Write `item_budget: {_rounded_up(least)}` or more, or offer cheaper models."
            return [SettingsFault(("item_budget",), problem, fix)]
        return []

    def _of(self, stage: str, choice: _Choice) -> float:
        known = self._known[stage]
        if (cost := known.get(choice)) is None:
            if len(known) >= KEPT:
                known.clear()
            cost = known[choice] = self._computed(stage, choice)
        return cost

    def _computed(self, stage: str, choice: _Choice) -> float:
        model, samples, aggregator, rounds = (
            usual if value is None else value for value, usual in zip(choice, _DEFAULTS, strict=True)
        )
        settings = self._stages[stage]
        once: float = self.rates[stage][model].known(samples, aggregator)
        if settings.when is None:
            return float(once * rounds)
        return once * math.fsum(settings.share**k for k in range(1, rounds + 1))


def _ends(offered: tuple[Any, ...] | Range | FloatRange) -> tuple[int, ...]:
    if isinstance(offered, tuple):
        return tuple(sorted({min(offered), max(offered)}))
    return tuple(sorted({int(offered.low), int(offered.high)}))


def _list(offered: tuple[Any, ...] | Range | FloatRange) -> tuple[Any, ...]:
    assert isinstance(offered, tuple)
    return offered


def _rounded_up(number: float) -> str:
    """Three digits that are not below a number."""
    text = f"{number:.3g}"
    if float(text) >= number:
        return text
    step = 10.0 ** (math.floor(math.log10(abs(number))) - 2)
    return f"{number + step:.3g}"
