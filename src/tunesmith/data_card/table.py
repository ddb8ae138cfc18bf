"""A data set as columns: floats where a column is numeric, only its gaps where it is categorical."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunesmith.errors import UsageError, short

MOST_ROWS, MOST_ENTRIES = 200_000, 20_000_000
"""Of a table that statistics are computed from; 20 million floats are 160 MB."""
MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "?", "-"})
"""Texts that stand for no value, in lower case and without blanks around."""


@dataclass(frozen=True)
class Table:
    """Columns of a data set.

    Attributes:
        names: Names of all features, shape (features,).
        columns: Of a numeric feature its values, NaN where missing, shape (rows,); of a categorical one the
            share of missing values.
        target: Numbers (NaN where missing) or texts (None where missing), shape (rows,); None for none.
        rows: Rows at hand.
        samples: Rows of the data set, as far as known.
        more: Whether there are more rows than `samples`.
    """

    names: tuple[str, ...]
    columns: tuple[NDArray[np.float64] | float, ...]
    target: NDArray[np.float64] | list[str | None] | None
    rows: int
    samples: int
    more: bool = False


def from_arrays(X: Any, y: Any = None, names: Any = None) -> Table:
    """A table of array-likes; very many rows are thinned out evenly.

    Raises:
        UsageError: The shapes do not fit.
    """
    if names is None and hasattr(X, "columns"):
        names = list(X.columns)
    sparse = hasattr(X, "tocsr")  # a scipy matrix; only the rows to be used are made dense
    data: Any = X.tocsr() if sparse else _array(X, "X")
    if data.ndim == 0 or data.shape[0] == 0:
        raise UsageError(f"X should have the shape (samples, features), got {data.shape}.")
    if not sparse:
        data = data.reshape(len(data), -1)
    samples, features = data.shape
    target = None if y is None else _target(y, samples)
    names = [f"x{i}" for i in range(features)] if names is None else [str(name) for name in names]
    if len(names) != features:
        raise UsageError(f"X has {features} features, but {len(names)} names were given.")
    chosen = thinned(samples, features)
    data = data[chosen].toarray() if sparse else data[chosen]
    columns = tuple(column_of(data[:, i]) for i in range(features))
    at_hand = None if target is None else target_of(target[chosen])
    return Table(tuple(names), columns, at_hand, len(chosen), samples)


def thinned(samples: int, features: int) -> NDArray[np.intp]:
    """Places of the rows to use: all, or as many as may be used, evenly spread."""
    most = max(min(MOST_ROWS, MOST_ENTRIES // max(features, 1)), 2)
    if samples <= most:
        return np.arange(samples)
    return np.linspace(0, samples - 1, most).astype(np.intp)


def column_of(values: NDArray[Any]) -> NDArray[np.float64] | float:
    """One feature's values as floats with NaN where missing, or the share missing where it is categorical."""
    if values.dtype.kind in "biuf":
        return values.astype(np.float64)
    if values.dtype.kind in "mM":  # dates count as categories: a number of them would depend on the unit
        return float(np.isnat(values).mean())
    known = [_known(value) for value in values.tolist()]
    numbers = as_numbers(known)
    return sum(value is None for value in known) / len(known) if numbers is None else numbers


def target_of(values: NDArray[Any]) -> NDArray[np.float64] | list[str | None]:
    """The target as numbers, or else as texts; true and false are texts, for they are classes."""
    if values.dtype.kind in "iuf":
        return values.astype(np.float64)
    items = values.tolist()
    if not any(isinstance(value, bool) for value in items):
        numbers = as_numbers(map(_known, items))
        if numbers is not None:
            return numbers
    # Among texts `none` and `-` may well be classes; only an empty one is missing.
    return [None if _known(value, frozenset({"", "nan"})) is None else _text(value) for value in items]


def as_numbers(values: Iterable[Any]) -> NDArray[np.float64] | None:
    """Floats, NaN for None; None if one of the values is no number."""
    try:
        return np.array([np.nan if value is None else float(value) for value in values], dtype=np.float64)
    except (ValueError, TypeError, OverflowError):
        return None


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _known(value: Any, missing: frozenset[str] = MISSING) -> Any:
    """A value, or None where it stands for a missing one."""
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return None
    if isinstance(value, str | bytes):
        text = _text(value)
        return None if text.strip().casefold() in missing else text
    if type(value).__name__ in ("NAType", "NaTType"):  # pandas' own marks, without importing pandas
        return None
    return value


def _array(data: Any, name: str) -> NDArray[Any]:
    if hasattr(data, "detach"):  # a torch tensor, on whatever device
        data = data.detach().cpu()
    try:
        array = np.asarray(data)
    except ValueError as error:
        raise UsageError(f"{name} is not a table: {short(str(error))}.") from None
    if array.dtype.kind in "US" and not hasattr(data, "dtype"):
        # numpy makes texts of [[1, "a"]]; as objects, numbers stay numbers.
        array = np.array(data, dtype=object)
    if array.dtype.kind == "c":
        raise UsageError(f"{name} holds complex numbers; give their real and imaginary parts as columns.")
    return array


def _target(y: Any, samples: int) -> NDArray[Any]:
    target = _array(y, "y")
    if target.ndim == 2 and target.shape[1] == 1:
        target = target[:, 0]
    if target.ndim != 1 or len(target) != samples:
        raise UsageError(
            f"y should have one value for each of the {samples} samples, got the shape {target.shape}."
        )
    return target


def split_target(names: Sequence[str], target: str | int | None) -> int | None:
    """Place of the target's column; None for no target. LookupError where there is no such column."""
    if target is None:
        return None
    if str(target) in names:
        return list(names).index(str(target))
    try:
        place = int(target)
    except ValueError:
        raise LookupError(target) from None
    if not -len(names) <= place < len(names):
        raise LookupError(target)
    return place % len(names)
