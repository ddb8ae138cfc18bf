"""Which metrics a training function visibly does not return: read from its text, nothing is run."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

_NUMBERS = frozenset({"float", "int", "round", "max", "min", "sum", "abs", "len"})


def never_returned(source: bytes, function: str, names: Sequence[str]) -> tuple[str, ...]:
    """Those of `names` that no `return` of a function gives, where every one shows what it gives.

    Shown are a dict with keys in plain sight, and a number, which is the first of `names`. Empty where any
    `return` hides what it gives, and where the function has none: then its reports count. A name that stands
    as a text anywhere in the file may be reported, and one such as `eval/accuracy` in a mapping inside.

    Args:
        source: Of the file; has been parsed before.
    """
    tree = ast.parse(source)
    nodes = list(ast.walk(tree))
    defined = [node for node in nodes if isinstance(node, ast.FunctionDef) and node.name == function]
    if len(defined) != 1:
        return ()
    given = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    returns = list(_returns(defined[0]))
    for value in returns:
        keys = _keys(value, names[0])
        if keys is None:
            return ()
        given |= keys
    plain = [name for name in names if "/" not in name and "." not in name]
    return tuple(name for name in plain if name not in given) if returns else ()


def _returns(node: ast.AST) -> Iterator[ast.expr]:
    """What a function returns, but not what functions inside it do."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Return) and child.value is not None:
            yield child.value
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            yield from _returns(child)


def _keys(value: ast.expr, number: str) -> set[str] | None:
    """The keys of a dict, `number` for a number; None where neither is in plain sight."""
    if isinstance(value, ast.IfExp):
        both = _keys(value.body, number), _keys(value.orelse, number)
        return None if both[0] is None or both[1] is None else both[0] | both[1]
    if isinstance(value, ast.Dict):
        keys = [
            key.value for key in value.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)
        ]
        return set(keys) if len(keys) == len(value.keys) else None
    if isinstance(value, ast.Constant):
        return {number} if isinstance(value.value, int | float) else None
    if isinstance(value, ast.UnaryOp):
        return _keys(value.operand, number) if isinstance(value.op, ast.USub | ast.UAdd) else None
    if isinstance(value, ast.BinOp):
        return None if isinstance(value.op, ast.BitOr) else {number}  # `|` joins dicts
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name):
        if value.func.id == "dict" and not value.args:
            found = [word.arg for word in value.keywords if word.arg is not None]
            return set(found) if len(found) == len(value.keywords) else None
        return {number} if value.func.id in _NUMBERS else None
    return None
