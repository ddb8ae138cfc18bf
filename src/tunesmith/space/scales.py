"""Maps between a float range and [0, 1]: linear, log and logit.

Each map is written from the lower bound upwards (`log1p`, `expm1` of the distance to it), so a
narrow range such as [1, 1.0000001] keeps full precision, and value -> unit -> value comes back to within
a few units in the last place. Symbols: x a value, u its unit coordinate, L the range's length on its scale.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Scale = Literal["linear", "log", "logit"]
SCALES: tuple[Scale, ...] = ("linear", "log", "logit")


@lru_cache(maxsize=256)  # of the few ranges of a space, for each value that is written
def length(scale: Scale, low: float, high: float) -> float:
    """L: `high - low`, `ln(high / low)` or the difference of their log-odds."""
    return float(_distance(scale, low, np.float64(high)))


def to_unit(scale: Scale, low: float, high: float, x: ArrayLike) -> Array:
    """u of x, any shape, clipped to [0, 1]; 0.5 everywhere when the range is one point."""
    x = np.clip(np.asarray(x, dtype=np.float64), low, high)
    if low == high:
        return np.full_like(x, 0.5)
    return np.clip(_distance(scale, low, x) / length(scale, low, high), 0.0, 1.0)


def from_unit(scale: Scale, low: float, high: float, u: ArrayLike) -> Array:
    """x at u, any shape, clipped to [low, high]."""
    u = np.clip(np.asarray(u, dtype=np.float64), 0.0, 1.0)
    if low == high:
        return np.full_like(u, low)
    t = u * length(scale, low, high)
    if scale == "linear":
        x = low + t
    elif scale == "log" and np.isfinite(high / low):
        x = low + low * np.expm1(t)
    elif scale == "log":  # a ratio that no float holds, from one near the smallest
        x = np.exp(t + np.log(low))
    else:
        growth = np.expm1(t)
        x = low + low * (1 - low) * growth / (1 + low * growth)
        # Near 1 the information is in 1 - x, which the line above would round away.
        x = np.where(x > 0.5, 1 - (1 - low) / (1 + low * growth), x)
    # The ends come back exactly: a bound is a value people type and compare with.
    return np.clip(np.where(u >= 1.0, high, np.where(u <= 0.0, low, x)), low, high)


def slope(scale: Scale, low: float, high: float, x: float) -> float:
    """dx/du at x: by how much the value moves per unit of the cube's side."""
    span = length(scale, low, high)
    if scale == "linear":
        return span
    return x * span if scale == "log" else x * (1 - x) * span


def _distance(scale: Scale, low: float, x: Array | np.float64) -> Array:
    """Length from `low` to x on the scale, >= 0."""
    away = x - low
    if scale == "linear":
        return np.asarray(away)
    if scale == "log":
        with np.errstate(over="ignore"):
            ratio = np.asarray(away / low)
        return np.where(np.isfinite(ratio), np.log1p(ratio), np.log(x) - np.log(low))
    return np.asarray(np.log1p(away / low) - np.log1p(-away / (1 - low)))
