"""The unit cube: configurations as rows of numbers, for surrogates and samplers.

One column for each numeric, ordinal or bool parameter, k columns (one-hot) for a categorical of k choices.
Inactive parameters hold 0.5 (one-hot: 0), so that they are equal wherever they play no part. Everything
on many rows is vectorised over them: a tuner rounds and filters some 700 candidates per proposal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tunesmith.space.conditions import Conditions
from tunesmith.space.parameter import Indices, Parameter
from tunesmith.space.scales import Array
from tunesmith.trial import Value

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Column:
    """One column of the unit cube."""

    parameter: str
    kind: Literal["numeric", "onehot"]
    choice: Value | None = None
    """The choice that a one-hot column stands for; None for a numeric one."""


@dataclass(frozen=True)
class Resolved:
    """Rows moved to the nearest legal points. n rows, d columns."""

    rows: Array
    """Shape (n, d)."""
    indices: dict[str, Indices]
    """Index of the value of each finite parameter, shape (n,)."""
    active: dict[str, Mask]
    """Whether each parameter is active, shape (n,)."""


class Encoding:
    """The layout of one space's cube, and the moves between rows and values."""

    def __init__(
        self,
        parameters: Mapping[str, Parameter],
        conditions: Mapping[str, Conditions],
        order: tuple[str, ...],
    ) -> None:
        self.parameters, self.conditions, self.order = parameters, conditions, order
        columns: list[Column] = []
        self.places: dict[str, slice] = {}
        for name, parameter in parameters.items():
            start = len(columns)
            if parameter.one_hot:
                size = parameter.size or 0
                columns += [Column(name, "onehot", parameter.value_at(i)) for i in range(size)]
            else:
                columns.append(Column(name, "numeric"))
            self.places[name] = slice(start, len(columns))
        self.columns = tuple(columns)
        # For each condition: which indices of the parent's values make the child active.
        self._tables = {
            name: {
                parent: [parameters[parent].index_of(value) for value in values]
                for parent, values in condition.items()
            }
            for name, condition in conditions.items()
        }

    def encode(self, values: Mapping[str, Value]) -> tuple[Array, Mask]:
        """Row (d,) and active mask (d,) of legal values; what is not in `values` is inactive."""
        row = np.empty(len(self.columns))
        active = np.zeros(len(self.columns), dtype=bool)
        for name, parameter in self.parameters.items():
            place = self.places[name]
            if name not in values:
                row[place] = 0.0 if parameter.one_hot else 0.5
                continue
            active[place] = True
            if parameter.one_hot:
                row[place] = 0.0
                row[place.start + parameter.index_of(values[name])] = 1.0
            else:
                row[place] = parameter.to_unit(values[name])
        return row, active

    def resolve(self, rows: Array) -> Resolved:
        """Nearest legal points of any rows (n, d); constraints are not looked at."""
        rows = np.nan_to_num(np.asarray(rows, dtype=np.float64), nan=0.5)
        rounded = np.empty_like(rows)
        indices: dict[str, Indices] = {}
        active: dict[str, Mask] = {}
        for name in self.order:
            parameter, place = self.parameters[name], self.places[name]
            active[name] = here = self._active(name, indices, active, len(rows))
            if parameter.one_hot:
                indices[name] = np.argmax(rows[:, place], axis=1)
                one_hot = np.zeros((len(rows), place.stop - place.start))
                one_hot[np.arange(len(rows)), indices[name]] = 1.0
                rounded[:, place] = np.where(here[:, None], one_hot, 0.0)
            else:
                units = np.clip(rows[:, place.start], 0.0, 1.0)
                if parameter.size is not None:
                    indices[name] = parameter.indices(units)
                rounded[:, place.start] = np.where(here, parameter.round_units(units), 0.5)
        return Resolved(rounded, indices, active)

    def _active(self, name: str, indices: dict[str, Indices], active: dict[str, Mask], n: int) -> Mask:
        here = np.ones(n, dtype=bool)
        for parent, wanted in self._tables.get(name, {}).items():
            found = indices[parent]
            if found.dtype == object:  # of a wide Int: Python's own integers
                here &= active[parent] & np.array([index in wanted for index in found.tolist()], dtype=bool)
            else:
                here &= active[parent] & np.isin(found, wanted)
        return here

    def numbers(self, name: str, resolved: Resolved) -> Array:
        """Values of one numeric parameter as floats, shape (n,); meaningless where it is inactive."""
        parameter = self.parameters[name]
        if parameter.one_hot:
            table = np.array([float(parameter.value_at(i)) for i in range(parameter.size or 0)])
            return table[resolved.indices[name]]
        return parameter.numbers(resolved.rows[:, self.places[name].start])

    def values(self, resolved: Resolved, index: int) -> dict[str, Value]:
        """The active parameters' values of one row, in the space's order."""
        values: dict[str, Value] = {}
        for name, parameter in self.parameters.items():
            if not resolved.active[name][index]:
                continue
            if name in resolved.indices:
                values[name] = parameter.value_at(int(resolved.indices[name][index]))
            else:
                values[name] = parameter.from_unit(float(resolved.rows[index, self.places[name].start]))
        return values

    def all_values(self, resolved: Resolved) -> list[dict[str, Value]]:
        """`values` of every row: column by column, which for many rows is far quicker."""
        found: list[dict[str, Value]] = [{} for _ in range(len(resolved.rows))]
        for name, parameter in self.parameters.items():
            rows = np.flatnonzero(resolved.active[name]).tolist()
            if name in resolved.indices:
                indices = [int(index) for index in resolved.indices[name][rows]]
                known = {index: parameter.value_at(index) for index in set(indices)}
                column: list[Value] = [known[index] for index in indices]
            else:
                column = parameter.numbers(resolved.rows[rows, self.places[name].start]).tolist()
            for row, value in zip(rows, column, strict=True):
                found[row][name] = value
        return found

    def mask(self, resolved: Resolved) -> Mask:
        """Which columns are active, shape (n, d)."""
        mask = np.empty(resolved.rows.shape, dtype=bool)
        for name, place in self.places.items():
            mask[:, place] = resolved.active[name][:, None]
        return mask
