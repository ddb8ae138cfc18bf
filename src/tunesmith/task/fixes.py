"""What to write instead, for the faults of a task: a sentence where key, value or space allow one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tunesmith.errors import short
from tunesmith.text.suggestions import did_you_mean

_SCALES = ("linear", "log", "logit")
_OTHER_NAMES = {
    **dict.fromkeys(("min", "minimum", "lower", "from", "start"), "low"),
    **dict.fromkeys(("max", "maximum", "upper", "to", "stop", "end"), "high"),
    **dict.fromkeys(("values", "options", "categories", "choice", "grid"), "choices"),
    **dict.fromkeys(("q", "quantization", "by"), "step"),
    **dict.fromkeys(("log", "log_scale", "distribution", "prior"), "scale: log"),
    **dict.fromkeys(("kind", "dtype"), "type"),
}
"""What other tools call a key of a parameter."""
_OTHER_TYPES = {
    **dict.fromkeys(("choice", "choices", "enum", "category", "cat", "str", "string"), "categorical"),
    **dict.fromkeys(("integer", "randint", "long", "number"), "int"),
    **dict.fromkeys(("real", "double", "uniform", "loguniform", "continuous"), "float"),
    **dict.fromkeys(("boolean", "flag"), "bool"),
}
_LACKING = {"low": "low: 0", "high": "high: 1", "choices": "choices: [sgd, adam]"}
_DIRECTIONS = {
    **dict.fromkeys(("max", "maximise", "higher", "up", "max_is_better", "increase"), "maximize"),
    **dict.fromkeys(("min", "minimise", "lower", "down", "min_is_better", "decrease"), "minimize"),
}
"""What else people call a direction."""


def space_fix(key: tuple[str, ...], problem: str, space: Any) -> str:
    """The fix of a fault in a space; empty where the problem says it already.

    Args:
        key: Its place below `space`.
        space: What the task has there.
    """
    if "did you mean" in problem:
        wrong = re.search(r"has no key '([^']+)'", problem)
        return _renamed(wrong[1]) if wrong else ""
    last = key[-1] if key else ""
    value, parameter = _at(space, key), _at(space, key[:1])
    if wrong := re.search(r"has no key '([^']+)'", problem):
        return _renamed(wrong[1])
    if lacking := re.search(r"lacks `(\w+)`", problem):
        return f"Write `{_LACKING.get(lacking[1], lacking[1] + ': ...')}` with the value you mean."
    if last == "type" or "has no `type`" in problem:
        types = ("float", "int", "categorical", "bool", "ordinal")
        meant = _OTHER_TYPES.get(str(value).casefold()) or _close(value, types)
        return f"Write `type: {meant or 'float'}`."
    if "log scale" in problem:
        least = "1" if ": Int" in problem else "1e-5"
        return f"Write a `low` above 0, such as `low: {least}`, or `scale: linear`."
    if last in ("low", "high", "step") and isinstance(value, str):
        return _number_fix(last, value)
    if "low <= high" in problem and isinstance(parameter, Mapping):
        return f"Swap them: `low: {short(parameter.get('high'))}, high: {short(parameter.get('low'))}`."
    if "whole number" in problem and isinstance(value, float):
        return f"Write `{last}: {round(value)}`, or `type: float`."
    if last == "scale":
        return f"Write `scale: {_close(value, _SCALES) or 'log'}`."
    if last == "step":
        return "Write `step: 1`, or remove it." if "above 0" in problem else "Remove `step`, or `scale`."
    if last == "choices":
        return _choices_fix(problem, value)
    return _relation_fix(key, problem, value, space)


def pydantic_fix(key: tuple[str, ...], kind: str, value: Any, context: Mapping[str, Any]) -> tuple[str, str]:
    """The rule in words (empty: pydantic's own) and the fix, for one of pydantic's errors.

    Args:
        key: The whole place in the task.
        kind: Pydantic's name of the error.
        context: Its figures, such as `ge`.
    """
    name, plain = key[-1] if key else "key", isinstance(value, int | float | bool)
    match kind:
        case "string_type":
            return "should be text", f"Put it in quotes: `{name}: '{value}'`." if plain else "Write a text."
        case "int_type" | "int_from_float" | "int_parsing":
            return "should be a whole number", f"Write one such as `{name}: {_near_integer(value)}`."
        case "float_type" | "float_parsing" | "finite_number":
            return "should be a finite number", f"Write one such as `{name}: 0.5`."
        case "bool_type" | "bool_parsing":
            return "should be true or false", f"Write `{name}: true` or `{name}: false`."
        case "tuple_type" | "list_type":
            return "should be a list", f"Write `{name}: [{value}]`." if isinstance(value, str) else ""
        case "greater_than_equal":
            return f"should be at least {context['ge']}", f"Write `{name}: {context['ge']}` or more."
        case "less_than_equal":
            return f"should be at most {context['le']}", f"Write `{name}: {context['le']}` or less."
        case "string_too_long":
            return f"should have at most {context['max_length']:,} characters", "Shorten it."
        case "literal_error":
            options = re.findall(r"'([^']*)'", str(context.get("expected", "")))
            meant = direction_meant(value) or _close(value, options)
            return "", f"Write `{name}: {meant}`." if meant in options else ""
    return "", ""


def direction_meant(word: object) -> str:
    """`maximize` or `minimize` for another word for it; empty where it is none."""
    return _DIRECTIONS.get(str(word)[:20].casefold(), "") or _close(word, ("maximize", "minimize"))


def objective_fix(text: str) -> str:
    """What is wrong with a text that names no training code, with what to write."""
    file, _, name = text.rpartition(":")
    if file.endswith(".py") and "." in name:
        return (
            f"names a method, {short(name)}, got {short(text)}. Name a function at the top level of "
            f"{short(file)} that calls it, such as `{file}:train`"
        )
    if " " in text.strip():
        return f"is a command line, got {short(text)}. Write `objective: {{command: {short(text)}}}`"
    if text.endswith(".py"):
        return f"names no function, got {short(text)}. Write `objective: {text}:train`"
    if file and "/" not in file and not file.endswith(".py") and name.isidentifier():
        path = f"{file.replace('.', '/')}.py"
        return f"names a module, got {short(text)}. Write its file: `objective: {path}:{name}`"
    return (
        f"names no training code, got {short(text)}. Write `objective: train.py:train`, or "
        f"`objective: {{command: 'python train.py --lr {{lr}}'}}`"
    )


def near_path(path: Path) -> str:
    """`Did you mean 'train.csv'?`: the file nearest to one that is not there; empty where none is close."""
    folder = path.parent
    try:
        names = sorted(entry.name for entry in folder.iterdir())[:2000]
    except OSError:
        return f"There is no folder {short(str(folder))}."
    close = _close(path.name, names)
    return f"Did you mean {close!r}?" if close else "Check the name."


def _relation_fix(key: tuple[str, ...], problem: str, value: Any, space: Any) -> str:
    """Of faults between parameters, and of the space as a whole."""
    names = [name for name in space if name != "constraints"] if isinstance(space, Mapping) else []
    if "not a parameter" in problem:
        hint = did_you_mean(key[-1], names)
        return hint[:1].upper() + hint[1:] + ("" if hint.endswith("?") else ".")
    if "circle" in problem:
        return "Remove one `when` of them."
    if "`when`" in problem:
        return "Write `when: {NAME: VALUE}`."
    if key[:1] == ("constraints",):
        if isinstance(value, str) and len(key) == 1:
            return f"Write `constraints: [{value!r}]`."
        known = "there are" in problem or "Loosen" in problem
        return "" if known else "Write a comparison of parameters, such as `width <= 4 * depth`."
    if not key:
        return "Write the parameters, such as `space: {lr: {type: float, low: 1e-5, high: 0.1, scale: log}}`."
    if len(key) == 1 and isinstance(value, list) and len(value) > 0:
        return f"Write `{key[0]}: {{type: categorical, choices: {short(value)}}}`, or `low` and `high`."
    return ""


def _choices_fix(problem: str, value: Any) -> str:
    if "distinct" in problem:
        return "Remove one of them."
    if isinstance(value, str):
        parts = [part.strip() for part in value.split(",")]
        return f"Write `choices: [{', '.join(parts)[:80]}]`."
    return "Write at least one, such as `choices: [sgd, adam]`."


def _number_fix(name: str, value: str) -> str:
    squeezed = value.replace(" ", "").replace(",", ".")
    try:
        number = float(squeezed)
    except ValueError:
        return f"Write a number, such as `{name}: 0.1`."
    shown = round(number) if number.is_integer() and "." not in squeezed else number
    return f"Write it without quotes: `{name}: {short(shown)}`."


def _renamed(wrong: str) -> str:
    meant = _OTHER_NAMES.get(wrong.casefold())
    return "" if meant is None else f"Write `{meant}`{'' if ':' in meant else ' instead'}."


def _near_integer(value: Any) -> str:
    try:
        return str(round(float(value)))
    except (TypeError, ValueError, OverflowError):
        return "4"


def _close(value: Any, options: Sequence[str]) -> str:
    hint = re.fullmatch(r"did you mean '(.*)'\?", did_you_mean(value, options))
    return hint[1] if hint else ""


def _at(data: Any, key: tuple[str, ...]) -> Any:
    for part in key:
        if isinstance(data, Mapping):
            data = data.get(part)
        elif isinstance(data, list) and part.isdigit() and int(part) < len(data):
            data = data[int(part)]
        else:
            return None
    return data
