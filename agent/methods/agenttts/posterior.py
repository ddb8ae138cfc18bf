"""The surrogate: a Gaussian process over allocations under each of a few hypotheses, weighted by the trials.

    t(quality) = constant + sum over stages of e_k (f_k(model) + f_k(samples) + f_k(rest)) + joint(neighbours)

with e_k the stage's effort (rounds; 1 where it always runs) and t the link of `insights/interaction.py`. The
mean score of a stage's own output, where a task measures it, is an observation of the sum up to there, but
for a constant and a smooth discrepancy. Hypotheses are drawn from the prior, resampled by their marginal
likelihoods, and moved by a few Metropolis steps (Chopin, *A sequential particle filter method for static
models*, Biometrika 2002), all of them at once as stacked matrices.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp, ndtr

from tunesmith.agent.methods.agenttts.evidence import Observation, error_covariance
from tunesmith.agent.methods.agenttts.features import Features
from tunesmith.agent.methods.agenttts.hypotheses import Hypotheses, dimensions, hypotheses
from tunesmith.agent.methods.agenttts.insights import capability, interaction, saturation
from tunesmith.agent.methods.agenttts.options import Rows
from tunesmith.agent.methods.agenttts.settings import AgentTTSSettings
from tunesmith.history import Array
from tunesmith.pipeline.allocation import StageChoice

DRAWN, MOVED, STEPS, USED = 160, 32, 6, 10
"""Hypotheses drawn at first, kept and moved, steps of each, and used for predictions."""
MANY, DRAWN_OF_MANY, MOVED_OF_MANY = 32, 64, 16
"""The same from so many observations on, which leave less open and take longer."""
STEP = 0.15
CONSTANT, CONSTANT_SD = -0.9, 0.7
"""Prior of the constant, log quality: where every stage is at its smallest."""
CONSTANT_ADDED, CONSTANT_ADDED_SD = 0.9, 0.6
"""The same in units of the additive link."""
BENT, BENT_REACH = 0.5, 0.35
"""How far the effect of a stage's rounds may be from proportional to its effort, share of their scale."""
TINY = 1e-9


@dataclass(frozen=True)
class Seen:
    """Observations as places among options.

    Attributes:
        rows: (t, stages) place of each stage's option; 0 beyond `depth`.
        depth: (t,) how many stages an observation is of.
        own: (t,) whether it is a stage's own score; those of all stages else.
        mean: (t,) quality.
        error: (t, t) covariance of errors, squared units of quality.
    """

    rows: Rows
    depth: Rows
    own: NDArray[np.bool_]
    mean: Array
    error: Array


def seen(
    ends: Sequence[Observation],
    parts: Sequence[Observation],
    places: Sequence[Mapping[StageChoice, int]],
    stages: int,
) -> Seen:
    """The observations, end scores first; `places` finds an option by its choice, stage by stage."""
    every = [*ends, *parts]
    rows = np.zeros((len(every), stages), dtype=np.intp)
    for i, one in enumerate(every):
        for k, choice in enumerate(one.choices):
            rows[i, k] = places[k][choice]
    error = np.zeros((len(every), len(every)))
    n = len(ends)
    error[:n, :n] = error_covariance(ends)
    if parts:
        error[n:, n:] = np.diag(np.diag(error_covariance(parts)))
    own = np.arange(len(every)) >= n
    depth = np.array([len(one.choices) for one in every], dtype=np.intp)
    return Seen(rows, depth, own, np.array([one.mean for one in every]), error)


