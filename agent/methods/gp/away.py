"""Proposals while trials have failed and there is nothing yet to fit a surrogate to.

Every second one is the likeliest to work of what the priors make plausible; the others are as far from all
that was tried as can be among what is likely to work. Where most of the space fails, any place that works
comes before a good one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.spatial.distance import cdist

from tunesmith.agent.methods.gp.enumeration import list_rows
from tunesmith.agent.methods.gp.failure_words import said_of
from tunesmith.agent.methods.gp.feasibility import Feasibility
from tunesmith.agent.methods.gp.prior import Prior
from tunesmith.history import Array, History
from tunesmith.space import Space
from tunesmith.text.numbers import counted
from tunesmith.trial import Origin, Proposal

UNIFORM, FROM_PRIOR = 800, 200
LIKELY = 0.75
"""Far points are chosen among those above this quantile of P(works)."""
AS_GOOD = 0.5
"""A candidate of others is taken where P(works) is at least this share of the best found."""


def away_from_failures(
    space: Space,
    prior: Prior,
    feasibility: Feasibility,
    history: History,
    competing: Sequence[Proposal],
    running: Array,
    rng: np.random.Generator,
    taken: frozenset[str],
) -> Proposal | None:
    """The next proposal; None where the search finds nothing new.

    Args:
        history: At least one trial has failed.
        competing: Others' candidates, legal and new; the likeliest to work is taken if it is likely at all.
        running: (q, c) rows that run, or are proposed in the same batch.
        taken: Digests that are not to be proposed.
    """
    rows = list_rows(space)
    if rows is None:
        rows = np.concatenate([rng.random((UNIFORM, space.dimensions)), prior.sample(rng, FROM_PRIOR)])
        rows = space.round(rows)
        rows = rows[space.feasible(rows)]
    if not len(rows):
        return None
    works = feasibility.log_works(rows)
    if competing:
        own = np.stack([space.encode(c.configuration)[0] for c in competing])
        likelihood = feasibility.log_works(own)
        best = int(np.argmax(likelihood))
        if likelihood[best] >= works.max() + np.log(AS_GOOD):
            return competing[best]
    tried = np.concatenate([history.encoded(history.informative)[0], running])
    far = len(tried) % 2 == 1
    if far:
        score = np.where(works >= np.quantile(works, LIKELY), cdist(rows, tried).min(axis=1), -np.inf)
    else:
        score = feasibility.merit(rows)
        if prior.informative:
            weight = 1 / len(history.failures)  # the priors have been wrong so often
            score = score + weight * prior.log_density(rows, space.active(rows))
    for i in np.argsort(-score, kind="stable"):
        configuration = space.decode(rows[i])
        if configuration.digest not in taken:
            failures = counted(len(history.failures), "failure")
            chance = f"it works with probability {np.exp(works[i]):.0%}"
            where = "As far as possible from" if far else "The most plausible place away from"
            reason = f"{where} {failures} so far: {chance} by what has failed."
            if said := said_of(history, feasibility, configuration, float(np.exp(works[i]))):
                reason = f"{reason} {said}."
            origin = Origin.SURROGATE if far or not prior.informative else Origin.PRIOR
            return Proposal(configuration=configuration, origin=origin, reason=reason)
    return None
