"""The first trials: one balanced allocation, then a contrast of models for each stage.

AgentTTS (its Eq. 5) spends the cost of one sample of a stage's largest model on each of its models in turn,
with the largest affordable models everywhere else. Here the allocation that the beliefs rate highest comes
first, and for every stage one trial follows that spends about as much on another model of it and leaves all
other stages as they were; a stage that can be left out is left out once. The two are compared on the same
items, so that a larger model is preferred only where it is better. Nothing is run twice, nothing that cannot
be afforded, and a contrast that promises far less than another allocation does is left out.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tunesmith.agent.methods.agenttts.known import Known
from tunesmith.agent.methods.agenttts.options import Rows

ALIKE = 1.3
"""Costs of a stage whose ratio is below this count as the same; its square and fourth power where none is."""
PROMISE = 0.5
"""A contrast is run while it promises at least this share of the improvement that is promised anywhere."""


class Contrast(NamedTuple):
    """The next trial of the design.

    Attributes:
        stage: The one whose options it contrasts.
        rows: The allocations to choose from, (m, stages), at least one.
        promise: Share of the improvement promised anywhere that the best of them must promise.
    """

    stage: str
    rows: Rows
    promise: float


def next_contrast(known: Known) -> Contrast | None:
    """What to contrast next with the best trial so far, all other stages alike; None: the design is done.

    A stage that can be left out is left out once; one with several models is done once two of them were run.
    """
    options, features = known.options, known.features
    if not known.ends:
        return None
    run = known.rows([known.history_trial(o.trial).configuration for o in known.ends])
    anchor = run[int(np.argmax([o.mean for o in known.ends]))]
    near = options.neighbours(anchor)
    for k, stage in enumerate(options.stages):
        model, effort = features[k].model, features[k].effort
        without = near[effort[near[:, k]] == 0]
        if len(without) and (effort[run[:, k]] > 0).all():
            return Contrast(stage.name, without, 0.0)
        if len({int(m) for m in model[run[:, k]]}) > 1 or effort[anchor[k]] == 0:
            continue
        others = near[(model[near[:, k]] != model[anchor[k]]) & (effort[near[:, k]] > 0)]
        ratio = np.abs(np.log(stage.costs[others[:, k]] / stage.costs[anchor[k]]))
        for factor in (ALIKE, ALIKE**2, ALIKE**4, np.inf):
            if (close := others[ratio <= np.log(factor)]).size:
                return Contrast(stage.name, close, PROMISE)
    return None
