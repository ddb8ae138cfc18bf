"""Constraints: arithmetic comparisons such as `warmup + 1 < epochs`.

    comparison := sum (("<" | "<=" | ">" | ">=" | "==" | "!=") sum)+      chains as in mathematics

The sums, and what they may hold, are `expressions.py`. Two numbers within a part in 10^12 of each other count
as equal. A comparison with a side that is not a finite number (a division by zero, an overflow) does not
hold. A constraint that names an inactive parameter holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tunesmith.errors import SpaceError
from tunesmith.space.expressions import COMPARISONS, Node, Parser
from tunesmith.space.scales import Array

_EQUAL = 1e-12


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
        parser = Parser(text, "constraint", "a comparison in words like 'warmup < epochs'")
        operands, operators = [parser.sum()], []
        while parser.token in COMPARISONS:
            operators.append(parser.token)
            parser.advance()
            operands.append(parser.sum())
        if parser.kind != "end":
            raise parser.fail(f"unexpected {parser.token!r}")
        if not operators:
            raise parser.fail("a comparison (<, <=, >, >=, ==, !=) is missing")
        if not parser.names:
            raise SpaceError(f"constraint {parser.text!r} names no parameter")
        return cls(parser.text, tuple(operands), tuple(operators), tuple(parser.names))

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
