"""The key `limits` of a task: metrics and the bounds that they must keep.

    limits: {latency_ms: "<= 20", params_m: [">= 1", "<= 5"]}

Two bounds in a list are a range.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from tunesmith.errors import TaskError, short
from tunesmith.goals import Direction, Limit
from tunesmith.space.values import is_finite, is_number, legal_text
from tunesmith.task.faults import fault

FIX = 'Write `limits: {latency_ms: "<= 20"}`.'
_MEANT = {"=<": "<=", "<": "<=", "≤": "<=", "=>": ">=", ">": ">=", "≥": ">=", "==": "=", "=": "="}
_SIDES = {
    **dict.fromkeys(("max", "maximum", "upper", "at_most", "high", "le", "lt", "<=", "<"), "<="),
    **dict.fromkeys(("min", "minimum", "lower", "at_least", "low", "ge", "gt", ">=", ">"), ">="),
}
_LOOSE = re.compile(
    r"\s*(?P<operator><=|>=|=<|=>|==|[<>=≤≥])?\s*(?P<number>[-+]?(?:\d[\d,_]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)"
    r"\s*(?P<rest>.*?)\s*"
)
_BETWEEN = re.compile(
    r"\s*(?P<low>[-+]?[\d.]+(?:[eE][-+]?\d+)?)\s*(?:<=?|\.\.+|-|to|–)\s*(?:[^\W\d][\w/.-]*\s*<=?\s*)?"
    r"(?P<high>[-+]?[\d.]+(?:[eE][-+]?\d+)?)\s*"
)
_NOT_FINITE = re.compile(r"(?i)[<>=\s+-](nan|\.nan|inf|\.inf|infinity)\s*$")
_NAMED = re.compile(r"\s*(?P<name>[^\W\d][\w/.@-]*)\s*(?P<rest>[<>=≤≥].*)")


def read_limits(
    given: Any, direction_of: Callable[[str], Direction | None]
) -> tuple[list[Limit], list[TaskError]]:
    """The limits that a task states, in its order, and the faults of them.

    Args:
        given: What stands at `limits`; of a dumped task a sequence of limits.
        direction_of: Which way a metric is optimised, as far as the task says.
    """
    if given is None:
        return [], []
    if isinstance(given, Sequence) and not isinstance(given, str):
        dumped = [one for one in map(_dumped, given) if one is not None]
        if len(dumped) == len(given):
            return dumped, _against_each_other(dumped)
    if not isinstance(given, Mapping):
        problem = f"should map names of metrics to bounds, got {short(given)}."
        return [], [fault(("limits",), problem, _mapping_fix(given))]
    limits: list[Limit] = []
    found: list[TaskError] = []
    for name, stated in given.items():
        key = ("limits", str(name))
        if not (isinstance(name, str) and legal_text(name, 100)):
            found.append(fault(key, "should be the short name of a metric, such as `latency_ms`.", FIX))
            continue
        several = stated if isinstance(stated, list | tuple) and stated else [stated]
        for text in several:
            try:
                limits.append(Limit.read(name, text))
            except ValueError:
                found.append(fault(key, *_why(name, text, direction_of(name))))
    return limits, found + _against_each_other(limits)


def _dumped(one: Any) -> Limit | None:
    """A limit as a dumped task has it."""
    try:
        return one if isinstance(one, Limit) else Limit.model_validate(one)
    except ValidationError:
        return None


def _against_each_other(limits: Sequence[Limit]) -> list[TaskError]:
    found = []
    for name in dict.fromkeys(limit.metric for limit in limits):
        key = ("limits", name)
        least, most = ([x for x in limits if (x.metric, x.operator) == (name, side)] for side in (">=", "<="))
        for side, tightest in ((least, max), (most, min)):
            if len(side) > 1:
                keep = tightest(side, key=lambda limit: limit.bound)
                shown = " and ".join(limit.comparison for limit in side[:5])
                problem = f"bounds the same side {len(side)} times: {shown}."
                found.append(fault(key, problem, f"Keep one, such as `{keep.comparison}`."))
        if len(least) == len(most) == 1 and least[0].bound > most[0].bound:
            problem = f"cannot be kept: no value is both {least[0].comparison} and {most[0].comparison}."
            low, high = (
                Limit(metric=name, operator=a, bound=b.bound) for a, b in ((">=", most[0]), ("<=", least[0]))
            )
            fix = f'Write the range as `["{low.comparison}", "{high.comparison}"]`, or keep one of the two.'
            found.append(fault(key, problem, fix))
    return found


def _why(name: str, given: Any, direction: Direction | None) -> tuple[str, str]:
    """What is wrong with a bound, and what to write."""
    usual = f'Write `{name}: "<= 20"`, or `">= 20"`, with the bound you mean.'
    if is_number(given):
        if not is_finite(given):
            return f"should have a finite bound, got {short(given)}.", usual
        return f"does not say which side is bounded, got {short(given)}.", _which_side(
            name, f"{given}", direction
        )
    if isinstance(given, Mapping):
        return f"should be a comparison, got {short(given)}.", _from_mapping(name, given) or usual
    if not isinstance(given, str) or len(given) > 200:
        return f"should be a comparison with a number, such as `<= 20`, got {short(given)}.", usual
    if between := _BETWEEN.fullmatch(given):
        fix = f'Write the two bounds as a list: `{name}: [">= {between["low"]}", "<= {between["high"]}"]`.'
        return f"should be a comparison with a number, got {short(given)}.", fix
    if (named := _NAMED.fullmatch(given)) is not None:
        return (
            f"names a metric in its bound, got {short(given)}.",
            f'Write `{name}: "{named["rest"].strip()}"`.',
        )
    if _NOT_FINITE.search(given):
        return f"should have a finite bound, got {short(given)}.", usual
    loose = _LOOSE.fullmatch(given)
    if loose is None or loose["rest"].startswith(tuple("<>=≤≥")):
        return f"should be a comparison with a number, such as `<= 20`, got {short(given)}.", usual
    number, rest = loose["number"].replace(",", "").replace("_", ""), loose["rest"]
    if not math.isfinite(float(number)):
        return f"should have a finite bound, got {short(given)}.", usual
    written = loose["operator"] or ""
    operator = _MEANT.get(written, written)
    if rest:
        problem = (
            f"should be a comparison with a number alone, got {short(given)} ({short(rest)} follows it)."
        )
        fix = f'Write it in the units in which {name} is reported: `{name}: "{operator or "<="} {number}"`.'
        return problem, fix
    if not operator:
        return f"does not say which side is bounded, got {short(given)}.", _which_side(
            name, number, direction
        )
    if operator == "=":
        problem = f"asks for one exact value, which a measured one hardly ever is, got {short(given)}."
        return (
            problem,
            f'Write a bound, or a range such as `{name}: [">= {number}", "<= {number}"]` around it.',
        )
    if written in ("<", ">"):
        problem = f"should have `{operator}`, since a value at the bound keeps a limit, got {short(given)}."
        return problem, f'Write `{name}: "{operator} {number}"`.'
    return f"should be written with plain digits and `<=` or `>=`, got {short(given)}.", (
        f'Write `{name}: "{operator} {number}"`.'
    )


def _which_side(name: str, number: str, direction: Direction | None) -> str:
    most, least = f'`{name}: "<= {number}"` for at most that', f'`{name}: ">= {number}"` for at least that'
    first, second = (least, most) if direction == "maximize" else (most, least)
    return f"Write {first}, or {second}."


def _from_mapping(name: str, given: Mapping[Any, Any]) -> str:
    """From `{max: 20}` and the like; empty where it is none."""
    sides = {_SIDES.get(str(key).casefold()): value for key, value in given.items()}
    if (
        not sides
        or None in sides
        or not all(is_number(value) and is_finite(value) for value in sides.values())
    ):
        return ""
    texts = [f'"{side} {value}"' for side, value in sorted(sides.items(), reverse=True)]
    return f"Write `{name}: {texts[0] if len(texts) == 1 else '[' + ', '.join(texts) + ']'}`."


def _mapping_fix(given: Any) -> str:
    """From `latency_ms <= 20`, alone or in a list."""
    stated = [given] if isinstance(given, str) else list(given)[:5] if isinstance(given, list | tuple) else []
    named = [_NAMED.fullmatch(text) if isinstance(text, str) and len(text) < 200 else None for text in stated]
    pairs = [f'{one["name"]}: "{one["rest"].strip()}"' for one in named if one is not None]
    return f"Write `limits: {{{', '.join(pairs)}}}`." if pairs and len(pairs) == len(stated) else FIX