class Posterior:
    """What is known of every allocation after some observations.

    Args:
        features: Of every stage's options.
        observed: What was measured.
        settings: Which insights take part.
        rng: For the hypotheses.
    """

    def __init__(
        self,
        features: Sequence[Features],
        observed: Seen,
        settings: AgentTTSSettings,
        rng: np.random.Generator,
    ) -> None:
        self._features, self._seen, self._settings = features, observed, settings
        self._ordered = [f.ordered for f in features]
        self._used = [np.unique(observed.rows[:, k]) for k in range(len(features))]
        self._at = [np.searchsorted(used, observed.rows[:, k]) for k, used in enumerate(self._used)]
        self._of_used = [f.take(used) for f, used in zip(features, self._used, strict=True)]
        self._likeness = [
            interaction.likeness(f, f)[np.ix_(at, at)] for f, at in zip(self._of_used, self._at, strict=True)
        ]
        many = len(observed.mean) > MANY
        points = rng.random((DRAWN_OF_MANY if many else DRAWN, dimensions(len(features))))
        if len(observed.mean):
            points = self._moved(points, rng)
        self.hypotheses = self._read(points)
        chosen = self._read(
            points[: min(USED, len(points))] if len(observed.mean) else points[:: DRAWN // MOVED]
        )
        self._chosen = chosen
        if len(observed.mean):
            self._whitening, self._residual = self._solved(chosen)

    @property
    def confidence(self) -> dict[str, Array]:
        """How far each insight is believed, in [0, 1]: for each stage, and interaction as a whole.

        Of capability it is the probability that quality rises with the size of a stage's models; of the
        others the weight of the hypotheses that believe them.
        """
        h = self.hypotheses
        stages = range(len(self._features))
        return {
            capability.NAME: np.array([self._larger_is_better(k) for k in stages]),
            saturation.NAME: (h.shape > 0).mean(axis=0),
            interaction.NAME: np.array([h.multiplied.mean()]),
        }

    def _larger_is_better(self, k: int) -> float:
        """P(the slope of a stage's effect over its models' sizes is positive); 0 where sizes say nothing."""
        h, s, f = self._chosen, self._seen, self._features[k]
        if not f.ordered or not self._settings.capability:
            return 0.0
        models, first = np.unique(f.model, return_index=True)
        each = f.take(first[models >= 0])
        weights = each.size - each.size.mean()
        believed, scale = h.larger[:, k], h.capability[:, k]
        mean = capability.mean(each, believed, scale) @ weights
        variance = (capability.covariance(each, each, believed, scale) @ weights) @ weights
        if len(s.mean):
            of_used = self._of_used[k]
            cross = capability.covariance(of_used, each, believed, scale) @ weights * of_used.effort
            cross = cross[:, self._at[k]] * (s.depth > k) * self._scale(h)
            mean = mean + (cross * self._residual).sum(axis=1)
            variance = variance - ((cross[:, None, :] @ self._whitening) ** 2).sum(axis=(1, 2))
        return float(ndtr(mean / np.sqrt(np.maximum(variance, TINY))).mean())

    def moments(self, rows: Rows) -> tuple[Array, Array]:
        """Mean and standard deviation of t(quality) under each used hypothesis, both (h, m)."""
        h, s = self._chosen, self._seen
        constant, constant_sd = _constant(h)
        mean = np.repeat(constant[:, None], len(rows), axis=1)
        variance = np.repeat(constant_sd[:, None] ** 2, len(rows), axis=1)
        cross = np.repeat((constant_sd[:, None] ** 2 * ~s.own)[:, None, :], len(rows), axis=1)
        effort, alike = [], list[Array]()
        for k, features in enumerate(self._features):
            used, at = np.unique(rows[:, k], return_inverse=True)
            mine = features.take(used)
            mean += _stage_mean(mine, h, k)[:, at]
            variance += _stage_variance(mine, h, k)[:, at]
            across = _stage_covariance(mine, self._of_used[k], h, k)[:, :, self._at[k]]
            across *= ((s.depth > k) * self._scale(h))[:, None, :]
            cross += np.take(across, at, axis=1)
            effort.append(mine.effort[at] ** 2)
            alike.append(interaction.likeness(mine, self._of_used[k])[:, self._at[k]][at])
        for k in range(len(self._features) - 1):
            variance += h.joint[:, None] ** 2 * (effort[k] * effort[k + 1])
            cross += h.joint[:, None, None] ** 2 * (alike[k] * alike[k + 1] * ~s.own)
        if len(s.mean):
            mean += (cross @ self._residual[:, :, None])[:, :, 0]
            variance -= ((cross @ self._whitening) ** 2).sum(axis=2)
        return mean, np.sqrt(np.maximum(variance, h.rough[:, None] ** 2 / 4 + TINY))

    def quality(self, rows: Rows) -> tuple[Array, Array]:
        """Mean and standard deviation of quality, both (m,), over all hypotheses."""
        means, stds = self.moments(rows)
        m, s = self._quality(means, stds)
        centre = m.mean(axis=0)
        return centre, np.sqrt((s**2 + m**2).mean(axis=0) - centre**2 + TINY)

    def improvement(self, rows: Rows, incumbent: float) -> Array:
        """E (min(quality, 1) - incumbent)_+ over all hypotheses, (m,)."""
        means, stds = self.moments(rows)
        total = np.zeros(len(rows))
        for i, multiplied in enumerate(self._chosen.multiplied):
            gain = interaction.above(means[i], stds[i], incumbent, bool(multiplied))
            beyond = interaction.above(means[i], stds[i], 1.0, bool(multiplied))
            total += np.maximum(gain - beyond, 0.0)
        return total / len(means)

    def above(self, rows: Rows, bound: float) -> Array:
        """P(quality >= bound) over all hypotheses, (m,)."""
        means, stds = self.moments(rows)
        bounds = [float(interaction.transform(np.array(bound), bool(m))) for m in self._chosen.multiplied]
        return np.asarray(ndtr((means - np.array(bounds)[:, None]) / stds).mean(axis=0))

    def _quality(self, means: Array, stds: Array) -> tuple[Array, Array]:
        pairs = [
            interaction.quality_moments(means[i], stds[i], bool(multiplied))
            for i, multiplied in enumerate(self._chosen.multiplied)
        ]
        return np.clip(np.stack([m for m, _ in pairs]), 0.0, 1.0), np.stack([s for _, s in pairs])

    def _read(self, points: Array) -> Hypotheses:
        return hypotheses(points, self._ordered, self._settings)

    def _moved(self, points: Array, rng: np.random.Generator) -> Array:
        """Points distributed by their likelihood."""
        logs = self._log_likelihood(self._read(points))
        weights = np.exp(logs - logsumexp(logs))
        kept = MOVED_OF_MANY if len(points) == DRAWN_OF_MANY else MOVED
        at = np.searchsorted(np.cumsum(weights), (rng.random() + np.arange(kept)) / kept)  # systematic
        at = np.minimum(at, len(points) - 1)
        now, logs = points[at], logs[at]
        for _ in range(STEPS):
            step = rng.standard_normal(now.shape) * STEP * (rng.random(now.shape) < 0.5)
            anew = rng.random(now.shape) < 0.08
            proposed = np.where(anew, rng.random(now.shape), np.abs(now + step))
            proposed = np.where(proposed > 1, np.clip(2 - proposed, 0, 1), proposed)
            then = self._log_likelihood(self._read(proposed))
            taken = np.log(rng.random(len(now))) < then - logs
            now, logs = np.where(taken[:, None], proposed, now), np.where(taken, then, logs)
        return np.asarray(now[rng.permutation(len(now))])

    def _solved(self, h: Hypotheses) -> tuple[Array, Array]:
        """W with W W' the inverse covariance (h, t, t), and that times the residuals (h, t)."""
        whitening = np.linalg.inv(np.linalg.cholesky(self._covariance(h))).transpose(0, 2, 1)
        residual = (self._targets(h) - self._mean(h))[:, :, None]
        return whitening, np.asarray(whitening @ (whitening.transpose(0, 2, 1) @ residual))[:, :, 0]

    def _scale(self, h: Hypotheses) -> Array:
        """What a step of t(quality) is worth in each observation's units, (h, t)."""
        return np.where(self._seen.own, 1 / h.factor[:, None], 1.0)

    def _log_likelihood(self, h: Hypotheses) -> Array:
        factor = np.linalg.cholesky(self._covariance(h))
        half = np.linalg.solve(factor, (self._targets(h) - self._mean(h))[:, :, None])[:, :, 0]
        logdet = np.log(np.einsum("hii->hi", factor)).sum(axis=1)
        by_link = np.array([np.log(interaction.slope(self._seen.mean, m)).sum() for m in (False, True)])
        return np.asarray(-0.5 * (half**2).sum(axis=1) - logdet + by_link[h.multiplied.astype(int)])

    def _targets(self, h: Hypotheses) -> Array:
        both = np.stack([interaction.transform(self._seen.mean, m) for m in (False, True)])
        return np.asarray(both[h.multiplied.astype(int)])

    def _mean(self, h: Hypotheses) -> Array:
        s = self._seen
        total = np.where(s.own[None, :], 0.0, _constant(h)[0][:, None])
        scale = self._scale(h)
        for k, features in enumerate(self._of_used):
            total = total + _stage_mean(features, h, k)[:, self._at[k]] * (s.depth > k) * scale
        return np.where(s.own[None, :], total + np.where(h.multiplied, -0.5, 1.0)[:, None], total)

    def _covariance(self, h: Hypotheses) -> Array:
        s = self._seen
        own = s.own
        ends = np.outer(~own, ~own)
        alike = np.outer(own, own) & (s.depth[:, None] == s.depth[None, :])
        total = _constant(h)[1][:, None, None] ** 2 * ends + (1.0 * alike)[None]
        scale = np.where(own[None, :], 1 / h.factor[:, None], 1.0)
        both = scale[:, :, None] * scale[:, None, :]
        apart = 1 + (h.apart**2)[:, None, None] * alike
        for k, features in enumerate(self._of_used):
            deep = s.depth > k
            of_stage = _stage_covariance(features, features, h, k)[:, self._at[k]][:, :, self._at[k]]
            total = total + of_stage * np.outer(deep, deep) * both * apart
        for k in range(len(self._features) - 1):
            total = total + (h.joint**2)[:, None, None] * (self._likeness[k] * self._likeness[k + 1] * ends)
        slopes = np.stack([interaction.slope(s.mean, m) for m in (False, True)])[h.multiplied.astype(int)]
        total = total + slopes[:, :, None] * slopes[:, None, :] * s.error
        return np.asarray(total + (h.rough**2)[:, None, None] * np.eye(len(s.mean)))


def _constant(h: Hypotheses) -> tuple[Array, Array]:
    return (
        np.asarray(np.where(h.multiplied, CONSTANT, CONSTANT_ADDED)),
        np.asarray(np.where(h.multiplied, CONSTANT_SD, CONSTANT_ADDED_SD)),
    )


def _stage_mean(f: Features, h: Hypotheses, k: int) -> Array:
    mean = capability.mean(f, h.larger[:, k], h.capability[:, k])
    mean = mean + saturation.mean(f, h.shape[:, k], h.sampling[:, k])
    if f.gated:
        mean = mean + h.rounds[:, k, None]
    return np.asarray(mean * f.effort)


def _stage_variance(f: Features, h: Hypotheses, k: int) -> Array:
    """The diagonal of `_stage_covariance`, (h, n)."""
    total = capability.variance(f, h.larger[:, k], h.capability[:, k])
    total = total + saturation.variance(f, h.shape[:, k], h.sampling[:, k])
    total = total + h.other[:, k, None] ** 2
    if not f.gated:
        return np.asarray(total * f.effort**2)
    scale = h.rounds[:, k, None] ** 2
    return np.asarray((total + scale) * f.effort**2 + scale * BENT**2)


def _stage_covariance(u: Features, v: Features, h: Hypotheses, k: int) -> Array:
    total = capability.covariance(u, v, h.larger[:, k], h.capability[:, k])
    total = total + saturation.covariance(u, v, h.shape[:, k], h.sampling[:, k])
    far = ((u.other[:, None, :] - v.other[None, :, :]) ** 2).sum(axis=2)
    total = total + (h.other[:, k] ** 2)[:, None, None] * np.exp(-0.5 * far)
    if not u.gated:
        return np.asarray(total * np.outer(u.effort, v.effort))
    scale = (h.rounds[:, k] ** 2)[:, None, None]
    bend = BENT**2 * np.exp(-0.5 * ((u.effort[:, None] - v.effort[None, :]) / BENT_REACH) ** 2)
    return np.asarray((total + scale) * np.outer(u.effort, v.effort) + scale * bend)
