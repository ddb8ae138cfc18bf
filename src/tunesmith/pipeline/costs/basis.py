"""Which cost model counts, with its switches, and what it needs to know of every stage and model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from tunesmith.pipeline.costs import agenttts, calls, flops, memory, price, seconds
from tunesmith.pipeline.costs.model import CostModel
from tunesmith.pipeline.costs.price_list import listed_price
from tunesmith.pipeline.rates import Rates
from tunesmith.pipeline.stages import ModelSettings, StageSettings
from tunesmith.problem import SettingsFault

_MODELS: dict[str, CostModel] = {
    "agenttts": agenttts.MODEL,
    "flops": flops.MODEL,
    "price": price.MODEL,
    "seconds": seconds.MODEL,
    "memory": memory.MODEL,
    "calls": calls.MODEL,
}
COST_MODELS = tuple(_MODELS)
_GUESSED = ("flops", "price", "seconds", "calls")
"""The order in which one is taken where the task names none."""
_EXAMPLES = {
    "tokens": "Write the average lengths of a call, such as `tokens: {prompt: 2048, completion: 128}`",
    "parameters": "Write the number of weights, such as `parameters: 7B`",
    "price": "Write dollars per million tokens, such as `price: {prompt: 0.15, completion: 0.6}`",
    "seconds": "Write the wall time of a call, such as `seconds: 1.5`",
}


class Basis(NamedTuple):
    """How costs are counted."""

    name: str
    """The cost model."""
    shared: bool
    fusion: bool

    @classmethod
    def of(cls, name: str, sharing: str | None, fusion: bool | None) -> Basis:
        """What a task states, with what it leaves open filled in."""
        model = _MODELS[name]
        return cls(
            name,
            model.shared if sharing is None else sharing == "shared",
            model.fusion if fusion is None else fusion,
        )

    @property
    def unit(self) -> str:
        """What costs count, such as `dollars`."""
        return _MODELS[self.name].unit

    def rates(self, stage: StageSettings, model: ModelSettings) -> Rates:
        """The coefficients of a model in a stage."""
        made = _MODELS[self.name].rates(stage, model)
        tokens = stage.tokens
        if tokens is not None:
            lengths = (tokens.prompt, tokens.completion + model.thinking, tokens.cached)
            made = replace(made, tokens=lengths, visible=tokens.completion)
        return replace(
            made,
            seconds=model.seconds or 0.0,
            shared=self.shared,
            fusion=self.fusion,
            verify=stage.verify_cost,
        )


def guessed(stages: Mapping[str, StageSettings]) -> str:
    """The cost model of a task that names none: the first for which it states enough."""
    return next(one for one in _GUESSED if next(_lacking(stages, one), None) is None)


def complete(stages: Mapping[str, StageSettings], basis: Basis) -> list[SettingsFault]:
    """Fill in what is looked up, and return a fault for each thing that the cost model lacks.

    A price that was looked up becomes part of the settings, so that a run that is continued has the same.
    """
    if basis.name == "price":
        for stage in stages.values():
            for name, model in stage.models.items():
                if model.price is None and (found := listed_price(model.id or name)) is not None:
                    stage.models[name] = model.model_copy(update={"price": found})
    faults = []
    for key, what in _lacking(stages, basis.name):
        problem = f"is not stated, and the cost model {basis.name} goes by it."
        if what == "price":
            problem = f"is not stated, and the price list has no model {key[-2]!r}."
        others = "; or name another `cost_model`, such as `calls`."
        faults.append(SettingsFault(key, problem, _EXAMPLES[what] + others))
    return faults


def _lacking(stages: Mapping[str, StageSettings], name: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """The places of what a cost model needs and a task does not state, and what it is."""
    for need in _MODELS[name].needs:
        for stage_name, stage in stages.items():
            if need == "tokens":
                if stage.tokens is None:
                    yield ("stages", stage_name, "tokens"), need
                continue
            for model_name in stage.models:
                model = stage.models[model_name]
                known = getattr(model, need) is not None
                known = known or (need == "price" and listed_price(model.id or model_name) is not None)
                if not known:
                    yield ("stages", stage_name, "models", model_name, need), need
