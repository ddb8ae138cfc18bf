"""A Gaussian process with a Matern 5/2 kernel, fitted by maximum a posteriori with analytic gradients.

Symbols, n points in p dimensions of which c columns encode them:
    U    (n, c) unit-cube columns; the k one-hot columns of a category are one dimension together
    W    (n, c) warped columns: Kumaraswamy's 1 - (1 - u^a)^b on numeric ones, u / sqrt(2) on one-hot ones,
         so that two different categories are at squared distance 1
    x    (p,) inverse squared length-scales;  s  kernel scale;  v  noise variance
    r2   sum_j x_j |W_i - W_k|_j^2;  K = s m(r2) + 0.25 + v I + diag(e);  0.25 for an unknown constant mean
    e    (n,) variances of the values' own errors, known beforehand; 0 but for trials that were stopped early

Priors: x in `length_scales.py`; as in Optuna's Gaussian process (`optuna/_gp/prior.py`) s ~ Gamma(2, 1),
v ~ Gamma(1.1, rate 30), see `NoisePrior` where it is known; warp log a, log b ~ N(0, 0.25^2) (Snoek et al.,
2014).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dpotrf, dpotri, dpotrs, dtrtrs
from scipy.optimize import minimize

from tunesmith.agent.methods.gp import length_scales
from tunesmith.history import Array

MEAN_VARIANCE = 0.25
MIN_NOISE = 1e-5
LEAST_NOISE = 1e-7
"""The same where a search has limits: its best trials lie at a border, as close as the model can tell."""
START_NOISE = float(np.exp(-4.0))
WARP_SD = 0.25
ITERATIONS = 40
TOLERANCE = 1e-6
"""Relative: the log posterior is found to about 0.002, in half the steps of scipy's default."""
EDGE = 1e-9
"""Warped coordinates keep this distance from 0 and 1, where the warp's derivatives are singular."""
SQRT5 = float(np.sqrt(5.0))
BOUND = 12.0
"""Bound on |log parameter|, far beyond what the priors allow; it only keeps line searches finite."""


@dataclass(frozen=True)
class Columns:
    """How unit-cube columns make up the dimensions of the space.

    Attributes:
        dimension: (c,) the dimension each column belongs to, 0 .. p-1.
        numeric: (c,) True for a numeric column, False for a one-hot one.
    """

    dimension: NDArray[np.intp]
    numeric: NDArray[np.bool_]

    @property
    def dimensions(self) -> int:
        return int(self.dimension[-1]) + 1 if len(self.dimension) else 0


class NoisePrior(NamedTuple):
    """What is known of the noise, from the task or from repeated trials: v is hardly below it.

    It may be above it: what the kernel does not fit counts as noise too. So below `mean` the prior of v is
    multiplied by exp(-((log v - mean) / sd)^2 / 2).
    """

    mean: float
    """Of log v, transformed units."""
    sd: float
    """Above 0."""


@dataclass(frozen=True)
class GaussianProcess:
    """A fitted process over transformed scores.

    Attributes:
        theta: Fitted log parameters: log x (p,), log s, log(v - 1e-5), then log a and log b of the numeric
            columns when warped.
        points: (n, c) unit-cube columns fitted to.
        y: (n,) transformed scores, about standard normal.
        extra: e, (n,) variances in the units of y squared; 0. where y is known up to the common noise.
        floor: Least noise variance.
    """

    columns: Columns
    warped: bool
    theta: Array
    points: Array
    y: Array
    extra: Array | float = 0.0
    floor: float = MIN_NOISE

    @cached_property
    def _factor(self) -> Array:
        K = _covariance(self._scaled(self.points), self._scaled(self.points), self.scale)
        K[np.diag_indices_from(K)] += self.noise + self.extra
        return _cholesky(K)

    @cached_property
    def _alpha(self) -> Array:
        return self.solve(self.y)

    @property
    def scale(self) -> float:
        return float(np.exp(self.theta[self.columns.dimensions]))

    @property
    def noise(self) -> float:
        return float(np.exp(self.theta[self.columns.dimensions + 1])) + self.floor

    @property
    def length_scales(self) -> Array:
        """(p,) in (warped) unit-cube units; large means the dimension hardly matters."""
        return np.exp(-0.5 * self.theta[: self.columns.dimensions])

    def _scaled(self, points: Array) -> Array:
        W = _warp(points, self.columns, self.theta) if self.warped else _unwarped(points, self.columns)
        return W * np.exp(0.5 * self.theta[: self.columns.dimensions])[self.columns.dimension]

    def solve(self, b: Array) -> Array:
        """K^-1 b, K the covariance of the fitted points with noise; b (n,) or (n, m)."""
        solution: Array = dpotrs(self._factor, b, lower=1)[0]
        return solution

    def predict(self, points: Array, pending: Array | None = None) -> tuple[Array, Array]:
        """Mean and standard deviation of the noise-free score at `points` (m, c), each (m,).

        `pending` (q, c) are points running now: each counts as observed at the process's own mean, which
        leaves the mean as it is and takes the variance near it away.
        """
        scaled = self._scaled(points)
        cross = _covariance(self._scaled(self.points), scaled, self.scale)
        mean = self._alpha @ cross
        factor = self._factor
        if pending is not None and len(pending):
            known = self._scaled(np.concatenate([self.points, pending]))
            K = _covariance(known, known, self.scale)
            K[np.diag_indices_from(K)] += self.noise
            K[np.diag_indices(len(self.points))] += self.extra
            factor, cross = _cholesky(K), _covariance(known, scaled, self.scale)
        half = dtrtrs(factor, cross, lower=1)[0]
        variance = self.scale + MEAN_VARIANCE - np.einsum("ij,ij->j", half, half)
        return mean, np.sqrt(np.maximum(variance, 1e-12))


