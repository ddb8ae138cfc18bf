"""The Gaussian process as a calibrated model of the metric: history in, predictions in metric units out."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tunesmith.agent.methods.gp.densities import ends
from tunesmith.agent.methods.gp.gp_model import LEAST_NOISE, MIN_NOISE, Columns, GaussianProcess, fit
from tunesmith.agent.methods.gp.length_scales import is_wide
from tunesmith.agent.methods.gp.noise_prior import noise_prior
from tunesmith.agent.methods.gp.scores import ScoreTransform, fit_transform, scores_of
from tunesmith.agent.methods.gp.threads import one_thread
from tunesmith.history import Array, History
from tunesmith.noise import Noise, known_noise
from tunesmith.seeds import rng_for
from tunesmith.space import Space
from tunesmith.trial import Configuration, Trial

MOST_FITTED = 300
"""A longer history is fitted to a third each of the best, the nearest to the best, and a random sample."""
FIRST_REFIT = 32
"""Fits to more trials than this start from the fit to their longest prefix of 32, 64, 128, ... trials."""


@dataclass(frozen=True)
class Fitted:
    """A surrogate fitted to one history.

    Attributes:
        process: Over transformed scores, at `trials`.
        transform: Scores to transformed scores and back.
        trials: The trials fitted to, in order of number.
        sign: +1 to maximise, -1 to minimise.
        incumbent: Best transformed score of a feasible trial; the worst of all while none is feasible.
    """

    process: GaussianProcess
    transform: ScoreTransform
    trials: tuple[Trial, ...]
    sign: float
    incumbent: float

    def metric(self, mean: Array, std: Array) -> tuple[Array, Array]:
        """Expected value and spread in metric units, of predictions in transformed units."""
        score, spread = self.transform.moments(mean, std)
        return self.sign * score, spread


class GaussianProcessSurrogate:
    """Fits a Gaussian process to a history. Implements `interfaces.Surrogate`.

    Args:
        space: The search space.
        seed: Picks the random third of a long history.
        warped: Whether to fit input warps too; never done in a wide space, where two more numbers for each
            parameter are more than the data can tell.
        noise: What the task says of the metric's noise.
    """

    def __init__(
        self, space: Space, seed: int = 0, *, warped: bool = False, noise: Noise | None = None
    ) -> None:
        self.space, self.seed, self.noise = space, seed, noise
        self.columns = layout(space)
        self._wide = is_wide(self.columns.dimensions)
        self.warped = warped and not self._wide
        self._low, self._span = _column_ends(space)
        self._starts: dict[str, Array] = {}
        self._fitted: Fitted | None = None

    def fit(self, history: History) -> None:
        self._fitted = self.fitted(history)

    @one_thread
    def predict(self, configurations: Sequence[Configuration]) -> tuple[Array, Array]:
        """Mean and standard deviation, metric units, each (m,); ValueError before a fit with two scores."""
        if self._fitted is None:
            raise ValueError("nothing to predict from: fit a history with two different scores first")
        rows = np.stack([self.space.encode(c)[0] for c in configurations])
        return self._fitted.metric(*self._fitted.process.predict(self.points(rows)))

    def points(self, rows: Array) -> Array:
        """Unit-cube rows, each finite parameter stretched so that its first value is 0 and its last 1."""
        return (rows - self._low) / self._span

    @one_thread
    def fitted(self, history: History) -> Fitted | None:
        """The surrogate of a history; None while there are no two different scores."""
        return self._fit(history, history.scored)

    def _fit(self, history: History, trials: tuple[Trial, ...]) -> Fitted | None:
        scored = scores_of(trials, history)
        if scored is None:
            return None
        scores, low, high, floor = scored
        n = len(trials)
        kept = self._kept(history, trials, scores)
        trials, scores = tuple(trials[i] for i in kept), scores[kept]
        transformed = fit_transform(scores, floor)
        if transformed is None:
            return None
        transform, y = transformed
        points = self.points(history.encoded(trials)[0])
        noise = noise_prior(known_noise(self.noise, history), transform, float(np.max(scores)))
        extra = transform.variances(low[kept], high[kept])
        start = self._start(history, n)
        process = fit(
            self.columns,
            points,
            y,
            warped=self.warped,
            start=start,
            noise=noise,
            extra=extra,
            floor=LEAST_NOISE if history.limits else MIN_NOISE,
        )
        # Only results count, as a forecast is nothing reached.
        done = [trial.value is not None and not history.goals.broken(trial.values) for trial in trials]
        best = np.max(y[done], initial=np.min(y))
        return Fitted(process, transform, trials, history.sign, float(best))

    def _kept(self, history: History, trials: tuple[Trial, ...], scores: Array) -> list[int]:
        """Indices of the trials to fit to: all, or 300 of a long history."""
        n, third = len(trials), MOST_FITTED // 3
        if n <= MOST_FITTED:
            return list(range(n))
        order = np.argsort(-scores, kind="stable")
        points = self.points(history.encoded(trials)[0])
        distance = ((points - points[order[0]]) ** 2).sum(axis=1)
        chosen = set(order[:third].tolist())
        near = [int(i) for i in np.argsort(distance, kind="stable") if int(i) not in chosen]
        chosen.update(near[:third])
        rest = np.array([i for i in range(n) if i not in chosen])
        chosen.update(rng_for(self.seed, "fitted", n).choice(rest, third, replace=False).tolist())
        return sorted(chosen)

    def _start(self, history: History, n: int) -> Array | None:
        """Where to start the fit to `n` trials: the fit to a prefix, which any run with this history finds.

        A start from the last fit made would be as quick, but would make proposals depend on which ones were
        asked for before: a resumed run would differ from one that was not interrupted.
        """
        prefix = 1 << ((n - 1).bit_length() - 1)
        # In a wide space a start where a dimension does not matter is one that no gradient leads away from.
        if prefix < FIRST_REFIT or self._wide:
            return None
        known = replace(history, trials=history.scored[:prefix])
        content = [(t.number, t.state, t.value, t.last_reported, t.configuration.digest) for t in known]
        key = hashlib.blake2b(repr((known.sign, content)).encode()).hexdigest()
        theta = self._starts.get(key)
        if theta is None:
            fitted = self._fit(known, known.trials)
            theta = np.empty(0) if fitted is None else fitted.process.theta
            # A new dictionary rather than a cleared one: another thread may be looking at it.
            self._starts = {key: theta} if len(self._starts) > 8 else {**self._starts, key: theta}
        return theta


def layout(space: Space) -> Columns:
    """Which columns make up which dimension."""
    place = {name: i for i, name in enumerate(space.names)}
    return Columns(
        np.array([place[column.parameter] for column in space.columns], dtype=np.intp),
        np.array([column.kind == "numeric" for column in space.columns], dtype=bool),
    )


def _column_ends(space: Space) -> tuple[Array, Array]:
    pairs = [
        ends(space.parameters[column.parameter]) if column.kind == "numeric" else (0.0, 1.0)
        for column in space.columns
    ]
    return np.array([low for low, _ in pairs]), np.array([span for _, span in pairs])
