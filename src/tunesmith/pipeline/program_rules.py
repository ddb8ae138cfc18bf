"""What a pipeline can be where its stages are the calls of a program: models and temperatures, no more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunesmith.pipeline.costs.price_list import listed_price
from tunesmith.pipeline.program import Match, ProgramSettings
from tunesmith.pipeline.stages import StageSettings
from tunesmith.problem import SettingsFault

_OWN = "A program decides itself how often it calls a model and what it makes of the answers, so that"
_TUNED = {
    "samples": "sample counts",
    "rounds": "rounds",
    "aggregator": "the aggregator",
    "agree": "an early stop",
    "prompts": "prompts",
}
_CALLABLES = ("call", "verify", "when", "score")


def program_faults(
    program: ProgramSettings | None, stages: Mapping[str, StageSettings], items: str | None, score: str | None
) -> list[SettingsFault]:
    """What a task asks for that a program in its stages' place does not allow."""
    if program is None:
        return [
            SettingsFault(
                ("stages", name, "match"),
                "tells the calls of a program apart, and there is no `program`.",
                "Write `program: {command: ...}` beside `stages`, or `call: stages.py:answer` here.",
            )
            for name, stage in stages.items()
            if stage.match is not None
        ]
    faults = [fault for name, stage in stages.items() for fault in _stage_faults(name, stage)]
    if items is None:
        fix = "Write `items: items.jsonl`, one JSON object a line."
        faults.append(SettingsFault(("items",), "is missing: the program is run once for each item.", fix))
    if score is not None:
        problem = f"is {score!r}, and a program prints the score of its item itself."
        faults.append(SettingsFault(("score",), problem, "Remove it."))
    seen: dict[Match, str] = {}
    for name, stage in stages.items():
        if stage.match is not None and (other := seen.setdefault(stage.match, name)) != name:
            problem = f"is that of {other!r} too, which would get all the calls."
            fix = "Tell them apart by `model`, `header` or `system`."
            faults.append(SettingsFault(("stages", name, "match"), problem, fix))
    return faults


def _stage_faults(name: str, stage: StageSettings) -> list[SettingsFault]:
    faults = []
    if stage.match is None:
        fix = "Write such as `match: {model: gpt-4o}`; `tunesmith pipeline listen` shows what its calls have."
        faults.append(SettingsFault(("stages", name, "match"), "is missing: which calls are its own?", fix))
    for key in _CALLABLES:
        if getattr(stage, key) is not None:
            problem = f"is {getattr(stage, key)!r}, and the stages of a program have no callables."
            faults.append(SettingsFault(("stages", name, key), problem, "Remove it, or `program`."))
    usual = {key: StageSettings.model_fields[key].default for key in _TUNED}
    for key, what in _TUNED.items():
        if getattr(stage, key) != usual[key]:
            problem = (
                f"is stated. {_OWN} {what} cannot be tuned from outside; `models` and `temperature` can."
            )
            fix = (
                f"Remove `{key}`, or write the stages as Python callables (`call`), where everything can be."
            )
            faults.append(SettingsFault(("stages", name, key), problem, fix))
    return faults


def key_variables(stages: Mapping[str, StageSettings]) -> list[str]:
    """The variables with the keys of providers that models state as their own."""
    models = [model for stage in stages.values() for model in stage.models.values()]
    return [model.key_env for model in models if model.key_env is not None]


def known_prices(program: ProgramSettings, stages: Mapping[str, StageSettings]) -> dict[str, dict[str, Any]]:
    """Prices of all models that are named, as JSON, by what the provider calls them, as far as known."""
    prices = {name: price.model_dump(mode="json") for name, price in program.prices.items()}
    for stage in stages.values():
        for name, model in stage.models.items():
            called = model.id or name
            price = model.price or (None if called in prices else listed_price(called))
            if price is not None:
                prices[called] = price.model_dump(mode="json")
    return prices
