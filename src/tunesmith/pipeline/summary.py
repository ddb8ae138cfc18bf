"""What `tunesmith check` says of a pipeline: stages, what is chosen for each, and what an item costs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from tunesmith.pipeline.allocation import FIELDS
from tunesmith.pipeline.offered import FloatRange, Offered, Range
from tunesmith.pipeline.settings import PipelineSettings
from tunesmith.space.values import show
from tunesmith.text.numbers import counted, readable
from tunesmith.trial import Value

DRAWN = 1000
"""Allocations by which the share within the budget is estimated where there are too many to count."""
_LONG = 8
"""Values of a field that are shown."""


def summary(options: PipelineSettings, default: Mapping[str, Value] | None) -> Iterator[str]:
    """Lines for a person, each without an indent.

    Args:
        default: The allocation that is tried first, where there is one.
    """
    yield f"{counted(len(options.stages), 'stage')}; {_goal(options)}"
    width = max(map(len, options.stages))
    for name, stage in options.stages.items():
        reach = options.costs.reach(name)
        cost = readable(reach.least) + (f" to {readable(reach.most)}" if reach.most > reach.least else "")
        gate = f"; where {stage.when}" + (
            f", {stage.share:g} of the items a round" if stage.share < 1 else ""
        )
        yield f"  {name:<{width}}  {cost} {options.basis.unit}{gate if stage.when else ''}"
        yield f"  {'':<{width}}  " + "; ".join(_fields(options, name))
    yield _cost_model(options)
    yield from _prices(options)
    reach = options.costs.reach()
    usual = "" if default is None else f", the default {readable(options.costs.item(default))}"
    yield f"an item costs {readable(reach.least)} to {readable(reach.most)} {options.basis.unit}{usual}"
    if options.item_budget is not None:
        yield f"the item budget of {readable(options.item_budget)} allows {_allowed(options)}"


def _goal(options: PipelineSettings) -> str:
    if options.goal == "front":
        return "quality against cost: every allocation that none beats in both"
    if options.goal == "cheapest" and options.quality is not None:
        wanted = options.quality
        sure = "" if options.items is None else f", certified with confidence {wanted.confidence:g}"
        return f"the lowest cost with quality >= {wanted.at_least:g}{sure}"
    return "the best quality" + ("" if options.item_budget is None else " within the item budget")


def _fields(options: PipelineSettings, name: str) -> Iterator[str]:
    """What is offered for every field of a stage that says something."""
    stage = options.stages[name]
    for field in FIELDS:
        offered = stage.offered(field)
        unsaid = {"samples": (1,), "aggregator": ("majority",), "agree": (0,), "rounds": (1,)}.get(field, ())
        if offered != unsaid:
            yield f"{field} {_values(field, offered)}"


def _values(field: str, offered: Offered) -> str:
    if isinstance(offered, Range | FloatRange):
        return f"{offered.low:g} to {offered.high:g}"
    shown = ["never" if field == "agree" and value == 0 else show(value) for value in offered]
    more = f" and {len(shown) - _LONG} more" if len(shown) > _LONG else ""
    return ", ".join(shown[:_LONG]) + more


def _cost_model(options: PipelineSettings) -> str:
    basis = options.basis
    told = [f"cost model {basis.name}, in {basis.unit}"]
    if "cost_model" not in options.model_fields_set:
        told.append("taken as the task names none")
    if basis.name != "calls":
        told.append(
            "a prompt is paid once for its samples" if basis.shared else "each sample pays its prompt"
        )
    if any("fusion" in stage.aggregator for stage in options.stages.values()):
        told.append("fusion is charged" if basis.fusion else "fusion is free, as published")
    return "; ".join(told)


def _prices(options: PipelineSettings) -> Iterator[str]:
    """A line for every price that counts, with its source."""
    if options.basis.name != "price":
        return
    seen = set()
    for stage in options.stages.values():
        for name, model in stage.models.items():
            if (price := model.price) is None or (name, price) in seen:
                continue
            seen.add((name, price))
            cached = "" if price.cached is None else f", {price.cached:g} cached"
            call = f", {price.call:g} a call" if price.call else ""
            source = price.source or "as the task states"
            yield (
                f"  {name}: {price.prompt:g} prompt{cached}, {price.completion:g} completion, "
                f"dollars a million tokens{call} ({source})"
            )


def _allowed(options: PipelineSettings) -> str:
    """How much of the space is within the item budget."""
    assert options.item_budget is not None
    space = options.space
    count = space.cardinality
    if count is not None and count <= DRAWN:
        every = [options.costs.item(one) for one in space.all_configurations()]
        return f"{sum(cost <= options.item_budget for cost in every):,} of {counted(count, 'allocation')}"
    drawn = space.sample(np.random.default_rng(0), DRAWN)
    share = sum(options.costs.item(one) <= options.item_budget for one in drawn) / DRAWN
    total = "" if count is None else f" of {counted(count, 'allocation')}"
    return f"about {share:.0%}{total}" if share >= 0.01 else f"less than 1%{total}"
