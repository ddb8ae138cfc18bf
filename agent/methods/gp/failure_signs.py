"""Which way a hyperparameter drives a kind of failure, as far as its name tells.

Memory grows with what makes a batch or a model larger, divergence with the size of a step, training time with
the amount of work. What a name does not tell is learnt from the trials alone.
"""

from __future__ import annotations

import re

from tunesmith.trial import TrialState

_LEARNING_RATE = r"(^|_)(lr|lrs|learning_?rate|eta0?|step_?size)(_|$)"
_SIZE = (
    r"width|hidden|units|neurons|channels|filters|planes|(^|_)(d|n|num)_?(model|embd?|inner|ff)|dim(s|ension)?(_|$)"
    r"|embed|layers?(_|$)|layer_sizes|depth|blocks|stages|heads|expert|rank|(^|_)growth|multiplier|expansion"
)
_INPUT = (
    r"seq|context|block_size|(^|_)(max|input|source|target)_?(len|length|tokens)|resolution|image_?size|crop"
)
_BATCH = r"batch|(^|_)bs(_|$)"
_SHARED_OUT = r"micro_?batches|n_?micro|accum|checkpointing|offload|shards|patch|stride|pool(ing)?(_|$)"
_COUNTED = "steps|iters?|iterations|rounds|estimators|trees"
_WORK = rf"epochs?(_|$)|folds|(^|_)(max_?|n_?|num_?|total_?)?({_COUNTED})(_|$)"
_NOT_A_SIZE = r"norm|drop|decay|ratio|noise|smooth|momentum|penalty|reg(_|$)|prob|schedule|warm"

_SIGNS: dict[TrialState, tuple[tuple[str, float], ...]] = {
    TrialState.OUT_OF_MEMORY: (
        (_NOT_A_SIZE, 0.0),
        (_LEARNING_RATE, 0.0),
        (r"micro_?batch_?size", 1.0),
        (_SHARED_OUT, -1.0),
        (f"{_BATCH}|{_SIZE}|{_INPUT}", 1.0),
    ),
    TrialState.DIVERGED: (
        (r"warm", -1.0),
        (r"decay|schedule|min_|final|end_|gamma|layerwise", 0.0),
        (f"{_LEARNING_RATE}|momentum|(^|_)init_?(scale|std|gain)", 1.0),
        (r"(^|_)eps(ilon)?(_|$)", -1.0),
    ),
    TrialState.TIMED_OUT: (
        (_NOT_A_SIZE, 0.0),
        (_LEARNING_RATE, 0.0),
        (r"patch|stride", -1.0),
        (f"{_WORK}|{_SIZE}|{_INPUT}", 1.0),
    ),
}
"""For each kind the first pattern found in a name decides; crashes have no direction."""


def sign_of(name: str, kind: TrialState) -> float:
    """+1 where a larger value makes failures of `kind` likelier, -1 where less likely, 0 where unknown.

    Args:
        name: As in the space; only the part after the last `__`, `.` or `/` is looked at, in lower case.
    """
    last = re.split(r"__|[./]", name.lower())[-1].replace("-", "_")
    for pattern, sign in _SIGNS.get(kind, ()):
        if re.search(pattern, last):
            return sign
    return 0.0
