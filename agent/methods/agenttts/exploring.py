"""What is tried while nothing improves: points that fill the space, crossovers and mutations.

A share of the trials fills the space (`gp/filling.py`, which states the bound). Before each of them comes a
variation of what was run: stage by stage from two of the better trials, or one of them with one stage
changed.
AgentTTS asks a language model for such steps when scores are flat; the code it released never takes them.
"""

from __future__ import annotations

import numpy as np

from tunesmith.agent.methods.agenttts.known import Known
from tunesmith.agent.methods.agenttts.options import Rows

PARENTS = 6
"""How many of the best trials are varied."""
CROSSOVER = 0.5
"""Probability of a crossover, where two trials differ in more than one stage; else a mutation."""


def variations(known: Known, rng: np.random.Generator) -> tuple[str, Rows]:
    """How trials are varied, in words, and the affordable results in random order, (m, stages)."""
    options = known.options
    order = np.argsort([-o.mean for o in known.ends], kind="stable")[:PARENTS]
    numbers = [known.ends[i].trial for i in order]
    parents = known.rows([known.history_trial(n).configuration for n in numbers])
    if len(parents) > 1 and rng.random() < CROSSOVER:
        first, second = rng.choice(len(parents), 2, replace=False)
        stages = parents.shape[1]
        masks = (np.arange(1, 2**stages - 1)[:, None] >> np.arange(stages)) & 1
        children = options.affordable(np.where(masks == 1, parents[first], parents[second]))
        if len(children):
            words = f"stage by stage from trials {numbers[first]} and {numbers[second]}"
            return words, rng.permutation(children)
    if not len(parents):
        return "", np.empty((0, len(options)), dtype=np.intp)
    parent = int(rng.integers(len(parents)))
    return f"trial {numbers[parent]} with one stage changed", rng.permutation(
        options.neighbours(parents[parent])
    )
