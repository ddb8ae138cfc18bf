"""The allocation that a search of a pipeline begins with, where the task states none.

What people run before they tune: one sample of the largest model in every stage, as far as the budget for an
item allows.
"""

from __future__ import annotations

from typing import Any

from tunesmith.pipeline.allocation import FIELDS, StageChoice
from tunesmith.pipeline.offered import Offered
from tunesmith.pipeline.settings import PipelineSettings
from tunesmith.trial import Value


def default_allocation(options: PipelineSettings) -> dict[str, Value]:
    """A legal configuration of the space, within the item budget.

    Every field has its first or least value, and every stage, the first one first, the dearest model that the
    budget allows while the later stages have their cheapest. None is free to choose: an empty mapping.
    """
    chosen = {name: _least(options, name) for name in options.stages}
    spent = {name: options.costs.stage(choice) for name, choice in chosen.items()}
    for name, choice in chosen.items():
        left = (options.item_budget or float("inf")) - (sum(spent.values()) - spent[name])
        models = [
            StageChoice(**{**vars(choice), "model": model})
            for model in _values(options.stages[name].offered("model"))
        ]
        fitting = [one for one in models if options.costs.stage(one) <= left] or [choice]
        # Of equals the last one: the largest comes last.
        chosen[name] = max(reversed(fitting), key=options.costs.stage)
        spent[name] = options.costs.stage(chosen[name])
    return _configuration(options, chosen)


def _least(options: PipelineSettings, name: str) -> StageChoice:
    """The cheapest choice of a stage with the least of its counts."""
    stage = options.stages[name]
    counts = {field: _least_count(stage.offered(field)) for field in ("samples", "rounds")}
    return min(
        (
            StageChoice(
                name, model, samples=counts["samples"], aggregator=aggregator, rounds=counts["rounds"]
            )
            for model in _values(stage.offered("model"))
            for aggregator in _values(stage.offered("aggregator"))
        ),
        key=options.costs.stage,
    )


def _configuration(options: PipelineSettings, chosen: dict[str, StageChoice]) -> dict[str, Value]:
    space = options.space
    values: dict[str, Any] = {}
    for name, choice in chosen.items():
        for field in FIELDS:
            parameter = f"{name}.{field}"
            if parameter not in space:
                continue
            value: Any = getattr(choice, field, None)
            if field == "agree":
                value = 0 if 0 in _values(options.stages[name].offered(field)) else None
            if value is None:
                value = _first(options.stages[name].offered(field))
            values[parameter] = value
    return {name: value for name, value in values.items() if _active(options, name, values)}


def _active(options: PipelineSettings, name: str, values: dict[str, Any]) -> bool:
    conditions = options.space.conditions.get(name, {})
    return all(
        parent in values and values[parent] in wanted and _active(options, parent, values)
        for parent, wanted in conditions.items()
    )


def _values(offered: Offered) -> tuple[Any, ...]:
    assert isinstance(offered, tuple)
    return offered


def _first(offered: Offered) -> Any:
    return offered[0] if isinstance(offered, tuple) else offered.low


def _least_count(offered: Offered) -> int:
    return int(min(offered)) if isinstance(offered, tuple) else int(offered.low)
