"""The figures of a data card, from a table. Bounded cost: passes over the entries, pairs of 300 features."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunesmith.data_card.facts import (
    MOST_CLASSES_LISTED,
    MOST_FEATURES_LISTED,
    STRONG,
    FeatureFacts,
    Spread,
    TaskType,
)
from tunesmith.data_card.table import Table
from tunesmith.seeds import rng_for

Array = NDArray[np.float64]
MOST_CLASSES_GUESSED = 20
"""Up to so many distinct whole numbers in a target are taken for classes, unless `task` says otherwise."""
MOST_PAIRED, MOST_PAIR_ROWS = 300, 20_000
"""Features, and rows, from which correlations of pairs are computed."""
NEAR_ZERO, UNIT_SD = 0.1, (0.5, 2.0)
"""A standardised feature's mean is so near 0, its standard deviation in this range: wide enough for a part of
data that was standardised as a whole."""


def measure(table: Table, task: TaskType | None = None) -> dict[str, Any]:
    """The fields of a DataCard.

    Args:
        task: What the target is for; None: guessed from it.
    """
    numeric = [i for i, column in enumerate(table.columns) if not isinstance(column, float)]
    columns = [np.where(np.isfinite(column), column, np.nan) for column in _numeric(table)]
    listed = [_facts(name, column) for name, column in zip(table.names, table.columns, strict=True)]
    moving = [
        column
        for column, place in zip(columns, numeric, strict=True)
        if listed[place].sd is not None and listed[place].sd != 0
    ]
    known = [facts for facts in listed if facts.sd]
    if table.target is None:
        task = None
    elif task is None:
        task = guess_task(table.target)
    return {
        "samples": table.samples,
        "features": len(table.columns),
        "numeric": len(numeric),
        "categorical": len(table.columns) - len(numeric),
        "more_samples": table.more,
        "samples_used": table.rows,
        "task": task,
        "missing": float(np.mean([facts.missing for facts in listed])) if listed else 0.0,
        "constant": sum(facts.sd == 0 for facts in listed),
        "smallest_sd": min((f.sd for f in known if f.sd), default=None),
        "largest_sd": max((f.sd for f in known if f.sd), default=None),
        "standardised": all(_is_standard(facts) for facts in known) if known else None,
        "skewness": _spread([f.skewness for f in known]),
        "kurtosis": _spread([f.kurtosis for f in known]),
        "listed": tuple(listed[:MOST_FEATURES_LISTED]),
        **_scale(columns),
        **_target_facts(table.target, task),
        "correlated_with_target": _with_target(moving, table.target, task),
        **_pairs(columns, moving),
    }


def guess_task(target: Array | list[str | None]) -> TaskType:
    """Texts, and at most 20 distinct whole numbers, each seen twice on average, are classes."""
    if isinstance(target, list):
        return "classification"
    values = target[np.isfinite(target)]
    whole = bool(np.all(values == np.round(values)))
    distinct = len(np.unique(values))
    few = distinct <= min(MOST_CLASSES_GUESSED, max(2, len(values) // 2))
    return "classification" if whole and few else "regression"


def _numeric(table: Table) -> list[Array]:
    return [column for column in table.columns if not isinstance(column, float)]


def _facts(name: str, column: Array | float) -> FeatureFacts:
    if isinstance(column, float):
        return FeatureFacts(name=name, kind="categorical", missing=column)
    values = column[np.isfinite(column)]
    missing = 1 - len(values) / max(len(column), 1)
    mean, sd, skewness, kurtosis = _moments(values)
    return FeatureFacts(
        name=name, kind="numeric", missing=missing, mean=mean, sd=sd, skewness=skewness, kurtosis=kurtosis
    )


def _moments(values: Array) -> tuple[float | None, float | None, float | None, float | None]:
    """Mean, standard deviation, skewness and excess kurtosis; None where undefined or beyond a float."""
    if len(values) == 0:
        return None, None, None, None
    if values.min() == values.max():  # rounding must not make a constant's spread
        return float(values[0]), 0.0, None, None
    with np.errstate(over="ignore", invalid="ignore"):
        mean = float(np.mean(values))
        sd = float(np.std(values))
        z = (values - mean) / sd if sd > 0 else np.full(1, np.nan)
        return _finite(mean), _finite(sd), _finite(np.mean(z**3)), _finite(np.mean(z**4) - 3)


def _finite(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None


def _is_standard(facts: FeatureFacts) -> bool:
    assert facts.mean is not None and facts.sd is not None
    return abs(facts.mean) <= NEAR_ZERO and UNIT_SD[0] <= facts.sd <= UNIT_SD[1]


def _spread(values: list[float | None]) -> Spread | None:
    known = [value for value in values if value is not None]
    if not known:
        return None
    return Spread(median=float(np.median(known)), low=min(known), high=max(known))


def _scale(columns: list[Array]) -> dict[str, Any]:
    """Mean square and variance of all entries, in two passes: a difference of squares would lose digits."""
    count = sum(int(np.isfinite(column).sum()) for column in columns)
    if count == 0:
        return {}
    with np.errstate(over="ignore", invalid="ignore"):
        mean = sum(float(np.nansum(column)) for column in columns) / count
        square = sum(float(np.nansum(column**2)) for column in columns) / count
        variance = sum(float(np.nansum((column - mean) ** 2)) for column in columns) / count
    return {"mean_square": _finite(square), "variance": _finite(variance)}


def _target_facts(target: Array | list[str | None] | None, task: TaskType | None) -> dict[str, Any]:
    if target is None:
        return {}
    if task == "classification":
        counts = Counter(_labels(target))
        del counts[None]
        total = sum(counts.values())
        largest = [name for name, _ in counts.most_common(MOST_CLASSES_LISTED) if name is not None]
        return {
            "classes": tuple((name, counts[name]) for name in sorted(largest, key=_in_order)),
            "n_classes": len(counts),
            "largest_class": max(counts.values()) / total if total else None,
        }
    if isinstance(target, list):
        return {}
    mean, sd, skewness, kurtosis = _moments(target[np.isfinite(target)])
    return {
        "target_mean": mean,
        "target_sd": sd,
        "target_skewness": skewness,
        "target_kurtosis": kurtosis,
    }


def _labels(target: Array | list[str | None]) -> list[str | None]:
    """Names of the classes, None where missing; 3.0 is `3`."""
    if isinstance(target, list):
        return target
    return [f"{value:.10g}" if np.isfinite(value) else None for value in target]


def _in_order(name: str) -> tuple[bool, float, str]:
    try:
        return (False, float(name), name)
    except ValueError:
        return (True, 0.0, name)


def _with_target(
    columns: list[Array], target: Array | list[str | None] | None, task: TaskType | None
) -> int | None:
    """How many of `columns` are strongly correlated with the target; None where that says nothing."""
    if target is None or not columns:
        return None
    labels = None if task == "regression" and not isinstance(target, list) else _codes(target)
    if labels is None:
        assert not isinstance(target, list)
        numbers = np.where(np.isfinite(target), target, np.nan)
        return sum(abs(_pearson(column, numbers)) > STRONG for column in columns)
    if task == "regression" or labels.max() < 1:
        return None
    # For two classes the ratio is the absolute correlation with their index.
    return sum(_correlation_ratio(column, labels) > STRONG for column in columns)


def _codes(target: Array | list[str | None]) -> NDArray[np.int64]:
    """Class index of each sample, -1 where missing."""
    labels = _labels(target)
    index = {name: i for i, name in enumerate(sorted({name for name in labels if name is not None}))}
    return np.array([-1 if name is None else index[name] for name in labels], dtype=np.int64)


def _pearson(a: Array, b: Array) -> float:
    """Over the samples that have both; 0 where either does not vary there."""
    both = np.isfinite(a) & np.isfinite(b)
    if both.sum() < 2:
        return 0.0
    a, b = _centred(a[both]), _centred(b[both])
    norm = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / norm if norm > 0 else 0.0


def _centred(values: Array) -> Array:
    """With mean 0 and largest magnitude 1, so that no square overflows."""
    values = values / (np.abs(values).max() or 1.0)
    values = values - values.mean()
    return values / (np.abs(values).max() or 1.0)


def _correlation_ratio(column: Array, labels: NDArray[np.int64]) -> float:
    """Root of the share of variance that lies between the classes, in [0, 1]."""
    known = np.isfinite(column) & (labels >= 0)
    if known.sum() < 2:
        return 0.0
    values, labels = _centred(column[known]), labels[known]
    counts = np.bincount(labels)
    sums = np.bincount(labels, weights=values)
    between = float((sums**2 / np.maximum(counts, 1)).sum())
    whole = float(values @ values)
    return (between / whole) ** 0.5 if whole > 0 else 0.0


def _pairs(columns: list[Array], moving: list[Array]) -> dict[str, Any]:
    """Strong correlations of pairs; gaps are filled with the feature's mean, which can only weaken them."""
    if len(moving) < 2:
        return {}
    chosen = moving
    if len(moving) > MOST_PAIRED:
        places = rng_for(0, "data card", "pairs").choice(len(moving), MOST_PAIRED, replace=False)
        chosen = [moving[i] for i in sorted(places)]
    rows = len(chosen[0])
    some = np.linspace(0, rows - 1, min(rows, MOST_PAIR_ROWS)).astype(np.intp)
    z = np.stack([_unit(column[some]) for column in chosen])  # (features, rows)
    upper = np.triu_indices(len(chosen), 1)
    strong = int((np.abs(z @ z.T)[upper] > STRONG).sum())
    n, m = len(chosen), len(moving)
    return {"correlated_pairs": strong, "pairs": n * (n - 1) // 2, "pairs_possible": m * (m - 1) // 2}


def _unit(column: Array) -> Array:
    """Centred, gaps at the mean, of length 1; zeros for a column that does not vary here."""
    known = np.isfinite(column)
    filled = np.zeros(len(column))
    if known.any():
        filled[known] = _centred(column[known])
    norm = np.linalg.norm(filled)
    return filled / norm if norm > 0 else filled
