"""The rules of `passing`: one option of a script, one hyperparameter, the arguments that say its values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from tunesmith.argv import Slot
from tunesmith.errors import short
from tunesmith.space import Float, Int
from tunesmith.space.choices import Listed
from tunesmith.space.parameter import Parameter
from tunesmith.space.values import is_number, same
from tunesmith.task.command import is_switch, name_of
from tunesmith.task.scripts.constants import UNKNOWN
from tunesmith.task.scripts.option import Option

_GLUED_BY = ("argparse", "absl", "fire", "tyro")
"""Libraries that take a value after `=`, and may take one that begins with a dash for an option."""
_NEGATIVE_WORDS = re.compile(r"^(no|not|disable|without|skip)_")


@dataclass(frozen=True)
class Passed:
    """What stands in the command for an option and its hyperparameter."""

    arguments: tuple[str, ...]
    note: str = ""
    warnings: tuple[str, ...] = ()
    fault: str = ""
    """Why some value cannot be said, with the fix; nothing else counts then."""


def passed(
    option: Option, flag: str, name: str, parameter: Parameter, library: str, *, joined: bool = False
) -> Passed:
    """How to say the values of a parameter.

    Args:
        option: What the script declares.
        flag: The spelling in the command.
        name: The hyperparameter's.
        joined: Whether it is written `--option={name}`.
    """
    if option.kind == "flag":
        return _flag(option, flag, name, parameter)
    if option.kind == "other":
        return Passed((flag, str(Slot(name))), warnings=(f"{option.declared or flag} takes no such value",))
    spelled = _Spelling(option, flag, name, library, joined=joined)
    if option.kind == "value" and is_switch(parameter):
        return _switch(spelled)
    return _value(spelled, parameter)


@dataclass(frozen=True)
class _Spelling:
    """An option with a value, and how it is written."""

    option: Option
    flag: str
    name: str
    library: str
    joined: bool

    def arguments(self, form: str = "", *, glued: bool = False) -> tuple[str, ...]:
        """The option with a placeholder of that form, in one argument where it has to be."""
        slot = Slot(self.name, form)
        if form in ("items", "each") and self.option.kind == "list":
            return (self.flag, str(slot))
        can = self.library in (*_GLUED_BY, "click", "typer", "")
        if self.joined or self.option.glued or (glued and can):
            flag = self.flag
            if not flag.startswith("--") and self.option.flag.startswith("--"):
                flag = self.option.flag  # a short option takes no `=`
            if flag.startswith("--"):
                return (f"{flag}={slot}",)
        return (self.flag, str(slot))


def _flag(option: Option, flag: str, name: str, parameter: Parameter) -> Passed:
    values = parameter.originals if isinstance(parameter, Listed) else ()
    if not values or not all(value is None or value in (0, 1) for value in values):
        fault = (
            f"with {option.declared or 'no value'}, so it takes no value, and {name} is not true or false."
        )
        return Passed((), fault=f"{fault} Make {name} a bool, or let the option take a value.")
    plain = name.replace("-", "_")
    if plain == name_of(flag) != option.name:  # `--no-bias` with dest="bias": `no_bias` is the flag itself
        other = {option.on: option.off, option.off: option.on}.get(flag)
        form = f"{flag}|{other or ''}"
    else:
        if option.on is None and option.default is False:
            return Passed((), fault=_one_way(option, "true"))
        if option.off is None and option.default is True:
            return Passed((), fault=_one_way(option, "false"))
        said = (option.on or "", option.off or "")
        form = "|".join(reversed(said) if _opposite(option.name, plain) else said)
    yes, _, no = form.partition("|")
    note = f"{yes or 'left out'} for true, {no or 'left out'} for false, as the script declares a flag"
    return Passed((str(Slot(name, form)),), note)


def _opposite(one: str, other: str) -> bool:
    """`no_amp` and `amp`, either way round."""
    return one != other and _NEGATIVE_WORDS.sub("", one) == _NEGATIVE_WORDS.sub("", other)


def _one_way(option: Option, word: str) -> str:
    flag = option.on or option.off
    return (
        f"so that {option.name} is {option.default} with and without {flag}, and {word} cannot be said"
        f" (line {option.line}). Declare it with action=argparse.BooleanOptionalAction."
    )


def _switch(spelled: _Spelling) -> Passed:
    """True or false to an option with a value."""
    option = spelled.option
    if option.reads == "truth":
        declared = option.declared or "no type"
        note = (
            f"{declared} reads every text but the empty one as true, so false is passed as an empty text. "
            "Better in the script: action=argparse.BooleanOptionalAction"
        )
        return Passed(spelled.arguments("true|", glued=True), note)
    if option.reads == "python":
        return Passed(spelled.arguments("python"), "as True and False")
    if option.words is not None and option.words != ("true", "false"):
        yes, no = option.words
        return Passed(spelled.arguments(f"{yes}|{no}"), f"{yes} for true, {no} for false")
    warnings: tuple[str, ...] = ()
    if option.reads == "unknown":
        warnings = (
            f"true and false are passed as these words; whether {option.declared or 'the script'} reads "
            "'false' as false could not be told",
        )
    return Passed(spelled.arguments(), warnings=warnings)


def _value(spelled: _Spelling, parameter: Parameter) -> Passed:
    option = spelled.option
    values: tuple[Any, ...] = parameter.originals if isinstance(parameter, Listed) else ()
    null = any(value is None for value in values)
    form, note = _form(option, values)
    if null and form == "" and option.null is not None:
        form = option.null
    warnings = _mismatches(option, parameter, values)
    if null and form not in ("none", "null", "None", "json", "python", "hydra"):
        if option.default is not None and option.default is not UNKNOWN:
            fault = (
                f"with the default {short(option.default)}, which it has when it is left out: null cannot be "
                "said. Give the option default=None, or a type that reads 'none'."
            )
            return Passed((), fault=fault)
        note = f"{note}; " * bool(note) + "left out for null"
    glued = form in ("", "json", "python") and _may_begin_with_dash(parameter, values)
    return Passed(spelled.arguments(form, glued=glued), note, warnings)


def _form(option: Option, values: tuple[Any, ...]) -> tuple[str, str]:
    """The form for values of more than one word, and the sentence about it."""
    lists = any(isinstance(value, list | tuple) for value in values)
    words = any(isinstance(value, str) and " " in value.strip() for value in values)
    texts = any(not is_number(value) for value in values)
    if option.kind == "list" and (lists or words):
        return "items", "each item as an argument of its own"
    if option.kind == "repeated":
        return ("each", "the option is repeated for each item") if lists else ("", "")
    if option.reads in ("json", "python") and texts:
        return option.reads, "as JSON" if option.reads == "json" else "as a Python literal"
    if lists and option.reads == ",":
        return ",", "items joined by commas"
    if lists and option.reads.isspace():
        return "items", "items joined by spaces"
    return "", "as JSON: the script declares no list there" if lists else ""


def _mismatches(option: Option, parameter: Parameter, values: tuple[Any, ...]) -> tuple[str, ...]:
    """Values that the script would refuse."""
    found = []
    if option.reads == "int" and isinstance(parameter, Float):
        found.append("the script reads whole numbers only (type=int); make it `type: int`")
    scalars = [v for v in values if v is not None and not isinstance(v, list | tuple)]
    if option.choices and option.kind == "value" and scalars:
        allowed = {str(choice) for choice in option.choices}
        wrong = [v for v in scalars if str(v) not in allowed and not any(same(v, c) for c in option.choices)]
        if wrong:
            found.append(f"{short(wrong[0])} is not among the script's choices, {', '.join(sorted(allowed))}")
    elif option.choices and isinstance(parameter, Int | Float):
        found.append(f"the script takes only {', '.join(map(str, option.choices))}; list them as choices")
    return tuple(found)


def _may_begin_with_dash(parameter: Parameter, values: tuple[Any, ...]) -> bool:
    """Whether a value's text may be taken for an option, as argparse takes -1e-05."""
    if isinstance(parameter, Float | Int):
        return parameter.low < 0
    return any((is_number(v) and v < 0) or (isinstance(v, str) and v.startswith("-")) for v in values)
