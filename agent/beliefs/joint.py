"""Functions drawn from a fitted Gaussian process: the whole function at many points, not its moments."""

from __future__ import annotations

import numpy as np

from tunesmith.agent.methods.gp.gp_model import GaussianProcess, _cholesky, _covariance
from tunesmith.history import Array

JITTER = 1e-6
"""Of the kernel's scale, on the diagonal: points of a pool may lie close together."""


def draw_functions(
    process: GaussianProcess, points: Array, normal: Array, width: float = 1.0
) -> tuple[Array, Array]:
    """Draws of the noise-free function at `points`, transformed units, larger is better.

    f_s = mean + width L z_s with L L' the posterior covariance of the points.

    Args:
        points: (m, c) as the surrogate scales them.
        normal: (S, m) standard normal numbers.
        width: Factor on deviations from the mean.
    Returns:
        Draws (S, m) and the mean (m,).
    """
    fitted, scaled = process._scaled(process.points), process._scaled(points)
    cross = _covariance(fitted, scaled, process.scale)
    mean = process.solve(process.y) @ cross
    covariance = _covariance(scaled, scaled, process.scale) - cross.T @ process.solve(cross)
    covariance[np.diag_indices_from(covariance)] += JITTER * process.scale
    factor = np.tril(_cholesky(covariance))
    draws: Array = mean + width * (normal @ factor.T)
    return draws, mean
