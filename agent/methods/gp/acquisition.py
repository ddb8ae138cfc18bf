"""Acquisition functions: the value of running a trial, from the prediction of its score. Larger is better.

Log expected improvement is the default: far from the incumbent EI underflows to 0 and all candidates are
equal; its logarithm, computed directly, still ranks them (Ament et al., *Unexpected improvements to expected
improvement*, 2023). Plain EI gives the same ranking wherever it does not underflow. The upper confidence
bound (Srinivas et al., 2010) needs no incumbent.

The caller accounts for running trials: a surrogate that can be conditioned on them (a Gaussian process) does
so; with any other their configurations are left out.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy.special import erfcx, ndtr

from tunesmith.history import Array

LOG_SQRT_2PI = 0.5 * np.log(2 * np.pi)
TINY = 1e-12
Acquisition = Literal["ei", "log_ei", "ucb"]
WORDS: dict[str, str] = {
    "ei": "expected improvement",
    "log_ei": "expected improvement",
    "ucb": "upper confidence bound",
}
"""As they are called in a reason."""


def acquire(name: Acquisition, mean: Array, std: Array, incumbent: float, *, kappa: float = 2.0) -> Array:
    """The acquisition function `name`; arguments as below, `kappa` for the upper confidence bound only."""
    if name == "ucb":
        return upper_confidence_bound(mean, std, kappa)
    return {"ei": expected_improvement, "log_ei": log_expected_improvement}[name](mean, std, incumbent)


def expected_improvement(mean: Array, std: Array, incumbent: float) -> Array:
    """E[max(f - incumbent, 0)] for f ~ N(mean, std^2), maximising (Jones et al., 1998).

    Args:
        mean, std: Posterior moments, shape (n,), std >= 0, one unit with incumbent.
    Returns:
        Shape (n,), in that unit, >= 0; the certain gain where std is 0.
    """
    gain = mean - incumbent
    z = gain / np.maximum(std, TINY)
    spread = std * np.exp(-(np.clip(z, -40, 40) ** 2) / 2 - LOG_SQRT_2PI)
    return np.where(std > 0, np.maximum(gain * ndtr(z) + spread, 0.0), np.maximum(gain, 0.0))


def upper_confidence_bound(mean: Array, std: Array, kappa: float = 2.0) -> Array:
    """mean + kappa std: the optimist's score, maximising (Srinivas et al., 2010).

    Args:
        mean, std: Posterior moments, shape (n,), std >= 0.
        kappa: Standard deviations of optimism, >= 0.
    """
    return mean + kappa * std


def log_expected_improvement(mean: Array, std: Array, incumbent: float) -> Array:
    """log E[max(f - incumbent, 0)] for f ~ N(mean, std^2), maximising.

    Args:
        mean, std: Posterior moments, shape (n,), std >= 0, one unit with incumbent.
    Returns:
        Shape (n,), finite.
    """
    std = np.maximum(std, TINY)  # std is 0 at noise-free repeats
    return np.log(std) + _log_h((mean - incumbent) / std)


def _log_h(z: Array) -> Array:
    """log(phi(z) + z Phi(z)), without cancellation for negative z."""
    out = np.empty_like(z)
    near = z > -1
    zn = z[near]
    out[near] = np.log(np.exp(-(zn**2) / 2 - LOG_SQRT_2PI) + zn * ndtr(zn))
    far = z < -1e6
    zf = z[far]
    out[far] = -(zf**2) / 2 - LOG_SQRT_2PI - 2 * np.log(-zf)  # the limit of the line below
    mid = ~(near | far)
    zm = z[mid]
    # phi(z) + z Phi(z) = phi(z) (1 - |z| sqrt(pi/2) erfcx(|z|/sqrt 2))
    ratio = -zm * np.sqrt(np.pi / 2) * erfcx(-zm / np.sqrt(2))
    # 1 - ratio loses digits as 1/z^2 shrinks; beyond 1e3 its series is exact to double precision.
    gap = np.where(zm < -1e3, 1 / zm**2, 1 - ratio)
    out[mid] = -(zm**2) / 2 - LOG_SQRT_2PI + np.log(gap)
    return out
