"""How the text of an option becomes a value: `type=bool`, `type=str2bool`, `type=lambda s: s.split(",")`."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from tunesmith.task.scripts.constants import dotted, last_name
from tunesmith.task.scripts.source import Script

PAIRS = (
    ("true", "false"),
    ("True", "False"),
    ("yes", "no"),
    ("on", "off"),
    ("1", "0"),
    ("y", "n"),
    ("t", "f"),
)
"""Words for true and false, the usual ones first."""
_NULL = ("none", "null", "None")


@dataclass(frozen=True)
class Reading:
    """How a text is read; the fields as in `Option`."""

    reads: str
    words: tuple[str, str] | None = None
    null: str | None = None


_BY_NAME = {
    "str": Reading("text"),
    "int": Reading("int", ("1", "0")),
    "float": Reading("float", ("1", "0")),
    "bool": Reading("truth"),
    "json.loads": Reading("json", ("true", "false"), "null"),
    "loads": Reading("json", ("true", "false"), "null"),
    "ast.literal_eval": Reading("python", ("True", "False"), "None"),
    "literal_eval": Reading("python", ("True", "False"), "None"),
    "eval": Reading("python", ("True", "False"), "None"),
    "yaml.safe_load": Reading("json", ("true", "false"), "null"),
}


def reading(node: ast.expr | None, script: Script) -> Reading:
    """How the `type` of an option reads a text; `unknown` where it cannot be told."""
    if node is None:
        return Reading("text")
    name = dotted(node)
    if (known := _BY_NAME.get(name) or _BY_NAME.get(script.full_name(node))) is not None:
        return known
    if isinstance(node, ast.Lambda):
        return _of_body(node.body)
    for source in (script, *script.beside):
        if name and (function := source.functions.get(name.rpartition(".")[2])) is not None:
            return _of_body(function)
    if "bool" in last_name(node).casefold():
        return Reading("bool", PAIRS[0])
    if last_name(node) in ("Path", "FileType"):
        return Reading("text")
    return Reading("unknown")


def _of_body(body: ast.AST) -> Reading:
    """By the calls in it and the texts that it compares with."""
    calls = [node for node in ast.walk(body) if isinstance(node, ast.Call)]
    texts = {n.value for n in ast.walk(body) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    names = {dotted(call.func) or last_name(call.func) for call in calls}
    null = next((word for word in _NULL if word in texts), None)
    for call in calls:
        if last_name(call.func) == "split":
            first = call.args[0] if call.args else ast.Constant(" ")
            separator = first.value if isinstance(first, ast.Constant) else None
            return Reading(separator if isinstance(separator, str) else "unknown", null=null)
    for name, known in _BY_NAME.items():
        if known.reads in ("json", "python") and name in names:
            return known
    if any("strtobool" in name for name in names):
        return Reading("bool", PAIRS[0], null)
    folds = {last_name(call.func) for call in calls} & {"lower", "casefold", "upper"}
    seen = {text.casefold() for text in texts} if folds else texts
    words = next((pair for pair in PAIRS if pair[0] in seen or pair[1] in seen), None)
    if words is not None:
        return Reading("bool", words, null)
    if "int" in names or "float" in names:
        return Reading("int" if "int" in names and "float" not in names else "float", ("1", "0"), null)
    return Reading("truth" if names == {"bool"} else "unknown", null=null)
