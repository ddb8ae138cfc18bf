"""Options made of a function's parameters: Typer's commands and what python-fire is given."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from tunesmith.task.scripts.annotations import Annotation, annotation
from tunesmith.task.scripts.constants import UNKNOWN, keywords, last_name
from tunesmith.task.scripts.option import Declarations, Kind, Option, long_first
from tunesmith.task.scripts.source import Script


def parameters(function: ast.FunctionDef) -> Iterator[tuple[ast.arg, ast.expr | None]]:
    """Parameters with their defaults, `self` left out."""
    args = function.args
    positional = [*args.posonlyargs, *args.args]
    missing: list[ast.expr | None] = [None] * (len(positional) - len(args.defaults))
    pairs = [*zip(positional, [*missing, *args.defaults], strict=True)]
    pairs += zip(args.kwonlyargs, args.kw_defaults, strict=True)
    yield from (pair for pair in pairs if pair[0].arg not in ("self", "cls"))


def typer_options(script: Script) -> Declarations | None:
    """What Typer makes of the functions with `@app.command()` and of `typer.run(main)`."""
    if not script.uses("typer"):
        return None
    commands = {name: f for name, f in script.functions.items() if _is_command(f, script)}
    if not commands:
        for call in script.calls:
            if script.full_name(call.func) == "typer.run" and call.args:
                named = last_name(call.args[0])
                commands |= {n: f for n, f in script.functions.items() if n == named}
    several = len(commands) > 1
    options = []
    for name, function in commands.items():
        for argument, default in parameters(function):
            option = _typer(argument, default, script)
            options.append(replace(option, command=name.replace("_", "-") if several else ""))
    names = tuple(name.replace("_", "-") for name in commands) if several else ()
    return Declarations("typer", tuple(options), commands=names) if options else None


def _is_command(function: ast.FunctionDef, script: Script) -> bool:
    return any(
        isinstance(node, ast.Call) and last_name(node.func) == "command" for node in function.decorator_list
    )


def _typer(argument: ast.arg, default: ast.expr | None, script: Script) -> Option:
    kind = annotation(argument.annotation, script)
    declared = next((m for m in kind.metadata if isinstance(m, ast.Call)), None)
    if isinstance(default, ast.Call) and last_name(default.func) in ("Option", "Argument"):
        declared = default
        default = default.args[0] if default.args else keywords(default).get("default")
    given = {} if declared is None else keywords(declared)
    texts = [script.constants.value(a) for a in ([] if declared is None else declared.args)]
    spelled = [text for text in texts if isinstance(text, str) and text.startswith("-")]
    required = default is None or (isinstance(default, ast.Constant) and default.value is ...)
    value = None if required or default is None else script.constants.value(default)
    if isinstance(value, type(...)):
        value = None
    if isinstance(default, ast.Attribute) and kind.enum:
        value = _member(default, script)
    positional = (required and declared is None) or (
        declared is not None and last_name(declared.func) == "Argument"
    )
    dashed = argument.arg.replace("_", "-")
    on = [text.partition("/")[0] for text in spelled if text.partition("/")[0]] or [f"--{dashed}"]
    off = [text.partition("/")[2] for text in spelled if "/" in text] or [] if spelled else [f"--no-{dashed}"]
    made = Option(
        flags=() if positional else long_first(on),
        name=argument.arg,
        default=value,
        required=required,
        line=argument.lineno,
        low=_bound(given.get("min"), script),
        high=_bound(given.get("max"), script),
        declared=ast.unparse(argument)[:60],
    )
    if kind.reads == "bool" and not positional and not kind.many:
        return replace(made, kind="flag", on=long_first(on)[0], off=long_first(off)[0] if off else None)
    return _of_kind(made, kind, "repeated")


def _of_kind(made: Option, kind: Annotation, several: Kind) -> Option:
    default = made.default
    if kind.reads == "float" and isinstance(default, int) and not isinstance(default, bool):
        default = float(default)
    words = ("true", "false") if kind.reads == "bool" else made.words
    return replace(
        made,
        kind=several if kind.many else "value",
        reads=kind.reads,
        choices=kind.choices,
        default=default,
        words=words,
    )


def _bound(node: ast.expr | None, script: Script) -> float | None:
    value = script.constants.value(node)
    return value if isinstance(value, int | float) else None


def _member(node: ast.Attribute, script: Script) -> Any:
    """The value of `Kind.adam`, also behind `.value`."""
    return script.constants.value(node if node.attr != "value" else node.value)


def fire_options(script: Script) -> Declarations | None:
    """What python-fire makes of the function it is given; values are Python literals there."""
    if not script.uses("fire"):
        return None
    for call in script.calls:
        if script.full_name(call.func) not in ("fire.Fire", "fire.core.Fire"):
            continue
        name = last_name(call.args[0]) if call.args else ""
        function = script.functions.get(name)
        if function is None:
            return Declarations("fire", unread=(f"what line {call.lineno} gives to fire",), complete=False)
        return Declarations("fire", tuple(_fire(function, script)), complete=function.args.kwarg is None)
    return None


def _fire(function: ast.FunctionDef, script: Script) -> Iterator[Option]:
    for argument, default in parameters(function):
        value = UNKNOWN if default is None else script.constants.value(default)
        yield Option(
            flags=(f"--{argument.arg}",),
            name=argument.arg,
            reads="python",
            default=None if default is None else value,
            required=default is None,
            line=argument.lineno,
            words=("True", "False"),
            null="None",
            glued=True,
            declared=ast.unparse(argument)[:60],
        )
