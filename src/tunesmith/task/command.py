"""Placeholders of a command line as a task file has them, and what they stand for in a given space.

Besides the forms that workers fill in (`tunesmith.argv`) a task may say:

    {--amp}                 the flag where `amp` is true; for other kinds the option with its value
    {--no-bias}             the same for `bias` being false, where no parameter is called `no_bias`
    {--amp|--no-amp}        one flag or the other
    {amp:flag}              `--amp` or nothing
    {amp:--use-amp}         that flag or nothing
    {options}               every hyperparameter, by the script's own spelling
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from tunesmith.argv import WORDS, Slot, is_form, slots
from tunesmith.space import Space
from tunesmith.space.choices import Listed
from tunesmith.space.parameter import Parameter
from tunesmith.text.suggestions import did_you_mean

RESERVED = {
    "seed": "the trial's seed",
    "config": "the whole configuration as JSON",
    "checkpoint_dir": "the trial's folder for checkpoints",
}
OPTIONS = "options"
"""Stands for all hyperparameters, unless one of them has that name."""
_FLAGS = re.compile(r"\{(--[A-Za-z][\w.\-]*)(?:\|(--[A-Za-z][\w.\-]*))?\}")
_FORMED = re.compile(r"\{([A-Za-z_][\w.\-]*):([^{}]*)\}")
_LITERAL = re.compile(r"""\s*(["'\[].*|[+-]?[\d.][\w.+-]*|true|false|.*[,:].*)?""", re.DOTALL)
"""What may stand behind a colon in YAML's or Hydra's own mappings: no form, and left alone."""


class CommandFault(ValueError):
    """A placeholder that stands for nothing."""

    def __init__(self, problem: str, fix: str = "") -> None:
        self.problem, self.fix = problem, fix
        super().__init__(f"{problem} {fix}".strip())


def placeholders(argv: Iterable[str]) -> list[str]:
    """Names in braces, in order of appearance, each once."""
    return list(dict.fromkeys(slot.name for argument in argv for slot in slots(argument)))


def faults_of(argv: Sequence[str], space: Space) -> list[CommandFault]:
    """What is wrong with the placeholders of a command line."""
    taken = sorted(set(RESERVED) & set(space.names))
    if taken:
        problem = f"`{{{taken[0]}}}` stands for {RESERVED[taken[0]]}, and a parameter has that name too."
        return [CommandFault(problem, "Rename the parameter.")]
    problems: list[CommandFault] = []
    plain: list[str] = []
    for argument in argv:
        try:
            plain += expanded(argument, space)
        except CommandFault as fault:
            problems.append(fault)
    known = set(space.names) | set(RESERVED) | {OPTIONS}
    named = placeholders(plain)
    problems += [_unknown(name, space) for name in named if name not in known]
    whole = {f"{{{OPTIONS}}}", "{config}"} & {*plain, *(f"{{{name}}}" for name in named if name == "config")}
    if OPTIONS in named and OPTIONS not in space and f"{{{OPTIONS}}}" not in argv:
        problems.append(CommandFault(f"`{{{OPTIONS}}}` should be an argument of its own."))
    unused = [name for name in space.names if name not in named]
    if unused and not whole and not problems:
        names = ", ".join(unused[:6])
        given = " ".join(f"--{name.replace('_', '-')} {{{name}}}" for name in unused[:3])
        problem = f"does not pass {names} to the script, so tuning could not change anything there."
        fix = f"Add `{given}`, `{{options}}` for all of them, or `{{config}}` for all values as JSON."
        problems.append(CommandFault(problem, fix))
    return problems


def expanded(argument: str, space: Space) -> list[str]:
    """An argument with the task file's own forms replaced by those that workers know.

    Raises:
        CommandFault: A flag or form that stands for nothing in this space.
    """
    if (match := _FLAGS.fullmatch(argument)) is not None:
        return _flags(match[1], match[2], space)
    _check_forms(argument, space)
    return [_FORMED.sub(lambda found: _formed(found, space), argument)]


def is_switch(parameter: Parameter) -> bool:
    """Whether a parameter is true or false."""
    return isinstance(parameter, Listed) and all(isinstance(value, bool) for value in parameter.originals)


def holds_list(parameter: Parameter) -> bool:
    """Whether a parameter has a list among its values."""
    return isinstance(parameter, Listed) and any(isinstance(v, list | tuple) for v in parameter.originals)


def holds_null(parameter: Parameter) -> bool:
    """Whether a parameter has null among its values."""
    return isinstance(parameter, Listed) and any(value is None for value in parameter.originals)


def name_of(flag: str) -> str:
    """`hidden_dim` of `--hidden-dim`."""
    return flag.lstrip("-").replace("-", "_")


def parameter_of(name: str, space: Space) -> str | None:
    """The parameter that a name with underscores stands for, written with dashes or not."""
    return next((known for known in space.names if known.replace("-", "_") == name), None)


def _flags(flag: str, other: str | None, space: Space) -> list[str]:
    found = parameter_of(name_of(flag), space)
    if found is None and other is not None and (found := parameter_of(name_of(other), space)) is not None:
        return [_switch(found, other, flag, space)]
    if found is not None and other is not None:
        return [_switch(found, flag, other, space)]
    if found is not None and is_switch(space.parameters[found]):
        return [_switch(found, flag, "", space)]
    if found is not None:
        return [flag, str(Slot(found, "items" if holds_list(space.parameters[found]) else ""))]
    positive = parameter_of(name_of(flag).removeprefix("no_"), space)
    if positive is not None and other is None:
        return [_switch(positive, "", flag, space)]
    name = name_of(flag)
    raise CommandFault(f"`{{{flag}}}` names no parameter, {name};", did_you_mean(name, list(space.names)))


def _switch(name: str, yes: str, no: str, space: Space) -> str:
    if not is_switch(space.parameters[name]):
        raise CommandFault(
            f"`{{{yes or no}}}` is a flag, and {name} is not true or false.", f"Write `--OPTION {{{name}}}`."
        )
    return str(Slot(name, f"{yes}|{no}"))


def _check_forms(argument: str, space: Space) -> None:
    for name, form in _FORMED.findall(argument):
        known = name in space or name in RESERVED
        if not known and not is_form(form) and form != "flag":
            continue
        if is_form(form) or form == "flag" or (form.startswith("-") and " " not in form):
            for_switches = name in space and ("|" in form or form == "flag" or form.startswith("-"))
            if for_switches and not _can_be_switch(space.parameters[name]):
                problem = f"`{{{name}:{form}}}` is for a parameter that is true or false."
                raise CommandFault(problem, f"Write `{{{name}}}`.")
            continue
        if not _LITERAL.fullmatch(form) or re.fullmatch(r"[,<>+ ]?\.?\d*[defgn%]", form):
            fix = f"{did_you_mean(form, [*WORDS, 'flag'])} Without a form the value is passed exactly."
            raise CommandFault(f"`{{{name}:{form}}}`: there is no form {form!r};", fix)


def _can_be_switch(parameter: Parameter) -> bool:
    """True, false, 0, 1 and null."""
    return isinstance(parameter, Listed) and all(v is None or v in (0, 1) for v in parameter.originals)


def _formed(found: re.Match[str], space: Space) -> str:
    name, form = found[1], found[2]
    if name not in space:
        return found[0]
    if form == "flag":
        return str(Slot(name, f"--{name.replace('_', '-')}|"))
    if form.startswith("-") and "|" not in form and not form.removeprefix("-").isdecimal():
        return str(Slot(name, form + "|"))
    return found[0]


def _unknown(name: str, space: Space) -> CommandFault:
    known = ", ".join([*RESERVED, OPTIONS])
    hint = did_you_mean(name, [*space.names, *RESERVED, OPTIONS])
    return CommandFault(f"`{{{name}}}` is neither a parameter nor one of {known};", hint)
