"""What is expected of the length-scales before any data: how much each dimension matters.

With few dimensions, Optuna's prior: log p(x) = -(0.1/x + 0.1 x), x = 1/l^2, about l = 1 for each. With many,
that expects all of them to matter, and none can be learned from a hundred trials. Then l is log-normal with a
median that grows with the square root of their number, log l ~ N(sqrt 2 + log(p) / 2, 3) (Hvarfner et al.,
*Vanilla Bayesian optimization performs great in high dimensions*, ICML 2024): a dimension does not matter
until the data say so, and one that does costs a few nats. The density is taken over log l, whose mode is the
median; over l itself, as there, it would be at 0.2 sqrt(p), where inert dimensions still count.
"""

from __future__ import annotations

from math import log, sqrt

import numpy as np

from tunesmith.history import Array

WIDE = 10
"""Dimensions from which on a space is wide: most parameters are expected to matter little."""
SPREAD = sqrt(3.0)


def is_wide(dimensions: int) -> bool:
    """Whether a space of so many dimensions counts as wide."""
    return dimensions >= WIDE


def start(dimensions: int) -> Array:
    """log x (p,) to start a fit from: 1 each; in a wide space all points are about a length-scale apart."""
    return np.full(dimensions, -log(dimensions)) if is_wide(dimensions) else np.zeros(dimensions)


def penalty(log_x: Array) -> tuple[float, Array]:
    """Minus the log prior of log x (p,), up to a constant, and its gradient (p,)."""
    p = len(log_x)
    if is_wide(p):
        # log x = -2 log l
        off = log_x + 2 * sqrt(2.0) + log(p)
        return float(off @ off) / (8 * SPREAD**2), off / (4 * SPREAD**2)
    x = np.exp(log_x)
    return float((0.1 / x + 0.1 * x).sum()), 0.1 * x - 0.1 / x
