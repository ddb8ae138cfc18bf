"""Constraints: arithmetic comparisons such as `warmup + 1 < epochs`, parsed to a small tree.

Never evaluated as Python. The whole language:

    comparison := sum (("<" | "<=" | ">" | ">=" | "==" | "!=") sum)+      chains as in mathematics
    sum        := product (("+" | "-") product)*
    product    := unary (("*" | "/" | "//" | "%") unary)*
    unary      := ("+" | "-") unary | power
    power      := atom ("**" unary)?
    atom       := number | name | "(" sum ")"

All arithmetic is in floats, so its cost is bounded whatever the exponent. Two numbers within a part in
10^12 of each other count as equal. A comparison with a side that is not a finite number (a division by
zero, an overflow) does not hold. A constraint that names an inactive parameter holds.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tunesmith.errors import SpaceError, short
from tunesmith.space.scales import Array

MOST_CHARACTERS = 500
DEEPEST = 40
_EQUAL = 1e-12
_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)(?![\w.])"
    r"|(?P<name>[^\W\d]\w*(?:\.[^\W\d]\w*)*)"
    r"|(?P<operator>\*\*|//|<=|>=|==|!=|[-+*/%<>()]))"
)
_COMPARISONS = frozenset({"<", "<=", ">", ">=", "==", "!="})


@dataclass(frozen=True)
class Number:
    value: float

    def evaluate(self, values: Mapping[str, Array]) -> Array:
        return np.asarray(self.value)


@dataclass(frozen=True)
class Name:
    name: str

    def evaluate(self, values: Mapping[str, Array]) -> Array:
        return values[self.name]


@dataclass(frozen=True)
class Negated:
    operand: Node

    def evaluate(self, values: Mapping[str, Array]) -> Array:
        return -self.operand.evaluate(values)


@dataclass(frozen=True)
class Arithmetic:
    operator: str
    left: Node
    right: Node

    def evaluate(self, values: Mapping[str, Array]) -> Array:
        return np.asarray(_ARITHMETIC[self.operator](self.left.evaluate(values), self.right.evaluate(values)))


Node = Number | Name | Negated | Arithmetic
_ARITHMETIC = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "//": np.floor_divide,
    "%": np.mod,
    "**": np.power,
}


@dataclass(frozen=True)
class Constraint:
    """One comparison, or a chain of them.

    Attributes:
        text: As written.
        operands: The sums compared, at least two.
        operators: Between them, one fewer.
        names: The parameters it mentions, at least one.
    """

    text: str
    operands: tuple[Node, ...]
    operators: tuple[str, ...]
    names: tuple[str, ...]

    @classmethod
    def parse(cls, text: object) -> Constraint:
        """Read a constraint; SpaceError says what is wrong and where."""
        if not isinstance(text, str) or not text.strip():
            raise SpaceError(
                f"a constraint is a comparison in words like 'warmup < epochs', got {short(text)}"
            )
        if len(text) > MOST_CHARACTERS:
            raise SpaceError(f"a constraint has at most {MOST_CHARACTERS} characters, got {len(text)}")
        return _Parser(text.strip()).constraint()

    def holds(self, values: Mapping[str, Array]) -> NDArray[np.bool_]:
        """Whether it holds, elementwise over float arrays of one shape, one for each of `names`."""
        with np.errstate(all="ignore"):
            sides = [operand.evaluate(values) for operand in self.operands]
            held = np.asarray(True)
            for left, operator, right in zip(sides[:-1], self.operators, sides[1:], strict=True):
                held = held & np.isfinite(left) & np.isfinite(right) & _compare(left, operator, right)
        return np.broadcast_to(held, np.broadcast_shapes(held.shape, *(v.shape for v in values.values())))

    def reading(self, values: Mapping[str, float]) -> str:
        """The numbers its sides come to, such as `7 < 5`, for messages."""
        arrays = {name: np.asarray(values[name], dtype=np.float64) for name in self.names}
        with np.errstate(all="ignore"):
            sides = [f"{float(operand.evaluate(arrays)):.6g}" for operand in self.operands]
        return sides[0] + "".join(f" {op} {side}" for op, side in zip(self.operators, sides[1:], strict=True))


def _compare(left: Array, operator: str, right: Array) -> NDArray[np.bool_]:
    equal = np.abs(left - right) <= _EQUAL * np.maximum(np.abs(left), np.abs(right))
    if operator in ("==", "!="):
        return np.asarray(equal if operator == "==" else ~equal)
    below = left < right if operator in ("<", "<=") else left > right
    return np.asarray(below | equal if operator.endswith("=") else below & ~equal)


class _Parser:
    """Recursive descent over the tokens of one constraint, with bounded depth."""

    def __init__(self, text: str) -> None:
        self.text, self.at, self.depth = text, 0, 0
        self.names: dict[str, None] = {}
        self.kind, self.token, self.start = "", "", 0
        self.advance()

    def fail(self, problem: str) -> SpaceError:
        return SpaceError(f"constraint {self.text!r}: {problem} at character {self.start + 1}")

    def advance(self) -> None:
        match = _TOKEN.match(self.text, self.at)
        if match is None:
            self.start = self.at + len(self.text[self.at :]) - len(self.text[self.at :].lstrip())
            if self.start < len(self.text):
                raise self.fail(
                    f"unexpected {self.text[self.start]!r}; only names, numbers and operators may stand"
                )
            self.kind, self.token = "end", ""
            return
        self.kind = match.lastgroup or ""
        self.token, self.start, self.at = match[self.kind], match.start(self.kind), match.end()

    def constraint(self) -> Constraint:
        operands, operators = [self.sum()], []
        while self.token in _COMPARISONS:
            operators.append(self.token)
            self.advance()
            operands.append(self.sum())
        if self.kind != "end":
            raise self.fail(f"unexpected {self.token!r}")
        if not operators:
            raise self.fail("a comparison (<, <=, >, >=, ==, !=) is missing")
        if not self.names:
            raise SpaceError(f"constraint {self.text!r} names no parameter")
        return Constraint(self.text, tuple(operands), tuple(operators), tuple(self.names))

    def sum(self) -> Node:
        return self.chain(("+", "-"), self.product)

    def product(self) -> Node:
        return self.chain(("*", "/", "//", "%"), self.unary)

    def chain(self, operators: tuple[str, ...], operand: Callable[[], Node]) -> Node:
        node = operand()
        length = 0
        while self.token in operators:
            operator, length = self.token, length + 1
            if length > DEEPEST:  # the tree leans left: a long sum is as deep as it is long
                raise self.fail(f"more than {DEEPEST} operators in a row")
            self.advance()
            node = Arithmetic(operator, node, operand())
        return node

    def unary(self) -> Node:
        if self.token not in ("+", "-"):
            return self.power()
        sign = self.token
        self.deeper()
        self.advance()
        operand = self.unary()
        self.depth -= 1
        return Negated(operand) if sign == "-" else operand

    def power(self) -> Node:
        base = self.atom()
        if self.token != "**":
            return base
        self.deeper()
        self.advance()
        node = Arithmetic("**", base, self.unary())
        self.depth -= 1
        return node

    def atom(self) -> Node:
        kind, token = self.kind, self.token
        if kind == "number":
            if not math.isfinite(float(token)):
                raise self.fail(f"{short(token)} is too large")
            self.advance()
            return Number(float(token))
        if kind == "name":
            self.names[token] = None
            self.advance()
            return Name(token)
        if token != "(":
            raise self.fail(
                f"expected a name, a number or '(', found {token!r}" if token else "the end comes too early"
            )
        self.deeper()
        self.advance()
        node = self.sum()
        if self.token != ")":
            raise self.fail("a ')' is missing")
        self.advance()
        self.depth -= 1
        return node

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.fail(f"nested more than {DEEPEST} deep")
