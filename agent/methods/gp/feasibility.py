"""Where trials work: the probability that none of the kinds of failure seen so far happens, at any point.

Each kind of failure (memory, divergence, time, crash) has a model of its own,

    P(fails | u) = sigmoid(f(u)),    f = b + sum_j w_j (u_j - 1/2) + g(u),

with b normal, w_j normal about a positive (negative) value where the parameter's name says that the failure
grows (falls) with it (`failure_signs.py`), and g a Gaussian process with a Matern 5/2 kernel. So a single
failure already points away from itself along what is known to matter, and with many the border may have any
shape. f is a Gaussian process, conditioned on the trials by Laplace's approximation (Rasmussen and Williams,
*Gaussian Processes for Machine Learning*, 2006, section 3.4); P by MacKay's approximation of the integral
(1992). Whether names, other directions or the neighbourhood explain the failures is weighed by the evidence
of the sets of scales in SHAPES.

The probability that a trial works is the product over kinds. A trial that failed in one way says nothing of
the kinds that would have come later: one without memory for its first step may have been about to diverge.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np
from scipy.linalg.lapack import dpotrf, dtrtrs
from scipy.spatial.distance import cdist
from scipy.special import expit

from tunesmith.agent.methods.gp.failure_signs import sign_of
from tunesmith.history import Array, History
from tunesmith.space import Space
from tunesmith.trial import Trial, TrialState

ORDER = (TrialState.CRASHED, TrialState.OUT_OF_MEMORY, TrialState.DIVERGED, TrialState.TIMED_OUT)
"""In the order in which they come in a training; one that failed later did not fail in an earlier way."""
BIAS_MEAN, BIAS_SD = -1.0, 2.0
"""Log odds of a failure in the middle of the space, before any trial: 27 %, within 1 % and 95 %."""
MOST_FITTED = 160
"""Trials that one model is fitted to: the latest failures, half of it at most, and what is near them."""
NEWTON_STEPS, CLOSE = 20, 1e-3
LEAST_WEIGHT = 0.03
"""A shape with less of the evidence is left out."""
LEAST = (0.5, 0.9)
"""Least P(works) of a proposal where at most BEARABLE of the trials have failed; from TOO_MANY on."""
BEARABLE, TOO_MANY = 0.05, 0.15
"""Shares of failed trials. The best is often just inside the border, which is found by failures alone."""
KNOWN_SHARE = 0.9
STEEPNESS = 1e6
"""More than the log of an improvement can fall by where everything is known."""
VARIANCE_SHARE = 0.25
"""Of the variance by Laplace's approximation, which is too large where all points near agree (Kuss and
Rasmussen, JMLR 6, 2005). Chosen by the log score on random borders of 14 parameters, 5 to 80 trials."""
SQRT5 = float(np.sqrt(5.0))


@dataclass(frozen=True)
class Shape:
    """Scales of the latent function, in log odds over the whole range of a parameter.

    Attributes:
        bias_sd: sd of b.
        named: Mean of the weight of a parameter whose name tells its direction; `named_sd` its sd.
        other_sd: sd of the other weights.
        local_sd: sd of the local part; its length-scale is `reach` times the square root of the dimensions.
    """

    named: float
    named_sd: float
    other_sd: float
    local_sd: float
    reach: float
    bias_sd: float = BIAS_SD

    def times(self, factor: float) -> Shape:
        """The same with a border that is sharper by a factor."""
        scaled = {f.name: factor * getattr(self, f.name) for f in fields(self) if f.name != "reach"}
        return replace(self, **scaled)


SHAPES = (
    Shape(named=6.0, named_sd=3.0, other_sd=0.5, local_sd=1.0, reach=0.5),
    Shape(named=2.0, named_sd=5.0, other_sd=5.0, local_sd=1.0, reach=0.4),
    Shape(named=0.0, named_sd=1.0, other_sd=1.0, local_sd=3.0, reach=0.2),
)
SHARPER = (1.0, 4.0)
"""Each shape is tried with its scales times these: the memory of a device ends sharply, chance does not."""


@dataclass(frozen=True)
class _Fit:
    """One shape's latent process at its mode."""

    shape: Shape
    means: Array  # (c,) mean of each column's weight
    scales: Array  # (c,) sd of each column's weight
    points: Array  # (n, c)
    residual: Array  # (n,) y - sigmoid(f): gradient of the log likelihood
    root: Array  # (n,) square root of the likelihood's curvature
    factor: Array  # (n, n) lower factor of I + root K root
    evidence: float  # log marginal likelihood, Laplace

    def log_odds(self, rows: Array) -> Array:
        """Log odds of a failure at rows (m, c), uncertainty taken into account, shape (m,)."""
        cross = _covariance(self.points, rows, self.scales, self.shape)
        mean = _mean(rows, self.means) + self.residual @ cross
        half = dtrtrs(self.factor, self.root[:, None] * cross, lower=1)[0]
        own = self.shape.bias_sd**2 + ((rows - 0.5) ** 2) @ self.scales**2 + self.shape.local_sd**2
        variance = np.maximum(own - np.einsum("ij,ij->j", half, half), 0.0)
        odds: Array = mean / np.sqrt(1 + VARIANCE_SHARE * np.pi * variance / 8)
        return odds


