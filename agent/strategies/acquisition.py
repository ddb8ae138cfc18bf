"""Log expected improvement, stable however unlikely an improvement is.

Ament et al., *Unexpected improvements to expected improvement*, 2023: far from the incumbent EI underflows
to 0 and all candidates look alike; its logarithm, computed directly, still tells them apart.
"""

from __future__ import annotations

import numpy as np
from scipy.special import erfcx, ndtr

from tunesmith.history import Array

LOG_SQRT_2PI = 0.5 * np.log(2 * np.pi)
TINY = 1e-12


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
