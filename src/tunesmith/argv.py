"""Command lines with placeholders, filled with the values of a trial. For workers: standard library only.

    {lr}                    the value: text as it is, anything else as JSON
    {amp:--amp|--no-amp}    the first text where the value is true, else the second, which may be empty
    {hidden:items}          --hidden {hidden:items}  ->  --hidden 64 32
    {tag:each}              --tag {tag:each}         ->  --tag a --tag b; also --tag={tag:each}
    {hidden:,}              64,32
    {x:json} {x:python} {x:hydra}     as JSON, as a Python literal, as a value of a Hydra override
    {clip:none}             null as that word; also `null` and `None`

A value stays inside its argument whatever is in it. A hyperparameter without a value, because it is inactive
or null, takes its whole argument with it, and an option whose only value it would have been. Braces that hold
anything else, JSON for one, stay as they are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

WORDS = ("items", "each", "json", "python", "hydra", "null", "none", "None")
"""Forms that are words."""
_SLOT = re.compile(r"\{([A-Za-z_][\w.\-]*)(?::([^{}]*))?\}")
_HYDRA_BARE = re.compile(r"[A-Za-z_][\w./\-]*")
_HYDRA_WORDS = frozenset({"true", "false", "null", "nan", "inf"})


class Slot(NamedTuple):
    """A placeholder: the name, and the form behind the colon ("" without one)."""

    name: str
    form: str = ""

    @property
    def pair(self) -> tuple[str, str] | None:
        """The texts for true and false, of a form `yes|no`."""
        yes, bar, no = self.form.partition("|")
        return (yes, no) if bar else None

    @property
    def is_option(self) -> bool:
        """Whether what it gives is an option itself, rather than the value of one."""
        return self.pair is not None and any(text.startswith("-") for text in self.pair)

    def __str__(self) -> str:
        return f"{{{self.name}:{self.form}}}" if self.form else f"{{{self.name}}}"


def is_form(text: str) -> bool:
    """Whether what stands behind a colon is a form; anything else in braces is left alone."""
    return text in WORDS or text == "," or text.count("|") == 1


def pieces(argument: str) -> list[str | Slot]:
    """An argument cut into its plain texts and its placeholders."""
    made: list[str | Slot] = []
    end = 0
    for match in _SLOT.finditer(argument):
        if match[2] is not None and not is_form(match[2]):
            continue
        made += [argument[end : match.start()], Slot(match[1], match[2] or "")]
        end = match.end()
    return [piece for piece in [*made, argument[end:]] if piece != ""]


def slots(argument: str) -> list[Slot]:
    """The placeholders of an argument, in order."""
    return [piece for piece in pieces(argument) if isinstance(piece, Slot)]


def arguments(command: Sequence[str], values: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """The command with its placeholders filled in.

    Args:
        command: The argument vector of a task.
        values: By name: the configuration's active hyperparameters, and the names of our own.
    Returns:
        The argument vector, and the names that are not in `values`.
    """
    made: list[str] = []
    missing: list[str] = []
    place = 0
    while place < len(command):
        option: list[str] = []
        end = place + 1
        if place > 0 and _is_option(command[place]):
            while end < len(command) and _is_value(command[end]):
                end += 1
            option = [command[place]] if end > place + 1 else []
        filled = [_filled(argument, values, missing) for argument in command[place + len(option) : end]]
        given = [argument for argument in filled if argument is not None]
        if len(given) == len(filled) == 1 and option and _repeats(command[end - 1]):
            given = [[word for item in given[0] for word in (option[0], item)]]
            option = []
        if given:
            made += [*option, *(word for words in given for word in words)]
        place = end
    return made, missing


def as_text(value: Any) -> str:
    """A value as an argument: numbers so that they read back exactly, booleans as true and false."""
    return value if isinstance(value, str) else json.dumps(value)


def _is_option(argument: str) -> bool:
    return argument.startswith("-") and argument != "--" and "=" not in argument and not slots(argument)


def _is_value(argument: str) -> bool:
    """Whether an argument can belong to the option before it, and may come to nothing."""
    found = slots(argument)
    return bool(found) and not argument.startswith("-") and not any(slot.is_option for slot in found)


def _repeats(argument: str) -> bool:
    found = pieces(argument)
    return len(found) == 1 and isinstance(found[0], Slot) and found[0].form == "each"


def _filled(argument: str, values: Mapping[str, Any], missing: list[str]) -> list[str] | None:
    """The arguments that one gives; None where it is left out."""
    parts = pieces(argument)
    found = [part for part in parts if isinstance(part, Slot)]
    absent = [slot.name for slot in found if slot.name not in values]
    if absent:
        missing += absent
        return None
    whole = parts[0] if len(parts) == 1 and isinstance(parts[0], Slot) else None
    if whole is not None and whole.form == "items":
        value = values[whole.name]
        return None if value is None else [as_text(item) for item in _items(value)]
    several = next((slot for slot in found if slot.form == "each"), None)
    lists = [values] if several is None else _one_by_one(values, several.name)
    made = []
    for each in lists:
        texts = [part if isinstance(part, str) else _text(part, each[part.name]) for part in parts]
        if any(text is None for text in texts):
            return None
        made.append("".join(text for text in texts if text is not None))
    return None if not made or (whole is not None and whole.pair and made == [""]) else made


def _one_by_one(values: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    value = values[name]
    return [] if value is None else [{**values, name: item} for item in _items(value)]


def _items(value: Any) -> list[Any]:
    """The items of a list; the words of a text."""
    if isinstance(value, (list, tuple)):
        return list(value)
    return value.split() if isinstance(value, str) else [value]


def _text(slot: Slot, value: Any) -> str | None:
    """What stands for a value in an argument; None where the argument is left out."""
    if slot.pair is not None:
        return slot.pair[0] if value else slot.pair[1]
    if slot.form == "json":
        return json.dumps(value)
    if slot.form == "python":
        return repr(list(value) if isinstance(value, tuple) else value)
    if slot.form == "hydra":
        return _hydra(value)
    if value is None:
        return slot.form if slot.form in ("null", "none", "None") else None
    if slot.form == ",":
        return ",".join(as_text(item) for item in _items(value))
    if slot.form == "items":
        return " ".join(as_text(item) for item in _items(value))
    return as_text(value)


def _hydra(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(_hydra, value)) + "]"
    if not isinstance(value, str):
        return json.dumps(value)
    if _HYDRA_BARE.fullmatch(value) and value.casefold() not in _HYDRA_WORDS:
        return value
    escaped = re.sub(r"(\\*)'", lambda match: match[1] * 2 + r"\'", value)
    trailing = len(escaped) - len(escaped.rstrip("\\"))
    return "'" + escaped + "\\" * trailing + "'"