@dataclass(frozen=True)
class KindModel:
    """The model of one kind of failure.

    Attributes:
        kind: Which.
        failed: The trials that failed so.
        passed: The trials that are known not to fail so.
    """

    kind: TrialState
    failed: tuple[Trial, ...]
    passed: tuple[Trial, ...]
    _fits: tuple[tuple[float, _Fit], ...]

    def log_works(self, rows: Array) -> Array:
        """log P(does not fail so) at unit-cube rows (m, c), shape (m,)."""
        works = np.zeros(len(rows))
        for weight, fit in self._fits:
            works += weight * expit(-fit.log_odds(rows))
        return np.asarray(np.log(np.maximum(works, 1e-12)))

    @cached_property
    def weights(self) -> Array:
        """Posterior mean of each column's weight, (c,): log odds of failing over the column's range."""
        total = np.zeros(self._fits[0][1].points.shape[1])
        for weight, fit in self._fits:
            total += weight * (fit.means + fit.scales**2 * ((fit.points - 0.5).T @ fit.residual))
        return total


@dataclass(frozen=True)
class Feasibility:
    """What the failures of a history say about the rest of the space.

    Attributes:
        kinds: A model for each kind of failure seen.
        least: P(works) below which a proposal is hardly ever made.
    """

    kinds: tuple[KindModel, ...]
    least: float = 0.0

    def log_works(self, rows: Array) -> Array:
        """log P(works) at legal unit-cube rows (m, c), shape (m,), at most 0."""
        total = np.zeros(len(rows))
        for model in self.kinds:
            total += model.log_works(rows)
        return total

    def merit(self, rows: Array) -> Array:
        """What to add to a log acquisition value at rows (m, c): log P(works), falling steeply below `least`.

        Probability times improvement alone would send every trial into the failures as soon as little is
        left to gain where trials work: next to nothing may be a thousand times less than an improvement that
        is made up by extrapolation, however unlikely it is to work there.
        """
        works = self.log_works(rows)
        return works - STEEPNESS * np.maximum(np.log(self.least) - works, 0.0) if self.least > 0 else works


def feasibility_of(space: Space, history: History) -> Feasibility | None:
    """The model of a history's failures; None while nothing has failed.

    Of a configuration that was run more than once the latest end counts.
    """
    if not history.failures:
        return None
    latest = {t.configuration.digest: t for t in history.informative}
    trials = tuple(sorted(latest.values(), key=lambda t: t.number))
    kinds = []
    for kind in ORDER:
        failed = tuple(t for t in trials if t.state is kind)
        if failed:
            passed = tuple(t for t in trials if _passed(t.state, kind))
            kinds.append(_fitted(space, history, kind, failed, passed))
    if not kinds:
        return None
    model = Feasibility(tuple(kinds))
    return replace(model, least=_least(model, space, history, trials))


def _least(model: Feasibility, space: Space, history: History, trials: tuple[Trial, ...]) -> float:
    """The least P(works) of a proposal: higher, the more of the trials so far have failed.

    Never more than most of the points that did work have, or nothing could be proposed.
    """
    failed = sum(t.state.failed for t in trials)
    share = failed / (len(trials) + 1)
    low, high = LEAST
    least = low + (high - low) * min(max((share - BEARABLE) / (TOO_MANY - BEARABLE), 0.0), 1.0)
    if worked := tuple(t for t in trials if not t.state.failed):
        known = np.exp(model.log_works(history.encoded(worked)[0]))
        least = min(least, KNOWN_SHARE * float(np.quantile(known, 0.5)))
    return least


