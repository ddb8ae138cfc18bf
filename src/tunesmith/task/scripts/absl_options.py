"""Flags that a script defines with absl: `flags.DEFINE_float("lr", 0.1, "...")`."""

from __future__ import annotations

import ast
from dataclasses import replace

from tunesmith.task.scripts.constants import keywords, last_name
from tunesmith.task.scripts.option import Declarations, Option
from tunesmith.task.scripts.source import Script

_READS = {"float": "float", "integer": "int", "string": "text", "enum": "text", "list": ","}


def absl_options(script: Script) -> Declarations | None:
    """The flags of the script and of the files beside it; None where it uses no absl."""
    sources = [source for source in (script, *script.beside) if source.uses("absl")]
    options = [option for source in sources for call in source.calls for option in _option(call, source)]
    return Declarations("absl", tuple(options), complete=False) if options else None


def _option(call: ast.Call, script: Script) -> list[Option]:
    method = last_name(call.func)
    if not method.startswith("DEFINE_") or len(call.args) < 2:
        return []
    name, default = (script.constants.value(argument) for argument in call.args[:2])
    if not isinstance(name, str):
        return []
    kind = method.removeprefix("DEFINE_")
    made = Option(
        flags=(f"--{name}",),
        name=name,
        default=default,
        line=call.lineno,
        declared=method,
        required=default is None and script.constants.value(keywords(call).get("required")) is True,
    )
    if kind in ("bool", "boolean"):
        # `--amp false` would set amp to true and leave false to the positional arguments.
        return [replace(made, kind="flag", on=f"--{name}", off=f"--no{name}", default=default is True)]
    if kind.startswith("multi_"):
        return [replace(made, kind="repeated", reads=_READS.get(kind.removeprefix("multi_"), "text"))]
    choices = script.constants.value(call.args[2]) if kind == "enum" and len(call.args) > 2 else ()
    bounds = [script.constants.value(keywords(call).get(key)) for key in ("lower_bound", "upper_bound")]
    low, high = (bound if isinstance(bound, int | float) else None for bound in bounds)
    if kind == "float" and isinstance(default, int) and not isinstance(default, bool):
        default = float(default)
    return [
        replace(
            made,
            reads=_READS.get(kind, "unknown"),
            choices=tuple(choices) if isinstance(choices, list) else (),
            low=low,
            high=high,
            default=default,
        )
    ]
