"""Facts about a training script, from its syntax tree. It is never imported or run."""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunesmith.errors import ObjectiveError
from tunesmith.text.suggestions import did_you_mean

_USUAL_NAMES = ("train", "objective", "main", "run", "fit")
_OPTION = re.compile(r"--([A-Za-z][A-Za-z0-9_-]{0,60})")
LARGEST_SCRIPT = 4 << 20
"""Bytes."""


@dataclass(frozen=True)
class Option:
    """A command-line option of an argparse script."""

    flag: str
    """As written, such as `--weight-decay`."""
    default: Any
    choices: list[Any]
    required: bool
    takes_value: bool

    @property
    def name(self) -> str:
        return self.flag.removeprefix("--").replace("-", "_")


@dataclass(frozen=True)
class Script:
    """A parsed script."""

    path: Path
    tree: ast.Module

    @property
    def functions(self) -> dict[str, ast.FunctionDef]:
        """Top-level functions that can be called with (config, trial)."""
        return {n.name: n for n in self.tree.body if isinstance(n, ast.FunctionDef) and _takes_two(n)}

    def training_function(self, wanted: str | None) -> ast.FunctionDef | None:
        """The function named, or the one that looks like it; None where none does.

        Raises:
            ObjectiveError: The function named is not there, or does not take (config, trial).
        """
        if wanted is not None:
            if wanted in self.functions:
                return self.functions[wanted]
            defined = [n.name for n in self.tree.body if isinstance(n, ast.FunctionDef)]
            if wanted in defined:
                raise ObjectiveError(f"{self.path}: {wanted} should take two arguments, (config, trial).")
            hint = did_you_mean(wanted, defined)
            raise ObjectiveError(f"{self.path} defines no function {wanted!r}; {hint}")
        by_argument = [f for f in self.functions.values() if f.args.args[1].arg == "trial"]
        by_name = [self.functions[name] for name in _USUAL_NAMES if name in self.functions]
        preferred = [f for f in by_argument if f.name in _USUAL_NAMES]
        return next(iter(preferred + by_argument + ([] if self.options else by_name)), None)

    @property
    def options(self) -> list[Option]:
        """Long options given to `add_argument`, in order."""
        options: dict[str, Option] = {}
        for node in ast.walk(self.tree):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "add_argument"
            ):
                flags = [f for f in map(constant, node.args) if isinstance(f, str) and _OPTION.fullmatch(f)]
                if flags:
                    keywords = {k.arg: k.value for k in node.keywords if k.arg}
                    options.setdefault(flags[0], _option(flags[0], keywords))
        return list(options.values())

    def config_keys(self, function: ast.FunctionDef) -> dict[str, Any]:
        """Names the function reads from its configuration, with the default it gives (None where none)."""
        config = function.args.args[0].arg
        keys: dict[str, Any] = {}
        for node in ast.walk(function):
            key: Any = None
            default: Any = None
            if isinstance(node, ast.Subscript) and _is_name(node.value, config):
                key = constant(node.slice)
            elif (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.args
                and node.func.attr == "get"
                and _is_name(node.func.value, config)
            ):
                key = constant(node.args[0])
                default = constant(node.args[1]) if len(node.args) > 1 else None
            if isinstance(key, str) and key.isidentifier() and keys.get(key) is None:
                keys[key] = default
        return keys

    def metric_names(self, function: ast.FunctionDef | None) -> list[str]:
        """Names of values that the function returns, or that the script prints as JSON."""
        names: dict[str, None] = {}
        for node in ast.walk(function or self.tree):
            held: ast.AST | None = None
            if function is not None and isinstance(node, ast.Return):
                held = node.value
            elif function is None and isinstance(node, ast.Call) and _called(node) == "dumps" and node.args:
                held = node.args[0]
            if isinstance(held, ast.Dict):
                keys = [constant(key) for key in held.keys if key is not None]
                names.update((key, None) for key in keys if isinstance(key, str) and key.isidentifier())
        return list(names)


def read_script(path: Path) -> Script:
    """Parse a script; ObjectiveError where it cannot be read or is not Python."""
    try:
        with path.open("rb") as file:
            source = file.read(LARGEST_SCRIPT + 1)
    except OSError as error:
        raise ObjectiveError(f"{path} cannot be read ({error.strerror}).") from None
    if len(source) > LARGEST_SCRIPT:
        raise ObjectiveError(f"{path} is larger than {LARGEST_SCRIPT:,} bytes, too large for a script.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # warnings about the script's own string escapes
            return Script(path, ast.parse(source))
    except SyntaxError as error:
        raise ObjectiveError(f"{path}:{error.lineno or 1}: not Python: {error.msg}.") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise ObjectiveError(f"{path}: not Python: {error}.") from None


def constant(node: ast.AST) -> Any:
    """The literal a node stands for; None for anything else."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = constant(node.operand)
        return -value if isinstance(value, int | float) else None
    return None


def _option(flag: str, keywords: dict[str, ast.expr]) -> Option:
    choices = keywords.get("choices")
    listed = [constant(item) for item in choices.elts] if isinstance(choices, ast.List | ast.Tuple) else []
    default = constant(keywords["default"]) if "default" in keywords else None
    if _is_name(keywords.get("type"), "float") and isinstance(default, int) and not isinstance(default, bool):
        default = float(default)
    return Option(
        flag=flag,
        default=default,
        choices=[] if None in listed else listed,
        required="required" in keywords and constant(keywords["required"]) is True,
        takes_value="action" not in keywords or constant(keywords["action"]) == "store",
    )


def _takes_two(function: ast.FunctionDef) -> bool:
    args = function.args
    positional = [*args.posonlyargs, *args.args]
    needed = len(positional) - len(args.defaults)
    return needed <= 2 <= len(positional) and not args.posonlyargs and None not in args.kw_defaults


def _is_name(node: ast.AST | None, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