def fit(
    columns: Columns,
    points: Array,
    y: Array,
    *,
    warped: bool,
    start: Array | None = None,
    extra: Array | float = 0.0,
    noise: NoisePrior | None = None,
    floor: float = MIN_NOISE,
) -> GaussianProcess:
    """The process of largest posterior density, by L-BFGS from `start` (another fit's theta) or the prior.

    Args:
        points: (n, c) unit-cube columns, n >= 1.
        y: (n,) transformed scores.
        warped: Whether to fit input warps too.
        extra: (n,) variances >= 0 of the values' own errors, beyond the noise that is fitted.
        noise: What is known of v, besides the Gamma prior.
        floor: Least v.
    """
    p = columns.dimensions
    numeric = int(columns.numeric.sum())
    size = p + 2 + (2 * numeric if warped else 0)
    if start is None or len(start) != size:
        start = np.zeros(size)
        start[:p] = length_scales.start(p)
        start[p + 1] = np.log(START_NOISE) if noise is None else max(noise.mean, np.log(START_NOISE))
    loss = _Loss(columns, points, y, warped, extra, noise, floor)
    bounds = [(-BOUND, BOUND)] * size
    bounds[p + 1] = (min(-BOUND, float(np.log(floor))), BOUND)
    result = minimize(
        loss,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"maxiter": ITERATIONS, "ftol": TOLERANCE},
    )
    theta = result.x if np.all(np.isfinite(result.x)) and np.isfinite(result.fun) else start
    return GaussianProcess(columns, warped, theta, points, y, extra, floor)


