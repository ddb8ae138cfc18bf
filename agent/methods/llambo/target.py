"""The value that candidates are asked to reach: s' = best + alpha * range, in the metric's own units.

`robust` works on any sign and scale: the range runs from the best score down to the worst, but no further
than three times the distance of best and median below the median, so that one diverged loss does not put
the target out of sight. `upstream` is the released formula, max - min, without its endless loop on metrics
that are no shares.
"""

from __future__ import annotations

import math

import numpy as np

from tunesmith.agent.methods.llambo.settings import LlamboSettings
from tunesmith.history import History

SMALLER_ALPHAS = (0.1, 0.01, 0.001, -0.001, -0.01)
"""Upstream's list of what alpha falls back to when a share would leave (0.00001, 0.9999)."""
LOWEST, HIGHEST = 1e-5, 0.9999
"""Upstream's idea of how good a metric can be."""


def target(
    history: History, protocol: LlamboSettings, bounds: tuple[float, float] | None = None
) -> float | None:
    """The value to ask for, metric units; None while no scale is known.

    Args:
        bounds: Least and largest value the metric can take, where a person knows; the target stays inside.
    """
    if not history.scores.size:
        return None
    wanted = _upstream(history, protocol.alpha) if protocol.target == "upstream" else None
    if protocol.target == "robust":
        wanted = _robust(history, protocol.alpha)
    if wanted is None or not math.isfinite(wanted):
        return None
    return wanted if bounds is None else min(max(wanted, bounds[0]), bounds[1])


def _robust(history: History, alpha: float) -> float | None:
    scores = history.scores
    best, median, worst = float(scores.max()), float(np.median(scores)), float(scores.min())
    floor = max(worst, median - 3 * (best - median)) if median < best else worst
    scale = best - floor or 0.1 * abs(best)
    return history.sign * (best + alpha * scale) if scale > 0 else None


def _upstream(history: History, alpha: float) -> float:
    values = history.sign * history.scores
    best = history.sign * float(history.scores.max())
    scale = float(values.max() - values.min()) or 0.1 * abs(float(values.max()))

    def at(share: float) -> float:
        return best + history.sign * share * scale

    wanted = at(alpha if alpha != 0 else -0.001)
    share = 0.0 <= float(values.min()) and float(values.max()) <= 1.0
    loss = history.sign < 0 and best > LOWEST
    if not (share or loss) or scale == 0:
        return wanted  # here upstream would look for a smaller alpha for ever

    def allowed(value: float) -> bool:
        return value < HIGHEST if history.sign > 0 else value > LOWEST

    if allowed(wanted):
        return wanted
    smaller = [a for a in SMALLER_ALPHAS if a < alpha and allowed(at(a))]
    return at(smaller[0]) if smaller else best
