"""What a type annotation says of a value: `float`, `Optional[int]`, `list[str]`, `Literal[...]`, an enum."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from typing import Any

from tunesmith.task.scripts.constants import UNKNOWN, last_name
from tunesmith.task.scripts.source import Script

_SIMPLE = {"int": "int", "float": "float", "bool": "bool", "str": "text", "Path": "text"}
_LISTS = {"list", "List", "tuple", "Tuple", "Sequence", "set", "Set"}


@dataclass(frozen=True)
class Annotation:
    """Facts of an annotation; the fields as in `Option`."""

    reads: str = "unknown"
    choices: tuple[Any, ...] = ()
    many: bool = False
    """Whether it is of several values."""
    nested: str = ""
    """The class of the script that it names, where that is a class of fields."""
    metadata: tuple[ast.expr, ...] = ()
    """What stands beside the type in `Annotated[...]`."""
    optional: bool = False
    """Whether None is legal."""
    enum: bool = False


def annotation(node: ast.expr | None, script: Script) -> Annotation:
    """Read an annotation; `reads` is unknown where it cannot be told."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        try:
            node = ast.parse(node.value, mode="eval").body
        except SyntaxError:
            return Annotation()
    if isinstance(node, ast.Subscript):
        return _subscript(node, script)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _union([node.left, node.right], script)
    name = last_name(node)
    if name in _SIMPLE:
        return Annotation(_SIMPLE[name])
    if name in _LISTS:
        return Annotation("unknown", many=True)
    for source in (script, *script.beside):
        if members := source.constants.members(name):
            return Annotation("text", choices=tuple(members), enum=True)
        if name in source.constants.classes:
            return Annotation(nested=name)
    return Annotation()


def _subscript(node: ast.Subscript, script: Script) -> Annotation:
    name = last_name(node.value)
    inner = list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]
    if name == "Annotated" and inner:
        return replace(annotation(inner[0], script), metadata=tuple(inner[1:]))
    if name == "Optional":
        return replace(annotation(inner[0], script), optional=True)
    if name == "Union":
        return _union(inner, script)
    if name == "Literal":
        values = [script.constants.value(item) for item in inner]
        return Annotation("text", choices=() if UNKNOWN in values else tuple(values))
    if name in _LISTS and inner:
        return replace(annotation(inner[0], script), many=True)
    if name in ("ClassVar", "InitVar"):
        return Annotation()
    return annotation(inner[0], script) if name in ("Final", "Required") else Annotation()


def _union(parts: list[ast.expr], script: Script) -> Annotation:
    kept = [part for part in parts if not (isinstance(part, ast.Constant) and part.value is None)]
    found = annotation(kept[0], script) if len(kept) == 1 else Annotation()
    return replace(found, optional=found.optional or len(kept) < len(parts))