def _passed(state: TrialState, kind: TrialState) -> bool:
    """Whether a trial that ended so is known not to fail in the way `kind`."""
    if not state.failed:
        return True
    return ORDER.index(state) > ORDER.index(kind) > 0  # what crashed may have done so at any time


def _fitted(
    space: Space, history: History, kind: TrialState, failed: tuple[Trial, ...], passed: tuple[Trial, ...]
) -> KindModel:
    bad = history.encoded(failed[-MOST_FITTED // 2 :])[0]
    good = history.encoded(passed)[0]
    room = MOST_FITTED - len(bad)
    if len(good) > room:
        near = np.argsort(cdist(good, bad).min(axis=1), kind="stable")[:room]
        good = good[np.sort(near)]
    points = np.concatenate([bad, good])
    y = np.repeat([1.0, 0.0], [len(bad), len(good)])
    signs = np.array([sign_of(column.parameter, kind) for column in space.columns])
    signs[[column.kind != "numeric" for column in space.columns]] = 0.0
    shapes = [shape.times(k) for shape in (SHAPES if signs.any() else SHAPES[1:]) for k in SHARPER]
    fits = [_laplace(points, y, signs, shape) for shape in shapes]
    evidence = np.array([fit.evidence for fit in fits])
    weights = np.exp(evidence - evidence.max())
    weights /= weights.sum()
    weights[weights < LEAST_WEIGHT] = 0.0
    weights /= weights.sum()
    kept = tuple((float(w), fit) for w, fit in zip(weights, fits, strict=True) if w > 0)
    return KindModel(kind, failed, passed, kept)


def _laplace(points: Array, y: Array, signs: Array, shape: Shape) -> _Fit:
    """The mode of the latent function at `points` (n, c) given y (n,), 1 for a failure."""
    named = signs != 0
    means = shape.named * signs
    scales = np.where(named, shape.named_sd, shape.other_sd / np.sqrt(max(1.0, len(signs) / 4)))
    K = _covariance(points, points, scales, shape)
    m = _mean(points, means)
    n = len(y)
    a, f = np.zeros(n), m.copy()
    objective = -np.inf
    for _ in range(NEWTON_STEPS):
        p = expit(f)
        root = np.sqrt(np.maximum(p * (1 - p), 1e-10))
        factor = _cholesky(np.eye(n) + root[:, None] * K * root[None, :])
        b = root**2 * (f - m) + (y - p)
        inner = dtrtrs(factor, root * (K @ b), lower=1)[0]
        step = b - root * dtrtrs(factor, inner, lower=1, trans=1)[0] - a
        size = 1.0
        while True:  # a full step may overshoot where the sigmoid is flat
            trial_a = a + size * step
            trial_f = m + K @ trial_a
            value = _log_likelihood(trial_f, y) - 0.5 * float(trial_a @ (trial_f - m))
            if value >= objective or size < 1e-3:
                break
            size /= 2
        gain, objective = value - objective, value
        a, f = trial_a, trial_f
        if gain < CLOSE:
            break
    p = expit(f)
    root = np.sqrt(np.maximum(p * (1 - p), 1e-10))
    factor = _cholesky(np.eye(n) + root[:, None] * K * root[None, :])
    evidence = objective - float(np.log(np.diagonal(factor)).sum())
    return _Fit(shape, means, scales, points, y - p, root, factor, evidence)


def _log_likelihood(f: Array, y: Array) -> float:
    return float(-np.logaddexp(0.0, np.where(y > 0, -f, f)).sum())


def _mean(rows: Array, means: Array) -> Array:
    total: Array = BIAS_MEAN + (rows - 0.5) @ means
    return total


def _covariance(A: Array, B: Array, scales: Array, shape: Shape) -> Array:
    """Prior covariance of the latent function between rows (n, c) and (m, c): (n, m)."""
    linear = ((A - 0.5) * scales**2) @ (B - 0.5).T
    r = SQRT5 / (shape.reach * np.sqrt(A.shape[1])) * cdist(A, B)
    K: Array = shape.bias_sd**2 + linear + shape.local_sd**2 * (1 + r + r * r / 3) * np.exp(-r)
    return K


def _cholesky(K: Array) -> Array:
    factor: Array = dpotrf(K, lower=1)[0]  # eigenvalues are at least 1
    return factor
