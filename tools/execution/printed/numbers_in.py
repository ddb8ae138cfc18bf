"""Numbers and steps in a mapping that was printed, whatever form they have there."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from tunesmith.tools.records.bounds import MAX_STEP

STEP_KEYS = ("step", "epoch", "iteration", "iter", "global_step", "batch")
"""Keys that say how far training is, the first one found counts; upper and lower case alike."""
MOST_IN_A_LIST = 100_000
"""Numbers in a list that is read as the history of a metric."""
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_NO_NUMBER = {"nan": math.nan, "inf": math.inf, "infinity": math.inf}
_OF_TOTAL = re.compile(r"(\d{1,18})\s*/\s*\d+")
_MISSING = object()


def number_from(value: Any) -> float | None:
    """`value` as a float: a number, a text that is one (also `nan` and `-inf`), or a list of one number."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        try:
            return float(value)
        except OverflowError:
            return math.inf if value > 0 else -math.inf
    if isinstance(value, str) and len(value) <= 400:
        text = value.strip()
        if _NUMBER.fullmatch(text):
            return float(text)
        bare = _NO_NUMBER.get(text.lstrip("+-").lower())
        return bare if bare is None or not text.startswith("-") else -bare
    if isinstance(value, list) and len(value) == 1:
        return number_from(value[0])
    return None


def numbers_of(value: Any) -> list[float] | None:
    """A list of several numbers, such as the history of a metric, as floats; None where it is none."""
    if not isinstance(value, (list, tuple)) or not 1 < len(value) <= MOST_IN_A_LIST:
        return None
    numbers = [number_from(item) for item in value]
    return None if None in numbers else [number for number in numbers if number is not None]


def value_of(values: Mapping[str, Any], metric: str) -> tuple[bool, Any]:
    """(whether it is there, the value) of `metric`.

    `eval/accuracy` and `eval.accuracy` also name a value inside another mapping: `{"eval": {"accuracy":
    0.9}}`.
    """
    if metric in values:
        return True, values[metric]
    inner: Any = values
    for part in re.split(r"[./]", metric):
        inner = inner.get(part, _MISSING) if isinstance(inner, Mapping) else _MISSING
    return (False, None) if inner is _MISSING else (True, inner)


def step_of(values: Mapping[str, Any], metric: str) -> tuple[str | None, float | None]:
    """The key that says how far training is, with its value; `3/10` is step 3.

    Returns:
        (None, None) without such a key; (key, -1.0) where its value cannot be used as a step.
    """
    folded = {key.lower(): key for key in values if len(key) <= 20 and key != metric}
    for name in STEP_KEYS:
        if name not in folded or values[folded[name]] is None:
            continue
        value = values[folded[name]]
        of_total = _OF_TOTAL.fullmatch(value.strip()) if isinstance(value, str) and len(value) < 60 else None
        number = float(of_total[1]) if of_total else number_from(value)
        return folded[name], number if number is not None and 0 <= number <= MAX_STEP else -1.0
    return None, None


def other_numbers(values: Mapping[str, Any], metric: str) -> dict[str, float]:
    """The further metrics beside `metric`: finite numbers that are no steps."""
    found: dict[str, float] = {}
    for name, value in values.items():
        if name != metric and name.lower() not in STEP_KEYS and isinstance(value, (int, float)):
            number = number_from(value)
            if number is not None and math.isfinite(number):
                found[name] = number
    return found
