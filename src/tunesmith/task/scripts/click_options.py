"""Options that a script gives to click: `@click.option("--amp/--no-amp", ...)`."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import Any

from tunesmith.task.scripts.constants import UNKNOWN, Constants, keywords, last_name
from tunesmith.task.scripts.option import Declarations, Kind, Option, long_first
from tunesmith.task.scripts.source import Script

_TYPES = {
    **{"int": "int", "INT": "int", "IntRange": "int", "float": "float", "FLOAT": "float"},
    **{"FloatRange": "float", "bool": "bool", "BOOL": "bool", "str": "text", "STRING": "text"},
    **{"Choice": "text", "Path": "text", "File": "text"},
}


def click_options(script: Script) -> Declarations | None:
    """What the script declares by decorators; None where it uses no click."""
    if not script.uses("click") and not script.uses("rich_click"):
        return None
    options: list[Option] = []
    commands: list[str] = []
    for function in script.functions.values():
        made = [call for call in function.decorator_list if isinstance(call, ast.Call)]
        found = [
            option
            for call in made
            if (option := _option(call, script.constants, last_name(call.func))) is not None
        ]
        command = next((_command(call, function.name) for call in made if _is_sub(call, script)), "")
        commands += [command] if command else []
        options += [replace(option, command=command) for option in found]
    unread = [o.declared for o in options if o.kind == "other" and not o.flags and o.declared]
    return Declarations("click", tuple(options), tuple(unread), commands=tuple(commands)) if options else None


def _is_sub(call: ast.Call, script: Script) -> bool:
    """`@cli.command()`, but not `@click.command()`."""
    return last_name(call.func) == "command" and not script.full_name(call.func).startswith(
        ("click.", "rich_click.")
    )


def _command(call: ast.Call, function: str) -> str:
    first = call.args[0] if call.args else keywords(call).get("name")
    named = isinstance(first, ast.Constant) and isinstance(first.value, str)
    return first.value if named else function.replace("_", "-")  # type: ignore[union-attr]


def _option(call: ast.Call, constants: Constants, method: str) -> Option | None:
    if method not in ("option", "argument") or not call.args:
        return None
    texts = [text for text in map(constants.value, call.args) if isinstance(text, str)]
    given = keywords(call)
    on: list[str] = []
    off: list[str] = []
    for text in texts:
        if text.startswith("-"):
            yes, _, no = text.partition("/")
            on.append(yes.strip())
            off += [no.strip()] if no.strip() else []
    flags = long_first(on)
    name = next((text for text in texts if text.isidentifier()), "") or (
        flags[0].lstrip("-").replace("-", "_") if flags else ""
    )
    default = constants.value(given["default"]) if "default" in given else None
    made = Option(
        flags=flags if method == "option" else (),
        name=name,
        default=default,
        required=constants.value(given.get("required")) is True
        or (method == "argument" and "default" not in given),
        line=call.lineno,
    )
    if off or constants.value(given.get("is_flag")) is True:
        only = not off and default is True  # what such a flag sets differs between releases of click
        made = replace(made, default=False if default is None else default, declared="a flag")
        return replace(
            made, kind="flag", on=None if only else flags[0], off=long_first(off)[0] if off else None
        )
    if any(key in given for key in ("flag_value", "count", "callback")):
        return replace(made, kind="other", declared=f"the option {name} in line {call.lineno}")
    return _typed(made, given, constants)


def _typed(made: Option, given: dict[str, ast.expr], constants: Constants) -> Option:
    node = given.get("type")
    kind = last_name(node.func if isinstance(node, ast.Call) else node)
    reads = _TYPES.get(kind, "unknown") if node is not None else _by_default(made.default)
    choices: tuple[Any, ...] = ()
    low = high = None
    if isinstance(node, ast.Call) and kind == "Choice" and node.args:
        values = constants.value(node.args[0])
        choices = tuple(values) if isinstance(values, list) else ()
    elif isinstance(node, ast.Call) and kind in ("IntRange", "FloatRange"):
        bounds = dict(zip(("min", "max"), node.args, strict=False)) | keywords(node)
        low, high = (_number(constants.value(bounds.get(key))) for key in ("min", "max"))
    repeated = constants.value(given.get("multiple")) is True
    several: Kind = "list" if "nargs" in given and constants.value(given["nargs"]) != 1 else "value"
    default = made.default
    if reads == "float" and isinstance(default, int) and not isinstance(default, bool):
        default = float(default)
    return replace(
        made,
        kind="repeated" if repeated else several,
        reads=reads,
        words=("true", "false") if reads == "bool" else None,
        choices=choices,
        low=low,
        high=high,
        default=default,
        declared=f"type={ast.unparse(node)[:40]}" if node is not None else "",
    )


def _by_default(default: Any) -> str:
    """The type that click takes from a default."""
    if default is UNKNOWN:
        return "unknown"
    return {bool: "bool", int: "int", float: "float"}.get(type(default), "text")


def _number(value: Any) -> float | None:
    return value if isinstance(value, int | float) else None
