"""Reads the `tuner` key: a name, or a mapping with `method`, `preset` and settings of LLAMBO side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from tunesmith.errors import TaskError, short
from tunesmith.task import faults
from tunesmith.task.tuner import METHODS, PRESET_NAMES, LlamboProtocol, TunerSpec
from tunesmith.text.suggestions import did_you_mean

NAMES = tuple(dict.fromkeys((*METHODS, *PRESET_NAMES)))
TUNER_KEYS = ("method", "preset", *LlamboProtocol.model_fields)
_EXAMPLE = "Write `tuner: hybrid`, or `tuner: {preset: llambo-paper, alpha: 0.1}`."


def read_tuner(given: Any) -> tuple[TunerSpec | None, list[TaskError]]:
    """A task's tuner, or every fault of what was given."""
    if isinstance(given, TunerSpec):
        return given, []
    if isinstance(given, str):
        return _named(given)
    if not isinstance(given, Mapping) or not given:
        return None, [
            faults.fault(("tuner",), f"should be a name or a mapping, got {short(given)}.", _EXAMPLE)
        ]
    found = [*_word("method", given, METHODS), *_word("preset", given, PRESET_NAMES)]
    settings = {str(key): value for key, value in given.items() if key not in ("method", "preset")}
    method = given.get("method", "llambo")
    if method != "llambo" and not found:
        for key in given:
            if key != "method":
                found.append(_foreign(str(key), method))
        settings = {}
    try:
        LlamboProtocol.model_validate(settings)
    except ValidationError as error:
        found += [faults.translated(item, ("tuner",), given) for item in error.errors()]
    if found:
        return None, found
    return TunerSpec(method=method, preset=given.get("preset", "llambo"), settings=settings), []


def _named(name: str) -> tuple[TunerSpec | None, list[TaskError]]:
    if name in PRESET_NAMES:
        return TunerSpec.model_validate({"method": "llambo", "preset": name}), []
    if name in METHODS:
        return TunerSpec.model_validate({"method": name}), []
    problem = f"{short(name)} is no tuner;"
    return None, [faults.fault(("tuner",), problem, did_you_mean(name, NAMES))]


def _word(key: str, given: Mapping[str, Any], allowed: tuple[str, ...]) -> list[TaskError]:
    if key not in given or given[key] in allowed:
        return []
    problem = f"{short(given[key])} is no {key} of a tuner;"
    return [faults.fault(("tuner", key), problem, did_you_mean(given[key], allowed))]


def _foreign(key: str, method: str) -> TaskError:
    if key not in TUNER_KEYS:
        return faults.fault(("tuner", key), "is not a key of a task file;", did_you_mean(key, TUNER_KEYS))
    return faults.fault(("tuner", key), f"belongs to LLAMBO, and the method is {method}.", "Remove it.")
