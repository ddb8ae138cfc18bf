"""Training functions of a script: how they would be called, and what they read."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Any, Literal

from tunesmith.errors import ObjectiveError
from tunesmith.task.scripts.constants import UNKNOWN, last_name
from tunesmith.task.scripts.function_options import parameters
from tunesmith.task.scripts.source import Script
from tunesmith.text.suggestions import did_you_mean

USUAL_NAMES = ("train", "objective", "main", "run", "fit", "train_model", "training", "run_training")
_CONFIG_NAMES = frozenset(
    {"config", "cfg", "conf", "params", "hparams", "hp", "hyperparameters", "hyperparams", "parameters"}
)


@dataclass(frozen=True)
class TrainingFunction:
    """A function and how it takes its hyperparameters."""

    node: ast.FunctionDef
    takes: Literal["config and trial", "config", "keywords"]
    keys: dict[str, Any]
    """What it reads, with the default: None where it states none, UNKNOWN where that cannot be told."""


def training_function(script: Script, wanted: str | None) -> TrainingFunction | None:
    """The function named, or the one that looks like it; None where none does.

    Raises:
        ObjectiveError: The function named is not there, or cannot be called with hyperparameters only.
    """
    if wanted is not None:
        if wanted not in script.functions:
            hint = did_you_mean(wanted, script.functions)
            raise ObjectiveError(f"{script.path} defines no function {wanted!r}; {hint}")
        found = _described(script.functions[wanted], script, named=True)
        if found is None:
            raise ObjectiveError(
                f"{script.path}:{script.functions[wanted].lineno}: {wanted} should take two arguments, "
                "(config, trial), or only arguments with defaults."
            )
        return found
    plain = [f for f in script.functions.values() if not _by_command_line(f, script)]
    made = [found for f in plain if (found := _described(f, script, named=False)) is not None]
    ranked = [f for f in made if f.takes == "config and trial"]
    ranked += [f for f in made if f.takes == "config" and f.keys]
    ranked += [f for f in made if f.takes == "keywords" and f.node.name in USUAL_NAMES]
    return next(iter(sorted(ranked, key=_preference)), None)


def _preference(found: TrainingFunction) -> tuple[int, int]:
    order = ("config and trial", "config", "keywords")
    name = found.node.name
    return order.index(found.takes), USUAL_NAMES.index(name) if name in USUAL_NAMES else len(USUAL_NAMES)


def _by_command_line(function: ast.FunctionDef, script: Script) -> bool:
    """Whether a decorator makes a command of it."""
    decorators = [n.func if isinstance(n, ast.Call) else n for n in function.decorator_list]
    return any(last_name(node) in ("command", "main", "option") for node in decorators)


def _described(function: ast.FunctionDef, script: Script, *, named: bool) -> TrainingFunction | None:
    args = function.args
    positional = [*args.posonlyargs, *args.args]
    needed = len(positional) - len(args.defaults)
    takes_two = needed <= 2 <= len(positional) and not args.posonlyargs and None not in args.kw_defaults
    first = positional[0].arg if positional else ""
    read = _config_keys(function, script) if positional else {}
    is_config = first in _CONFIG_NAMES or bool(read)
    if takes_two and (positional[1].arg == "trial" or (needed == 2 and (named or is_config))):
        return TrainingFunction(function, "config and trial", read)
    if needed == 1 and None not in args.kw_defaults and is_config:
        return TrainingFunction(function, "config", read)
    given = {
        argument.arg: UNKNOWN if default is None else script.constants.value(default)
        for argument, default in parameters(function)
    }
    if given and needed == 0 and None not in args.kw_defaults and not args.posonlyargs:
        return TrainingFunction(function, "keywords", given)
    return None


def _config_keys(function: ast.FunctionDef, script: Script) -> dict[str, Any]:
    """Names that the function reads from its first parameter, with the default it gives."""
    config = (function.args.posonlyargs + function.args.args)[0].arg
    keys: dict[str, Any] = {}
    for node in ast.walk(function):
        key: Any = None
        default: Any = None
        if isinstance(node, ast.Subscript) and _is_name(node.value, config):
            key = script.constants.value(node.slice)
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.args
            and node.func.attr == "get"
            and _is_name(node.func.value, config)
        ):
            key = script.constants.value(node.args[0])
            default = script.constants.value(node.args[1]) if len(node.args) > 1 else None
        if isinstance(key, str) and key.isidentifier() and keys.get(key) is None:
            keys[key] = default
    return keys


def _is_name(node: ast.AST | None, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name
