"""The kind of problem `pipeline`: stages of model calls, and which model each calls how often."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tunesmith.errors import SpaceError, TaskError, short
from tunesmith.pipeline.allocation import FIELDS
from tunesmith.pipeline.asked import asked_of_bank
from tunesmith.pipeline.continuing import breaking, with_prices_of
from tunesmith.pipeline.costs import item_cost
from tunesmith.pipeline.defaults import default_allocation
from tunesmith.pipeline.program import passed_variables, with_passed
from tunesmith.pipeline.program_rules import key_variables, known_prices
from tunesmith.pipeline.settings import PipelineSettings
from tunesmith.pipeline.summary import summary
from tunesmith.problem import ProblemKind
from tunesmith.registry import METHODS
from tunesmith.space import Space

QUALITY, COST = "quality", "cost"
"""Metrics of every pipeline: mean score of the items, and the measured cost for one item."""
METHOD = "agenttts"
"""The method that is made for pipelines."""
_FILLED = ("space", "objective", "metric", "direction", "metrics")
"""Keys that are the kind's alone."""


class Pipeline(ProblemKind):
    settings = PipelineSettings

    def compile(self, options: PipelineSettings, stated: Mapping[str, Any]) -> Mapping[str, Any]:
        _need_choice(options)
        filled: dict[str, Any] = {"space": options.space, "objective": f"{_worker_file()}:evaluate"}
        if options.goal == "front":
            filled["metrics"] = {QUALITY: "maximize", COST: "minimize"}
        elif options.goal == "cheapest":
            filled |= {"metric": COST, "direction": "minimize"}
        else:
            filled |= {"metric": QUALITY, "direction": "maximize"}
        _refuse_other(stated, filled)
        _need_items_for(stated.get("budget"), options)
        suggested = {**_suggested(options), **_certified(options)}
        keys = {**suggested, **stated, **filled, **_limits(options, stated)}
        keys |= _confirmed(suggested, stated)
        if options.program is not None:
            keys["env"] = with_passed(
                stated.get("env"), passed_variables(options.program, key_variables(options.stages))
            )
        return keys

    def cost(self, options: PipelineSettings, configuration: Mapping[str, Any]) -> float | None:
        return item_cost(options, configuration) * (options.split.search or 1)

    def feasible(self, options: PipelineSettings, configuration: Mapping[str, Any]) -> bool:
        return options.item_budget is None or item_cost(options, configuration) <= options.item_budget

    def breaking(self, before: PipelineSettings, now: PipelineSettings) -> list[str]:
        return breaking(before, now)

    def why_not(self, options: PipelineSettings, configuration: Mapping[str, Any]) -> str:
        cost, unit = item_cost(options, configuration), options.basis.unit
        return f"it costs {cost:.6g} {unit} for an item, and the item budget is {options.item_budget:g}"

    def continued(self, before: PipelineSettings, now: PipelineSettings) -> PipelineSettings:
        return with_prices_of(before, now)

    def summary(self, options: PipelineSettings, default: Mapping[str, Any] | None) -> Iterator[str]:
        return summary(options, default)

    def code(self, options: PipelineSettings) -> tuple[str, ...]:
        named = [options.items, options.score]
        for stage in options.stages.values():
            named += [stage.call, stage.verify, stage.when, stage.score]
        files = [name.rpartition(":")[0] for name in named if name is not None]
        return tuple(dict.fromkeys(file for file in files if file.endswith(".py")))

    def given(self, options: PipelineSettings) -> Mapping[str, Any]:
        rates = {
            stage: {model: one.as_json() for model, one in models.items()}
            for stage, models in options.costs.rates.items()
        }
        given: dict[str, Any] = {
            "pipeline": options.model_dump(mode="json"),
            "fixed": options.fixed,
            "rates": rates,
        }
        if options.replay:
            given["asked"] = asked_of_bank(options)
        if options.program is not None:
            given["cost_model"] = options.basis.name
            given["prices"] = known_prices(options.program, options.stages)
        return given


def _refuse_other(stated: Mapping[str, Any], filled: Mapping[str, Any]) -> None:
    """TaskError where a task states what the kind fills in, unless it is that very thing, as in a run's."""
    faults = [
        TaskError(
            f"is filled in by the kind of problem `pipeline`, got {short(stated[key])}.",
            key=key,
            fix="Remove it; `problem.goal` says what is looked for.",
        )
        for key in _FILLED
        if stated.get(key) is not None and not _same(key, stated[key], filled.get(key))
    ]
    if faults:
        first, *others = faults
        raise TaskError(first.problem, key=first.key, fix=first.fix, also=tuple(others))


