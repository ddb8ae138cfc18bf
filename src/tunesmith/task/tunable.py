"""Which of a script's settings are hyperparameters, and why the others are not."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from tunesmith.errors import short
from tunesmith.space import Float, Int
from tunesmith.space.values import is_number
from tunesmith.task.command import OPTIONS, RESERVED
from tunesmith.task.guesses import NOT_TUNED, Guess, guess
from tunesmith.task.scripts.constants import UNKNOWN
from tunesmith.task.scripts.option import Option

_NO_SWITCH = re.compile(
    r"verb|quiet|debug|dry|wandb|tensorboard|mlflow|comet|neptune|force|overwrite|determin|profil|compil|download"
    r"|progress|bar|test|demo|only|list|help|push|hub|upload|cache|pin|distributed|parallel|ddp|fsdp|show|plot"
    r"|tokeniz|auth|trust|figure|visual|write|read|offline|online|interactive|pretend|skip_|keep_|tf32|bench|sanity|validate|predict"
)
"""Parts of names of flags that are no hyperparameters, beside `NOT_TUNED`."""
_OF_TESTING = re.compile(r"(test|eval|val|valid|validation|inference)_")
GIVEN = ("seed", "checkpoint_dir")
"""Settings that Tunesmith gives a value. One named `config` is the script's own file, not ours."""
_FIXED = "no hyperparameter by its name (data, output, seed, length of training, logging, machine)"


@dataclass(frozen=True)
class Left:
    """A setting that stays as it is."""

    name: str
    reason: str


def tunable(name: str, current: Any, choices: tuple[Any, ...] = ()) -> Guess | Left:
    """A parameter around a setting's current value, or why there is none."""
    word = name.rpartition(".")[2].casefold().replace("-", "_")
    if word in RESERVED or word == OPTIONS:
        return Left(name, "the seed and the like come from Tunesmith" if word in GIVEN else _FIXED)
    known = guess(word) is not None and not _OF_TESTING.match(word)
    switch = isinstance(current, bool) and not choices
    if (NOT_TUNED.search(word) or _OF_TESTING.match(word)) and not known:
        return Left(name, _FIXED)
    if switch and _NO_SWITCH.search(word):
        return Left(name, _FIXED)
    if choices:
        if not _plain_choices(choices):
            return Left(name, f"its choices, {short(list(choices))}, are not plain words or numbers")
        made = guess(word, None if current is UNKNOWN else current, list(choices))
        return made or Left(name, f"its choices, {short(list(choices))}")
    if current is UNKNOWN:
        return Left(name, "its default is not written out in the script")
    if current is None:
        return Left(name, "its default is None: add it with a range, or with `choices` that hold null")
    if isinstance(current, list | tuple | dict):
        return Left(name, f"a list, {short(current)}: add it with `choices`")
    if isinstance(current, str):
        return Left(name, f"a text, {short(current)}, without choices in the script: add it with `choices`")
    made = guess(word, current) if switch or is_number(current) else None
    return made or Left(name, f"its value, {short(current)}, is no ordinary number")


def tunable_option(option: Option) -> Guess | Left:
    """The same for an option of a command line, within the bounds that it declares."""
    if not option.flags and option.reads != "hydra":
        return Left(option.name, "a positional argument")
    if option.kind == "other":
        return Left(option.flag, "it takes no value that could be tuned")
    if option.kind == "flag":
        current = option.default if isinstance(option.default, bool) else False
        if (option.on is None and not current) or (option.off is None and current):
            return Left(option.flag, "it cannot be switched both ways")
        made = tunable(option.name, current)
    elif option.kind in ("list", "repeated") and option.default is not UNKNOWN:
        made = tunable(option.name, option.default if isinstance(option.default, list) else [])
    elif option.required and not option.choices:
        made = guess(option.name) or Left(option.flag, "it is required, and has no default")
    elif option.reads == "truth" and isinstance(option.default, str):
        made = tunable(option.name, option.default)
    else:
        made = tunable(option.name, option.default, option.choices)
    if isinstance(made, Left):
        return Left(option.flag, made.reason)
    return _within(made, option)


def _within(made: Guess, option: Option) -> Guess | Left:
    """A guess cut to the bounds that the script sets, and to whole numbers where it reads such."""
    parameter = made.parameter
    if not isinstance(parameter, Float | Int):
        return made
    low = parameter.low if option.low is None else max(parameter.low, option.low)
    high = parameter.high if option.high is None else min(parameter.high, option.high)
    if option.reads == "int" and isinstance(parameter, Float):
        return Left(option.flag, f"it is read as a whole number, and its default is {short(made.default)}")
    if not low < high:
        return Left(option.flag, f"its bounds, {short(option.low)} and {short(option.high)}")
    changed: Float | Int
    if isinstance(parameter, Int):
        changed = replace(parameter, low=int(low), high=int(high))
    else:
        changed = replace(parameter, low=float(low), high=float(high))
    return replace(made, parameter=changed) if changed.check("", made.default) is None else made


def _plain_choices(choices: tuple[Any, ...]) -> bool:
    """Distinct words, numbers or truths, several of them."""
    fit = all(
        isinstance(c, int | float) or (isinstance(c, str) and re.fullmatch(r"[\w.+-]{1,60}", c))
        for c in choices
    )
    return fit and len(set(choices)) == len(choices) > 1