class _Loss:
    """Negative log posterior of theta, up to a constant, and its gradient."""

    def __init__(
        self,
        columns: Columns,
        points: Array,
        y: Array,
        warped: bool,
        extra: Array | float = 0.0,
        noise: NoisePrior | None = None,
        floor: float = MIN_NOISE,
    ) -> None:
        self.columns, self.points, self.y, self.warped, self.extra = columns, points, y, warped, extra
        self.noise, self.floor = noise, floor
        self.plain = _unwarped(points, columns)
        u = np.clip(points[:, columns.numeric], EDGE, 1 - EDGE)
        self.log_u = np.log(u)

    def __call__(self, theta: Array) -> tuple[float, Array]:
        columns, y = self.columns, self.y
        p, n = columns.dimensions, len(y)
        x, s, v = np.exp(theta[:p]), np.exp(theta[p]), np.exp(theta[p + 1]) + self.floor

        W = self.plain
        if self.warped:
            numeric = columns.numeric
            a, b = _warp_parameters(theta, columns)
            power = np.exp(a * self.log_u)  # u^a
            rest = np.maximum(1 - power, EDGE)
            tail = rest**b  # (1 - u^a)^b
            W = W.copy()
            W[:, numeric] = 1 - tail

        by_column = x[columns.dimension]
        S = W * np.sqrt(by_column)
        norms = np.einsum("ij,ij->i", S, S)
        r2 = np.maximum(norms[:, None] + norms[None, :] - 2 * (S @ S.T), 0.0)
        r = np.sqrt(5 * r2)
        decay = np.exp(-r)
        correlation = (1 + r + r * r / 3) * decay
        K = s * correlation + MEAN_VARIANCE
        K[np.diag_indices(n)] += v + self.extra
        factor, info = dpotrf(K, lower=1, clean=0)
        if info != 0:
            return 1e25, np.zeros_like(theta)
        alpha = dpotrs(factor, y, lower=1)[0]
        inverse = dpotri(factor, lower=1)[0]
        inverse = np.tril(inverse) + np.tril(inverse, -1).T
        loss = 0.5 * float(y @ alpha) + float(np.log(np.diagonal(factor)).sum())

        # d loss / dK = (K^-1 - alpha alpha') / 2, and d correlation / d r2 = -5/6 (1 + r) exp(-r).
        G = 0.5 * (inverse - np.outer(alpha, alpha))
        H = G * ((-5 / 6) * s * (1 + r) * decay)
        # sum_ik H_ik (W_i - W_k)^2 = 2 sum_i W_i (rowsum_i W_i - (H W)_i), for symmetric H.
        pull = H.sum(axis=1)[:, None] * W - H @ W

        gradient = np.empty_like(theta)
        per_column = 2 * np.einsum("ij,ij->j", W, pull)
        gradient[:p] = np.bincount(columns.dimension, per_column, minlength=p) * x
        gradient[p] = float(np.einsum("ij,ij->", G, correlation)) * s
        gradient[p + 1] = float(np.trace(G)) * (v - self.floor)

        unlikely, slope = length_scales.penalty(theta[:p])
        loss += unlikely - (theta[p] - s)
        gradient[:p] += slope
        gradient[p] += s - 1
        loss += 30 * v - 0.1 * float(np.log(v))
        gradient[p + 1] += (30 - 0.1 / v) * (v - self.floor)
        if self.noise is not None and np.log(v) < self.noise.mean:
            off = (float(np.log(v)) - self.noise.mean) / self.noise.sd
            loss += off * off / 2
            gradient[p + 1] += off / self.noise.sd * (v - self.floor) / v

        if self.warped:
            k = len(a)
            toward = 4 * by_column[numeric] * pull[:, numeric]  # d loss / d W
            d_log_a = toward * (b * rest ** (b - 1) * power * self.log_u) * a
            d_log_b = toward * (-tail * np.log(rest)) * b
            gradient[p + 2 : p + 2 + k] = d_log_a.sum(axis=0) + theta[p + 2 : p + 2 + k] / WARP_SD**2
            gradient[p + 2 + k :] = d_log_b.sum(axis=0) + theta[p + 2 + k :] / WARP_SD**2
            loss += float(theta[p + 2 :] @ theta[p + 2 :]) / (2 * WARP_SD**2)
        return loss, gradient


def _unwarped(points: Array, columns: Columns) -> Array:
    return np.where(columns.numeric, points, points / np.sqrt(2.0))


def _warp(points: Array, columns: Columns, theta: Array) -> Array:
    a, b = _warp_parameters(theta, columns)
    W = _unwarped(points, columns)
    u = np.clip(points[:, columns.numeric], EDGE, 1 - EDGE)
    W[:, columns.numeric] = 1 - np.maximum(1 - u**a, EDGE) ** b
    return W


def _warp_parameters(theta: Array, columns: Columns) -> tuple[Array, Array]:
    start, k = columns.dimensions + 2, int(columns.numeric.sum())
    return np.exp(theta[start : start + k]), np.exp(theta[start + k :])


def _covariance(A: Array, B: Array, scale: float) -> Array:
    """Kernel between scaled points (n, c) and (m, c), constant mean included, noise not: (n, m)."""
    r2 = np.einsum("ij,ij->i", A, A)[:, None] + np.einsum("ij,ij->i", B, B)[None, :] - 2 * (A @ B.T)
    r = np.sqrt(5 * np.maximum(r2, 0.0))
    K: Array = scale * (1 + r + r * r / 3) * np.exp(-r) + MEAN_VARIANCE
    return K


def _cholesky(K: Array) -> Array:
    """Lower factor of K; jitter grows until it exists (repeated points with almost no noise)."""
    jitter = 0.0
    while True:
        factor, info = dpotrf(K + jitter * np.eye(len(K)) if jitter else K, lower=1)
        if info == 0:
            lower: Array = factor
            return lower
        jitter = max(jitter * 10, 1e-9)
