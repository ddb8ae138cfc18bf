"""The first trials: one balanced allocation, then a contrast of models for each stage.

AgentTTS (its Eq. 5) spends the cost of one sample of a stage's largest model on each of its models in turn,
with the largest affordable models everywhere else. Here the allocation that the beliefs rate highest comes
first, and for every stage one trial follows that spends about as much on another model of it and leaves all
other stages as they were. The two are compared on the same items, so that a larger model is preferred only
where it is better. Nothing is run twice, nothing that cannot be afforded, and a contrast that promises far
less than another allocation does is left out.
"""

from __future__ import annotations

import numpy as np

from tunesmith.agent.methods.agenttts.known import Known
from tunesmith.agent.methods.agenttts.options import Rows

ALIKE = 1.3
"""Costs of a stage whose ratio is below this count as the same; its square and fourth power where none is."""
PROMISE = 0.5
"""A contrast is run while it promises at least this share of the improvement that is promised anywhere."""


def contrasts(known: Known) -> tuple[str, Rows] | None:
    """The next stage to contrast and the allocations to choose from, (m, stages); None: it is done.

    They differ from the best trial so far in that stage only, which is done once two of its models were run.
    """
    options, features = known.options, known.features
    if not known.ends:
        return None
    run = known.rows([known.history_trial(o.trial).configuration for o in known.ends])
    anchor = run[int(np.argmax([o.mean for o in known.ends]))]
    near = options.neighbours(anchor)
    for k, stage in enumerate(options.stages):
        model = features[k].model
        if len({int(m) for m in model[run[:, k]]}) > 1 or anchor[k] < 0 or model[anchor[k]] < 0:
            continue
        others = near[(model[near[:, k]] != model[anchor[k]]) & (model[near[:, k]] >= 0)]
        if not len(others):
            continue
        ratio = np.abs(np.log(stage.costs[others[:, k]] / stage.costs[anchor[k]]))
        for factor in (ALIKE, ALIKE**2, ALIKE**4, np.inf):
            if (close := others[ratio <= np.log(factor)]).size:
                return stage.name, close
    return None
