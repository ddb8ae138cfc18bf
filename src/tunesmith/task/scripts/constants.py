"""Values of expressions that a reader of a script can see: literals, and names bound once to such."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any, Final

UNKNOWN: Final = object()
"""The value of whatever cannot be told without running the script."""
_OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Pow: operator.pow,
}
_LARGEST = 1e12
_DEEPEST = 20


class Constants:
    """The module-level names of a script with a value that can be told, `Class.attribute` among them."""

    def __init__(self, tree: ast.Module) -> None:
        self.bound: dict[str, ast.expr] = {}
        self.classes: dict[str, ast.ClassDef] = {}
        for node in tree.body:
            if isinstance(node, ast.ClassDef):
                self.classes[node.name] = node
                self._bind(node.body, node.name + ".")
        self._bind(tree.body, "")

    def _bind(self, body: list[ast.stmt], prefix: str) -> None:
        for node in body:
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    if isinstance(target, ast.Name):
                        self.bound[prefix + target.id] = node.value
                    elif isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                        pairs = zip(target.elts, node.value.elts, strict=False)
                        self.bound |= {prefix + t.id: v for t, v in pairs if isinstance(t, ast.Name)}
            elif isinstance(node, ast.AnnAssign) and node.value and isinstance(node.target, ast.Name):
                self.bound[prefix + node.target.id] = node.value

    def value(self, node: ast.AST | None, depth: int = 0) -> Any:
        """The value of an expression, or UNKNOWN."""
        if node is None or depth > _DEEPEST:
            return UNKNOWN
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.Name | ast.Attribute):
            return self.value(self.bound.get(dotted(node)), depth + 1)
        if isinstance(node, ast.List | ast.Tuple | ast.Set):
            items = [self.value(item, depth + 1) for item in node.elts]
            return UNKNOWN if any(item is UNKNOWN for item in items) else items
        if isinstance(node, ast.Dict):
            return self._mapping(node, depth)
        if isinstance(node, ast.UnaryOp | ast.BinOp):
            return self._number(node, depth)
        if isinstance(node, ast.Call):
            return self._called(node, depth)
        if isinstance(node, ast.ListComp):
            return self._members_of(node)
        if isinstance(node, ast.JoinedStr):
            return self._joined(node, depth)
        return UNKNOWN

    def bind(self, target: ast.expr, value: Any) -> None:
        """Bind the names of an assignment's or a loop's target to a value."""
        if isinstance(target, ast.Name):
            self.bound[target.id] = ast.Constant(value)
        elif isinstance(target, ast.Tuple | ast.List) and isinstance(value, list):
            for part, item in zip(target.elts, value, strict=False):
                self.bind(part, item)

    def _joined(self, node: ast.JoinedStr, depth: int) -> Any:
        texts = []
        for part in node.values:
            plain = isinstance(part, ast.FormattedValue) and part.format_spec is None
            value = self.value(part.value if isinstance(part, ast.FormattedValue) else part, depth + 1)
            if not isinstance(value, str | int) or not (plain or isinstance(part, ast.Constant)):
                return UNKNOWN
            texts.append(str(value))
        return "".join(texts)

    def _mapping(self, node: ast.Dict, depth: int) -> Any:
        made: dict[Any, Any] = {}
        for key_node, value_node in zip(node.keys, node.values, strict=True):
            key = self.value(key_node, depth + 1)
            if not isinstance(key, str | int | float):
                return UNKNOWN
            made[key] = self.value(value_node, depth + 1)
        return made

    def _number(self, node: ast.UnaryOp | ast.BinOp, depth: int) -> Any:
        if isinstance(node, ast.UnaryOp):
            value = self.value(node.operand, depth + 1)
            if not isinstance(value, int | float):
                return UNKNOWN
            if isinstance(node.op, ast.Not):
                return not value
            return -value if isinstance(node.op, ast.USub) else UNKNOWN
        left, right = self.value(node.left, depth + 1), self.value(node.right, depth + 1)
        if isinstance(left, str) and isinstance(right, str) and isinstance(node.op, ast.Add):
            return left + right if len(left) + len(right) < 1000 else UNKNOWN
        apply = _OPERATORS.get(type(node.op))
        if apply is None or not isinstance(left, int | float) or not isinstance(right, int | float):
            return UNKNOWN
        if max(abs(left), abs(right)) > _LARGEST or (isinstance(node.op, ast.Pow) and abs(right) > 64):
            return UNKNOWN
        try:
            value = apply(left, right)
        except (ArithmeticError, ValueError):
            return UNKNOWN
        return value if isinstance(value, int | float) else UNKNOWN

    def _called(self, node: ast.Call, depth: int) -> Any:
        """`list(NAMES)`, `sorted(TABLE)`, `TABLE.keys()`, `dict(a=1)`, `float("1e-3")`."""
        name = dotted(node.func)
        if name == "dict" and not node.args:
            return {k.arg: self.value(k.value, depth + 1) for k in node.keywords if k.arg}
        if name.endswith(".keys") and isinstance(node.func, ast.Attribute) and not node.args:
            table = self.value(node.func.value, depth + 1)
            return list(table) if isinstance(table, dict) else UNKNOWN
        if len(node.args) != 1 or node.keywords:
            return UNKNOWN
        if name in ("list", "tuple", "sorted") and dotted(node.args[0]) in self.classes:
            return self.members(dotted(node.args[0])) or UNKNOWN
        value = self.value(node.args[0], depth + 1)
        if name in ("list", "tuple", "sorted", "set") and isinstance(value, list | dict):
            items = list(value)
            try:
                return sorted(items) if name == "sorted" else items
            except TypeError:
                return UNKNOWN
        if name in ("int", "float") and isinstance(value, int | float):
            return float(value) if name == "float" else int(value)
        return UNKNOWN

    def _members_of(self, node: ast.ListComp) -> Any:
        """`[e.value for e in Kind]`."""
        source = node.generators[0].iter
        plain = (
            len(node.generators) == 1 and not node.generators[0].ifs and isinstance(node.elt, ast.Attribute)
        )
        if plain and dotted(source) in self.classes:
            return self.members(dotted(source)) or UNKNOWN
        return UNKNOWN

    def members(self, name: str) -> list[Any]:
        """The values of an enum class; empty where it is none."""
        node = self.classes.get(name)
        if node is None or not any("Enum" in dotted(base) for base in node.bases):
            return []
        values = []
        for item in node.body:
            if isinstance(item, ast.Assign) and isinstance(item.targets[0], ast.Name):
                value = self.value(item.value)
                automatic = isinstance(item.value, ast.Call) and dotted(item.value.func).endswith("auto")
                if automatic and any("StrEnum" in dotted(base) for base in node.bases):
                    value = item.targets[0].id.lower()
                values.append(value)
        return [] if UNKNOWN in values else values


def dotted(node: ast.AST | None) -> str:
    """`a.b.c` of a chain of names; "" for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        above = dotted(node.value)
        return f"{above}.{node.attr}" if above else ""
    return ""


def last_name(node: ast.AST | None) -> str:
    """`c` of `a.b.c` or of `f(x).c`; "" for anything else."""
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def keywords(call: ast.Call) -> dict[str, ast.expr]:
    """Keyword arguments of a call, `**` left out."""
    return {k.arg: k.value for k in call.keywords if k.arg}
