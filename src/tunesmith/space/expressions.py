"""Arithmetic over parameters, such as `epochs * width / 1000`, parsed to a small tree.

Never evaluated as Python. The whole language:

    sum        := product (("+" | "-") product)*
    product    := unary (("*" | "/" | "//" | "%") unary)*
    unary      := ("+" | "-") unary | power
    power      := atom ("**" unary)?
    atom       := number | name | "(" sum ")"

All arithmetic is in floats, so its cost is bounded whatever the exponent. `constraints.py` adds comparisons.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from tunesmith.errors import SpaceError, short
from tunesmith.space.scales import Array

MOST_CHARACTERS = 500
DEEPEST = 40
_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)(?![\w.])"
    r"|(?P<name>[^\W\d]\w*(?:\.[^\W\d]\w*)*)"
    r"|(?P<operator>\*\*|//|<=|>=|==|!=|[-+*/%<>()]))"
)
COMPARISONS = frozenset({"<", "<=", ">", ">=", "==", "!="})


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
class Expression:
    """One sum.

    Attributes:
        text: As written.
        root: The tree.
        names: The parameters it mentions; may be none.
    """

    text: str
    root: Node
    names: tuple[str, ...]

    @classmethod
    def parse(cls, text: object, what: str = "expression") -> Expression:
        """Read an expression; SpaceError says what is wrong and where.

        Args:
            what: What it is, for messages: `cost`.
        """
        return Parser(text, what, "arithmetic over parameters, such as 'epochs * width / 1000'").expression()

    def evaluate(self, values: Mapping[str, Array]) -> Array:
        """Its value, elementwise over float arrays of one shape, one for each of `names`.

        Not finite where the arithmetic has no finite result, such as of a division by zero.
        """
        with np.errstate(all="ignore"):
            found = self.root.evaluate(values)
        return np.broadcast_to(found, np.broadcast_shapes(found.shape, *(v.shape for v in values.values())))


class Parser:
    """Recursive descent over the tokens of one text, with bounded depth; SpaceError where it is none.

    Args:
        what: What the text is, for messages: `constraint`.
    """

    def __init__(self, text: object, what: str, such_as: str) -> None:
        if not isinstance(text, str) or not text.strip():
            raise SpaceError(f"a {what} is {such_as}, got {short(text)}")
        if len(text) > MOST_CHARACTERS:
            raise SpaceError(f"a {what} has at most {MOST_CHARACTERS} characters, got {len(text)}")
        self.text, self.what, self.at, self.depth = text.strip(), what, 0, 0
        self.names: dict[str, None] = {}
        self.kind, self.token, self.start = "", "", 0
        self.advance()

    def fail(self, problem: str) -> SpaceError:
        return SpaceError(f"{self.what} {self.text!r}: {problem} at character {self.start + 1}")

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

    def expression(self) -> Expression:
        """The whole text as one sum."""
        root = self.sum()
        if self.kind == "end":
            return Expression(self.text, root, tuple(self.names))
        compared = " (a comparison is none)" if self.token in COMPARISONS else ""
        raise self.fail(f"unexpected {self.token!r}{compared}")

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
