"""What every kind of parameter can do.

A parameter knows its legal values and its place in the unit cube; it knows nothing of the other
parameters. `Space` puts them together. Finite kinds number their values 0 .. size-1, and each owns an
equal cell of [0, 1], so uniform draws from the cube are uniform over the values. The smallest kind to read
first is `Bool` in choices.py.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tunesmith.errors import Problem
from tunesmith.space.scales import Array
from tunesmith.trial import Value

Indices = NDArray[np.int64]
When = Mapping[str, Value | Sequence[Value]]


class Parameter(ABC):
    """One hyperparameter. Immutable; `when` holds parent -> the values that make it active."""

    type_name: ClassVar[str]
    one_hot: ClassVar[bool] = False
    when: Mapping[str, Any] | None

    @property
    @abstractmethod
    def size(self) -> int | None:
        """Number of distinct values; None for a continuous range."""

    @abstractmethod
    def check(self, name: str, value: object) -> Problem | None:
        """The fault of a value, or None. `value` has no NumPy scalars any more."""

    @abstractmethod
    def canonical(self, value: Any) -> Value:
        """A legal value in the one form that is stored: 1 as 1.0 for a Float, on its step exactly."""

    def original(self, value: Any) -> Any:
        """A legal value as training code receives it: None and lists instead of their labels."""
        return value

    def stored(self, value: Any) -> Value | None:
        """A legal value as an Optuna study stores it."""
        return self.canonical(value)

    # As finite kinds need them; a continuous range has its own.

    def to_unit(self, value: Any) -> float:
        """Unit coordinate of a legal value, in [0, 1]."""
        return float(self._centres(self.index_of(value)))

    def from_unit(self, u: float) -> Value:
        """The legal value at, or nearest to, a unit coordinate."""
        return self.value_at(int(self.indices(np.asarray([u]))[0]))

    def round_units(self, u: Array) -> Array:
        """Unit coordinates of the nearest legal values; any shape."""
        return np.asarray(self._centres(self.indices(u)))

    def indices(self, u: Array) -> Indices:
        """Index of the value at each coordinate; finite kinds only."""
        assert self.size is not None
        return np.clip(np.floor(np.asarray(u) * self.size), 0, self.size - 1).astype(np.int64)

    def _centres(self, index: Any) -> Any:
        """Unit coordinate of the middle of each value's cell."""
        assert self.size is not None
        return (index + 0.5) / self.size

    @abstractmethod
    def index_of(self, value: Any) -> int:
        """Index of a legal value; finite kinds only."""

    @abstractmethod
    def value_at(self, index: int) -> Value:
        """The value with an index; finite kinds only."""

    @abstractmethod
    def numbers(self, u: Array) -> Array:
        """The values at coordinates as floats, for constraints; numeric values only."""

    @property
    @abstractmethod
    def numeric(self) -> bool:
        """Whether constraints may use it: its values are numbers."""

    @abstractmethod
    def format(self, value: Any) -> str:
        """A legal value for people and models, with sane precision."""

    @abstractmethod
    def describe(self) -> str:
        """The legal values as text."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """As in a task file, without `when`; defaults are left out."""

    def token(self, value: Any) -> str:
        """Text that is equal exactly for values that count as one to the digest."""
        return str(self.index_of(value))
