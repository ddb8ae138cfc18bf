"""A run that goes on with another task file: what of a pipeline stays as it was, what makes it another."""

from __future__ import annotations

from tunesmith.errors import short
from tunesmith.pipeline.costs.price_list import is_listed
from tunesmith.pipeline.settings import PipelineSettings

_JUDGED_BY = ("items", "score", "split", "split_seed", "program")
"""Settings that say what a trial's quality is the quality of."""
_RUN_BY = ("call", "verify", "when", "match")
"""Of a stage: what is run."""


def breaking(before: PipelineSettings, now: PipelineSettings) -> list[str]:
    """Changes after which values of earlier trials mean something else; rates only where costs are a goal.

    What costs are counted by matters to every goal: of allocations that score alike the cheaper counts.
    """
    told = [
        _clause(key, getattr(before, key), getattr(now, key))
        for key in _JUDGED_BY
        if getattr(before, key) != getattr(now, key)
    ]
    if list(before.stages) != list(now.stages):
        told.append(f"the stages were {', '.join(before.stages)} and are now {', '.join(now.stages)}")
    common = [name for name in now.stages if name in before.stages]
    for name in common:
        old, new = before.stages[name], now.stages[name]
        told += [
            _clause(f"{key} of {name}", getattr(old, key), getattr(new, key))
            for key in _RUN_BY
            if getattr(old, key) != getattr(new, key)
        ]
    if before.basis != now.basis:
        told.append(f"costs were counted by {_basis(before)} and are now by {_basis(now)}")
        return told
    if now.goal == "quality":
        return told
    for name in common:
        rates = before.costs.rates[name], now.costs.rates[name]
        told += [
            f"what {model} costs in {name} was changed"
            for model in rates[1]
            if model in rates[0] and rates[0][model] != rates[1][model]
        ]
    return told


def with_prices_of(before: PipelineSettings, now: PipelineSettings) -> PipelineSettings:
    """Settings in which prices that were looked up are those of the run so far."""
    changed = {
        (stage, name): known.models[name].price
        for stage, settings in now.stages.items()
        if (known := before.stages.get(stage)) is not None
        for name, model in settings.models.items()
        if name in known.models
        and model.id == known.models[name].id
        and is_listed(model.price)
        and is_listed(known.models[name].price)
        and model.price != known.models[name].price
    }
    if not changed:
        return now
    stated = now.model_dump(exclude_unset=True)
    for (stage, name), price in changed.items():
        stated["stages"][stage]["models"][name]["price"] = price
    return PipelineSettings.model_validate(stated)


def _basis(options: PipelineSettings) -> str:
    basis = options.basis
    shared = "prompts shared" if basis.shared else "prompts paid per call"
    return f"{basis.name} ({shared}, fusion {'charged' if basis.fusion else 'free'})"


def _clause(name: str, before: object, now: object) -> str:
    was, new = (
        "none" if one is None else one if isinstance(one, str) else short(one) for one in (before, now)
    )
    return f"{name} was {was} and is now {new}"
