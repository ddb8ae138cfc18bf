"""Bounds on the mean of bounded scores that hold at every look: confidence sequences by betting.

Symbols: x_1..x_n in [0, 1] the scores in the order in which they were seen, m a hypothetical mean, N the
number of scores of a finite set that is drawn from without replacement, m_i the mean of what is left of it
before draw i if the mean of all is m: (N m - sum of x_j, j < i) / (N - i + 1); with replacement m_i is m.

Who bets the fraction f of the wealth on x_i being above m_i has afterwards 1 + f (x_i / m_i - 1) times as
much. While the mean is at most m that is a supermartingale, so that wealth reaches 1 / a with probability at
most a, however often one looks (Ville's inequality). The wealth here is the mean over a fixed grid of
fractions, which is one too and needs no tuning. The lower bound at level a is the smallest m that the wealth
does not rule out.

The order has to be random: with replacement the scores are exchangeable draws from one distribution; without,
every order of the N is as likely, or at least chosen without knowledge of the scores.

Waudby-Smith and Ramdas, Estimating means of bounded random variables by betting, JRSS B 86 (2024).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

FRACTIONS = np.concatenate([[0.02, 0.05], np.linspace(0.1, 0.9, 9), [0.97]])
"""Of the wealth, shape (G,): small ones tell small differences apart late, large ones large ones at once."""
ROUNDING = 1e-9
"""Size of a remaining mean, or a score, that is rounding."""
HALVINGS = 40
"""Of [0, 1], to find a bound."""


def log_wealth(scores: ArrayLike, mean: ArrayLike, *, total: int | None = None) -> Floats:
    """Logarithm of the wealth after each score, for bets that the mean is above `mean`.

    Args:
        scores: In [0, 1], shape (..., n), in the order seen.
        mean: The hypothetical mean in [0, 1], broadcast against shape (...).
        total: N; None: drawn with replacement.
    Returns:
        Shape (..., n); inf where the scores seen rule the mean out for certain.
    Raises:
        ValueError: A score outside [0, 1], or more than `total`.
    """
    x = _checked(scores, total)
    hypothetical = np.asarray(mean, dtype=np.float64)[..., None]
    if total is None:
        left = np.broadcast_to(hypothetical, np.broadcast_shapes(hypothetical.shape, x.shape))
    else:
        before = np.cumsum(x, axis=-1) - x
        left = (total * hypothetical - before) / (total - np.arange(x.shape[-1]))
    none_left = left <= ROUNDING
    odds = x / np.where(none_left, 1.0, left)
    grown = np.log1p(FRACTIONS * (odds[..., None] - 1))
    grown = np.cumsum(np.where(none_left[..., None], 0.0, grown), axis=-2)
    highest = grown.max(axis=-1)
    wealth = highest + np.log(np.mean(np.exp(grown - highest[..., None]), axis=-1))
    impossible = none_left & (x > ROUNDING)
    if total is not None:  # what was seen adds up to more than all may
        impossible |= total * hypothetical - before - x < -ROUNDING
    return np.where(np.logical_or.accumulate(impossible, axis=-1), np.inf, wealth)


def lower_bounds(scores: ArrayLike, level: float, *, total: int | None = None) -> Floats:
    """After each score a bound that the mean is not below; all of them hold together.

    Args:
        scores: As for `log_wealth`.
        level: Probability in (0, 1) with which one of them may be wrong.
        total: As for `log_wealth`; the bound is then on the mean of all N.
    Returns:
        Shape (..., n), in [0, 1], rising along the last axis.
    """
    if not 0 < level < 1:
        raise ValueError(f"the level should be above 0 and below 1, got {level:g}")
    x = _checked(scores, total)
    low, high = np.zeros(x.shape), np.ones(x.shape)
    threshold = -math.log(level)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        # Each place of the last axis has a hypothesis of its own, for which the bets are made from the start.
        ruled_out = _last_wealth(x, middle, total) >= threshold
        low, high = np.where(ruled_out, middle, low), np.where(ruled_out, high, middle)
    return np.maximum.accumulate(low, axis=-1)


def upper_bounds(scores: ArrayLike, level: float, *, total: int | None = None) -> Floats:
    """As `lower_bounds`: after each score a bound that the mean is not above, falling."""
    return 1.0 - lower_bounds(1.0 - np.asarray(scores, dtype=np.float64), level, total=total)


def lower_bound(scores: ArrayLike, level: float, *, total: int | None = None) -> float:
    """The last of `lower_bounds`, shape (n,): that of the highest wealth at any time up to now."""
    x = _checked(scores, total)
    low, high = 0.0, 1.0
    threshold = -math.log(level)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if float(log_wealth(x, middle, total=total).max(initial=-math.inf)) >= threshold:
            low = middle
        else:
            high = middle
    return low


def upper_bound(scores: ArrayLike, level: float, *, total: int | None = None) -> float:
    """The last of `upper_bounds`."""
    return 1.0 - lower_bound(1.0 - np.asarray(scores, dtype=np.float64), level, total=total)


class Bets:
    """`log_wealth` score by score, at the same cost for each.

    Args:
        mean: The hypothetical mean in [0, 1] of which the scores' mean is bet to be above.
        total: N; None: drawn with replacement.
    """

    def __init__(self, mean: float, *, total: int | None = None) -> None:
        self._mean, self._total = float(mean), total
        self._grown = np.zeros(len(FRACTIONS))
        self._sum, self._seen = 0.0, 0
        self._impossible = False

    def add(self, score: float) -> float:
        """The logarithm of the wealth after a further score in [0, 1]; inf once the mean is ruled out."""
        left = self._mean
        if self._total is not None:
            left = (self._total * self._mean - self._sum) / (self._total - self._seen)
        self._sum, self._seen = self._sum + score, self._seen + 1
        self._impossible |= left <= ROUNDING < score
        if self._total is not None:  # what was seen adds up to more than all may
            self._impossible |= self._total * self._mean - self._sum < -ROUNDING
        if self._impossible:
            return math.inf
        if left > ROUNDING:
            self._grown += np.log1p(FRACTIONS * (score / left - 1))
        highest = float(self._grown.max())
        return highest + math.log(float(np.exp(self._grown - highest).mean()))


def _last_wealth(x: Floats, means: Floats, total: int | None) -> Floats:
    """Highest wealth up to each place, for that place's own hypothetical mean; both of shape (..., n)."""
    n = x.shape[-1]
    result = np.empty(x.shape)
    for place in range(n):
        seen = log_wealth(x[..., : place + 1], means[..., place], total=total)
        result[..., place] = seen.max(axis=-1)
    return result


def _checked(scores: ArrayLike, total: int | None) -> Floats:
    x = np.asarray(scores, dtype=np.float64)
    if x.size and not (float(x.min()) >= -ROUNDING and float(x.max()) <= 1 + ROUNDING):
        raise ValueError(f"scores should lie in [0, 1], got {float(x.min()):g} to {float(x.max()):g}")
    if total is not None and x.shape[-1] > total:
        raise ValueError(f"there are {x.shape[-1]} scores of {total}")
    return np.clip(x, 0.0, 1.0)
