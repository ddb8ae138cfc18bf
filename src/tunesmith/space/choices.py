"""Parameters with listed values: Categorical (no order), Ordinal (ordered), Bool."""

from __future__ import annotations

import difflib
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from tunesmith.errors import Problem, SpaceError, short
from tunesmith.space.parameter import Parameter, When
from tunesmith.space.scales import Array
from tunesmith.space.values import is_finite, is_number, legal_text, number_in, plain, same, show
from tunesmith.trial import Value

MOST_CHOICES = 1000


class Listed(Parameter):
    """What the listed kinds share; `listed` holds the values in order."""

    @property
    @abstractmethod
    def listed(self) -> tuple[Value, ...]: ...

    @property
    def size(self) -> int:
        return len(self.listed)

    @cached_property
    def numeric(self) -> bool:
        return all(is_number(value) for value in self.listed)

    def check(self, name: str, value: object) -> Problem | None:
        if any(same(value, choice) for choice in self.listed):
            return None
        if isinstance(value, float) and not is_finite(value):
            kind = "not_finite"
        else:
            kinds = {_kind(choice) for choice in self.listed}
            kind = "out_of_range" if _kind(value) in kinds else "wrong_type"
        return Problem(kind, name, value, self.describe(), self.nearest(value))

    def nearest(self, value: object) -> Value | None:
        """The value that a text or number stands for, or the closest; None where that would be a guess."""
        texts = {str(choice).casefold(): choice for choice in self.listed}
        text = str(value).strip().casefold() if isinstance(value, str | bool) else None
        if text in texts:
            return texts[text]
        number = number_in(value)
        numbers = [choice for choice in self.listed if is_number(choice)]
        if number is not None and numbers:
            # The smaller one in a tie, whatever the order of the list.
            return min(numbers, key=lambda choice: (abs(float(choice) - number), float(choice)))
        if isinstance(value, str) and len(value) <= 200:
            close = difflib.get_close_matches(str(text), list(texts), n=1, cutoff=0.6)
            return texts[close[0]] if close else None
        return None

    def canonical(self, value: Any) -> Value:
        return self.listed[self.index_of(value)]

    def index_of(self, value: Any) -> int:
        return next(i for i, choice in enumerate(self.listed) if same(value, choice))

    def value_at(self, index: int) -> Value:
        return self.listed[index]

    def numbers(self, u: Array) -> Array:
        return self.number_table[self.indices(u)]

    @cached_property
    def number_table(self) -> Array:
        """The listed values as floats; numeric lists only."""
        return np.array([float(value) for value in self.listed])

    def token(self, value: Any) -> str:
        # By value, not by index, so that adding a choice leaves the digests of old configurations alone.
        choice = self.canonical(value)
        return f"{_kind(choice)}:{choice!r}"

    def format(self, value: Any) -> str:
        return show(value)

    def describe(self) -> str:
        if len(self.listed) == 1:
            return f"always {show(self.listed[0])}"
        return "one of " + ", ".join(show(choice) for choice in self.listed)


@dataclass(frozen=True)
class Categorical(Listed):
    """One of several values without an order. One-hot in the unit cube.

    Args:
        choices: 1 to 1000 distinct strings, finite numbers or bools; 1, 1.0 and True are not distinct.
    """

    choices: Sequence[Value]
    when: When | None = None
    type_name: ClassVar[str] = "categorical"
    one_hot: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "choices", _listed_values("Categorical", "choices", self.choices))

    @property
    def listed(self) -> tuple[Value, ...]:
        return tuple(self.choices)

    def to_dict(self) -> dict[str, Any]:
        return {"type": self.type_name, "choices": list(self.choices)}


@dataclass(frozen=True)
class Ordinal(Listed):
    """One of several values in a meaningful order, such as 16, 32, 64 or small, medium, large.

    Neighbours are equally far from one another in the unit cube.
    """

    values: Sequence[Value]
    when: When | None = None
    type_name: ClassVar[str] = "ordinal"

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", _listed_values("Ordinal", "values", self.values))

    @property
    def listed(self) -> tuple[Value, ...]:
        return tuple(self.values)

    def describe(self) -> str:
        return super().describe() + (" (in this order)" if len(self.listed) > 2 else "")

    def to_dict(self) -> dict[str, Any]:
        return {"type": self.type_name, "values": list(self.values)}


@dataclass(frozen=True)
class Bool(Listed):
    """True or False."""

    when: When | None = field(default=None)
    type_name: ClassVar[str] = "bool"

    @property
    def listed(self) -> tuple[Value, ...]:
        return (False, True)

    def nearest(self, value: object) -> Value | None:
        words = {"yes": True, "on": True, "1": True, "no": False, "off": False, "0": False}
        if is_number(value) and value in (0, 1):
            return bool(value)
        if isinstance(value, str) and value.strip().casefold() in words:
            return words[value.strip().casefold()]
        return super().nearest(value)

    def describe(self) -> str:
        return "true or false"

    def to_dict(self) -> dict[str, Any]:
        return {"type": self.type_name}


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "bool"
    return "number" if is_number(value) else type(value).__name__


def _listed_values(kind: str, key: str, values: object) -> tuple[Value, ...]:
    """The listed values as a tuple, or SpaceError."""
    if isinstance(values, str | bytes) or not isinstance(values, Sequence | np.ndarray):
        raise SpaceError(f"{kind} needs a list as `{key}`, got {short(values)}", key=(key,))
    if not 1 <= len(values) <= MOST_CHOICES:
        raise SpaceError(f"{kind} needs 1 to {MOST_CHOICES} {key}, got {len(values)}", key=(key,))
    listed: list[Value] = []
    for item in values:
        value = plain(item)
        if isinstance(value, str) and legal_text(value):
            listed.append(value)
        elif isinstance(value, bool) or (is_number(value) and is_finite(value)):
            listed.append(value)
        else:
            raise SpaceError(
                f"{kind} {key} must be short printable strings, finite numbers or bools, got {short(value)}",
                key=(key,),
            )
    # By Python's own equality: Optuna finds a choice by ==, so 1 and True could not be told apart there.
    if len(set(listed)) < len(listed):
        twice = next(value for i, value in enumerate(listed) if value in listed[:i])
        raise SpaceError(f"{kind} {key} must be distinct; {twice!r} equals another", key=(key,))
    return tuple(listed)
