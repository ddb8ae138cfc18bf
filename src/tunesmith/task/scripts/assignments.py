"""Hyperparameters that a script assigns: a dictionary `params = {...}`, or names in capitals, `LR = 1e-3`."""

from __future__ import annotations

import ast
import re
from typing import Any

from tunesmith.task.scripts.constants import UNKNOWN, keywords, last_name
from tunesmith.task.scripts.source import Script

_DICTIONARIES = re.compile(
    r"(default_?|train(ing)?_?|model_?|base_?)?(params?|config|cfg|conf|hparams?|hp|hyper_?param(eter)?s?|settings"
    r"|parameters|defaults|options|args)",
    re.IGNORECASE,
)


def dictionaries(script: Script) -> dict[str, dict[str, Any]]:
    """Entries of each such dictionary that is written out once, nested ones by dotted names."""
    found: dict[str, dict[str, Any]] = {}
    twice: set[str] = set()
    for node in script.nodes:
        if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
            continue
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            if isinstance(target, ast.Name) and _DICTIONARIES.fullmatch(target.id):
                entries = _entries(node.value, script, ())
                if entries:
                    twice |= {target.id} & set(found)
                    found[target.id] = entries
    return {name: entries for name, entries in found.items() if name not in twice}


def _entries(node: ast.expr, script: Script, above: tuple[str, ...]) -> dict[str, Any]:
    pairs: list[tuple[Any, ast.expr]] = []
    if isinstance(node, ast.Dict):
        pairs = [
            (script.constants.value(k), v)
            for k, v in zip(node.keys, node.values, strict=True)
            if k is not None
        ]
    elif isinstance(node, ast.Call) and last_name(node.func) in ("dict", "Namespace", "SimpleNamespace"):
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
    """Values of names in capitals that are assigned once, at module level, with a literal."""
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
    names = [n for n in dict.fromkeys(assigned) if re.fullmatch(r"[A-Z][A-Z0-9_]*", n)]
    values = {name: script.constants.value(ast.Name(name)) for name in names if assigned.count(name) == 1}
    return {name: value for name, value in values.items() if value is not UNKNOWN}