def _need_choice(options: PipelineSettings) -> None:
    """TaskError for stages of which every field has one value."""
    tuned = (stage.parameter(field, name) for name, stage in options.stages.items() for field in FIELDS)
    if all(parameter is None for parameter in tuned):
        raise TaskError(
            "leave nothing to choose: every field has one value.",
            key="problem.stages",
            fix="Offer several, such as `models: [small, large]` or `samples: [1, 4]`.",
        )


def _need_items_for(budget: Any, options: PipelineSettings) -> None:
    """TaskError for a budget of costs where it is not known on how many items a trial spends."""
    cost = budget.get("cost") if isinstance(budget, Mapping) else getattr(budget, "cost", None)
    if cost is not None and options.split.search is None:
        raise TaskError(
            f"is {short(cost)} for all trials together, and on how many items each runs is not stated.",
            key="budget.cost",
            fix="Write `split: {search: 100}` below `problem`; `problem.item_budget` bounds one item.",
        )


def _same(key: str, stated: Any, filled: Any) -> bool:
    if key == "space" and isinstance(stated, Mapping):
        try:
            return bool(Space.from_dict(stated) == filled)
        except SpaceError:
            return False
    if key == "objective" and isinstance(stated, Mapping):
        stated = stated.get("function")
    if key in ("space", "objective") and not isinstance(stated, str):
        return True  # of a task that was read before
    if key == "objective":  # of another installation perhaps
        return bool(Path(stated).parts[-2:] == Path(filled).parts[-2:])
    if key in ("metric", "direction") and filled is None:
        return stated in (QUALITY, "maximize")  # the primary one of `metrics`
    return bool(stated == filled)


def _suggested(options: PipelineSettings) -> dict[str, Any]:
    """Keys that a task may state otherwise."""
    keys: dict[str, Any] = {"default": default_allocation(options)}
    if METHOD in METHODS.names:
        keys["tuner"] = METHOD
    if options.goal == "quality":
        keys["pruner"] = {"kind": "race"}
    else:
        keys["pruner"] = {"kind": "none"}
    if options.items is not None:
        # Samples do not depend on the seed of a training, so a second look would see the same.
        keys["confirm"] = {"function": f"{_worker_file()}:confirm", "seeds": 1, "most": 1}
    return keys


def _confirmed(suggested: Mapping[str, Any], stated: Mapping[str, Any]) -> dict[str, Any]:
    """The comparison at the end, on items of its own also where the task states only how often.

    Raises:
        TaskError: None is wanted, and what is delivered is to be certified by it.
    """
    wanted, own = stated.get("confirm"), suggested.get("confirm")
    if isinstance(wanted, Mapping) and own is not None and not {"function", "command"} & set(wanted):
        return {"confirm": {**own, "most": wanted.get("seeds", own["most"]), **wanted}}
    if "confirm" in stated and wanted is None and "certify" in suggested and "certify" not in stated:
        raise TaskError(
            "is null, and the goal of the lowest cost is certified by it on items that no trial has seen.",
            key="confirm",
            fix="Remove it, or write `certify: null` too.",
        )
    return {}


def _certified(options: PipelineSettings) -> dict[str, Any]:
    """The certificate that the goal of the lowest cost asks for, where there are items for it."""
    if options.quality is None or options.items is None:
        return {}
    wanted = options.quality
    return {"certify": {"metric": QUALITY, "at_least": wanted.at_least, "confidence": wanted.confidence}}


def _limits(options: PipelineSettings, stated: Mapping[str, Any]) -> dict[str, Any]:
    """The limits of a task with that on the quality."""
    limits = stated.get("limits")
    if options.quality is None or isinstance(limits, tuple):  # of a task that was read before
        return {}
    others = dict(limits) if isinstance(limits, Mapping) else {}
    own = f">= {options.quality.at_least}"
    if others.get(QUALITY, own) != own:
        raise TaskError(
            f"is {short(others[QUALITY])}, and `problem.quality` says {own}.",
            key=f"limits.{QUALITY}",
            fix="Remove it.",
        )
    return {"limits": {**others, QUALITY: own}}


def _worker_file() -> str:
    found = find_spec("tunesmith.tools.pipelines.objective")
    assert found is not None and found.origin is not None
    return found.origin
