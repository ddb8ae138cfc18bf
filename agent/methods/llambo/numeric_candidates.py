"""Candidates without a model, for a surrogate that is one: a few good and different ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tunesmith.agent.methods.gp.candidates import ORIGINS, search
from tunesmith.agent.methods.gp.posterior import posterior_at
from tunesmith.agent.methods.gp.strategy import STEPPED_FROM, GaussianProcessStrategy
from tunesmith.agent.methods.gp.surrogate import GaussianProcessSurrogate
from tunesmith.agent.methods.gp.threads import one_thread
from tunesmith.history import Array, History
from tunesmith.seeds import rng_for
from tunesmith.trial import Configuration, Proposal

APART = (0.1, 0.03, 0.0)
"""Least distance between candidates in some column of the unit cube; the next one where too few are left."""


class NumericCandidates:
    """Uniform points, draws from priors and steps from the best trials; the likeliest that differ enough.

    Args:
        strategy: Whose space, priors and seed they are.
    """

    def __init__(self, strategy: GaussianProcessStrategy) -> None:
        self._strategy = strategy

    @one_thread
    def propose(self, history: History, n: int) -> list[Proposal]:
        """Up to `n` new candidates; fewer only where the space has no more."""
        strategy, space = self._strategy, self._strategy.space
        rng = rng_for(strategy.seed, "numeric candidates", len(history), len(history.pending))
        prior = strategy.prior(history)
        surrogate = GaussianProcessSurrogate(space, strategy.seed, warped=prior.informative)
        belief = posterior_at(surrogate, prior, history) if len(history.informative) > 1 else None
        done, _ = history.encoded(tuple(t for t in history if t.configuration.digest in history.taken))
        running, _ = history.encoded(history.pending)

        def score(rows: Array) -> Array:
            return rng.random(len(rows)) if belief is None else belief.acquisition(rows, running)

        best = np.empty((0, space.dimensions)) if belief is None else belief.best_rows(history, STEPPED_FROM)
        pool = search(space, prior, score, best, np.empty((0, space.dimensions)), done, rng)
        reason = "Found by the numeric search, without the language model."
        return [
            Proposal(configuration=configuration, origin=ORIGINS[pool.origins[i]], reason=reason)
            for i, configuration in self._apart(pool.rows, history, n)
        ]

    def _apart(self, rows: Array, history: History, n: int) -> Sequence[tuple[int, Configuration]]:
        """Up to `n` of the rows, in their order, none taken and each as far from the others as can be had."""
        chosen: dict[str, tuple[int, Configuration]] = {}
        picked: list[Array] = []
        for least in APART:
            for i, row in enumerate(rows):
                if len(chosen) == n:
                    return list(chosen.values())
                if picked and np.abs(np.stack(picked) - row).max(axis=1).min() < least:
                    continue
                configuration = self._strategy.space.decode(row)
                if configuration.digest in history.taken or configuration.digest in chosen:
                    continue
                chosen[configuration.digest] = (i, configuration)
                picked.append(row)
        return list(chosen.values())
