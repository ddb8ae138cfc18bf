"""What counts as which kind of value: the one place that is strict about types.

A bool is not a number, a string that reads like a number is not one either, and 3.0 is not an
integer. Being exact here is what lets everything behind `Space.validate` trust its input.
"""

from __future__ import annotations

import math
import re
from typing import TypeGuard

import numpy as np

from tunesmith.trial import Value

INT64 = 2**63
"""Integers from -2^63 up to, not including, 2^63 are plain values; every store holds them exactly."""
_NUMBER = re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*")


def plain(value: object) -> object:
    """NumPy scalars and arrays as the Python values they stand for; anything else as it is."""
    return value.tolist() if isinstance(value, np.generic | np.ndarray) else value


def is_number(value: object) -> TypeGuard[int | float]:
    """An int or a float; not a bool."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_finite(value: int | float) -> bool:
    """Finite as a float; an int too large for one is not."""
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def same(a: object, b: object) -> bool:
    """Equal and of one type, except that an int stands for the equal float: 1 is 1.0, True is not 1."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    return a == b and isinstance(a, str) == isinstance(b, str)


def number_in(value: object) -> float | None:
    """The number that a value of the wrong type plainly means, such as "1e-3"; None where there is none."""
    if isinstance(value, str) and len(value) <= 40 and _NUMBER.fullmatch(value):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, int) and not is_finite(value):
        return math.inf if value > 0 else -math.inf
    return None if math.isnan(value) else float(value)


def legal_text(text: str, limit: int = 200) -> bool:
    """Whether a name or choice is fit for a command line, a table and a prompt."""
    return 0 < len(text) <= limit and text.isprintable() and text == text.strip()


def show(value: Value) -> str:
    """A value for people and models: strings bare, whole floats without .0, exponents without padding."""
    if isinstance(value, bool) or not isinstance(value, float):
        return str(value)
    text = repr(value)
    if "e" in text:
        mantissa, exponent = text.split("e")
        return f"{mantissa.removesuffix('.0')}e{int(exponent)}"
    return text.removesuffix(".0")
