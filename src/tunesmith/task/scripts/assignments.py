"""Hyperparameters that a script assigns: a dictionary `params = {...}`, or names in capitals, `LR = 1e-3`."""

from __future__ import annotations

import ast
import re
from typing import Any

from tunesmith.task.guesses import guess
from tunesmith.task.scripts.constants import UNKNOWN, keywords, last_name
from tunesmith.task.scripts.source import Script

_DICTIONARIES = re.compile(
    r"(default_?|train(ing)?_?|model_?|base_?)?(params?|config|cfg|conf|hparams?|hp|hyper_?param(eter)?s?|settings"
    r"|parameters|defaults|options|args|configuration)",
    re.IGNORECASE,
)

_MAKERS = (
    "dict",
    "Namespace",
    "SimpleNamespace",
    "EasyDict",
    "edict",
    "AttrDict",
    "Box",
    "create",
    "ConfigDict",
)
"""Calls that make a dictionary or the like of their keywords, or of a dictionary."""


def dictionaries(script: Script) -> dict[str, dict[str, Any]]:
    """Entries of each such dictionary that is written out once, nested ones by dotted names."""
    found: dict[str, dict[str, Any]] = {}
    twice: set[str] = set()
    for node in script.nodes:
        for name, entries in _held(node, script):
            if entries and _DICTIONARIES.fullmatch(name):
                twice |= {name} & set(found)
                found[name] = entries
    return {name: entries for name, entries in found.items() if name not in twice}


def _held(node: ast.AST, script: Script) -> list[tuple[str, dict[str, Any]]]:
    """Names with entries that a node binds: a variable, a class `Config`, `wandb.init(config={...})`."""
    if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return [(t.id, _entries(node.value, script, ())) for t in targets if isinstance(t, ast.Name)]
    if isinstance(node, ast.keyword) and node.arg == "config":
        return [(node.arg, _entries(node.value, script, ()))]
    if isinstance(node, ast.ClassDef):
        inside = [i for i in node.body if isinstance(i, ast.Assign | ast.AnnAssign) and i.value is not None]
        fields = [
            (target.id, item.value)
            for item in inside
            for target in (item.targets if isinstance(item, ast.Assign) else [item.target])
            if isinstance(target, ast.Name)
        ]
        return [(node.name, {name: script.constants.value(value) for name, value in fields})]
    return []


def _entries(node: ast.expr, script: Script, above: tuple[str, ...]) -> dict[str, Any]:
    pairs: list[tuple[Any, ast.expr]] = []
    if isinstance(node, ast.Dict):
        pairs = [
            (script.constants.value(k), v)
            for k, v in zip(node.keys, node.values, strict=True)
            if k is not None
        ]
    elif isinstance(node, ast.Call) and last_name(node.func) in _MAKERS:
        if node.args:
            return _entries(node.args[0], script, above)
        pairs = list(keywords(node).items())
    made: dict[str, Any] = {}
    for key, value in pairs:
        if not isinstance(key, str) or not re.fullmatch(r"[A-Za-z_][\w\-]*", key):
            continue
        place = (*above, key)
        below = _entries(value, script, place) if len(place) < 6 else {}
        made |= below or {".".join(place): script.constants.value(value)}
    return made


def constants(script: Script) -> dict[str, Any]:
    """Values of names that are assigned once, at module level, with a literal.

    In capitals, or where the name is that of a well-known hyperparameter: `learning_rate`.
    """
    assigned: list[str] = []
    for node in script.tree.body:
        targets = (
            node.targets
            if isinstance(node, ast.Assign)
            else [node.target]
            if isinstance(node, ast.AnnAssign)
            else []
        )
        assigned += [t.id for t in targets if isinstance(t, ast.Name)]
    names = [n for n in dict.fromkeys(assigned) if re.fullmatch(r"[A-Z][A-Z0-9_]*", n) or guess(n)]
    values = {name: script.constants.value(ast.Name(name)) for name in names if assigned.count(name) == 1}
    return {name: value for name, value in values.items() if value is not UNKNOWN}
