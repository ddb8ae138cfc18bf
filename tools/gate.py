"""The gate: a guaranteed share of trials is the surrogate's own choice, untouched by any language model.

After the warm start every trial is on one of two sides. `surrogate`: chosen as if there were no model.
`model`: the model had a say, by a candidate, a stated prior, its predictions, or a launch of its own. Between
two trials of the model's side stand at least `between(n)` of the surrogate's, n trials having been counted:

    n          0-14    15-29    30-44   ...
    share      1/2     2/3      3/4     ...  -> 1

so in any window of w such trials at least floor(w / 2) are the surrogate's, and more as evidence grows,
like LLINBO's Transient rule (arXiv 2505.14756), which hands over to the Gaussian process with probability
min(t^2 / T, 1); here without chance, so that a history decides. What the default, a person or the warm start
asked for is on neither side.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from tunesmith.history import History
from tunesmith.trial import Origin, Proposal, TrialState

OWN = "own_choice"
"""Mark in `Proposal.details` of a configuration that the policy made up and launched past the acquisition."""
WARM_START = "warm_start"
"""Mark in `Proposal.details` of a zero-shot configuration, made before there was much to learn from."""
GATE = "gate"
"""Key in `Proposal.details`: 1 where the gate was shut (the surrogate's own choice), 0 where it was open."""
GROWS_EVERY = 15
"""Counted trials after which one more of the surrogate's stands between two of the model's."""

Side = Literal["surrogate", "model"]
_NEITHER = (Origin.DEFAULT, Origin.USER, Origin.RETRY)


def side(proposal: Proposal) -> Side | None:
    """Which side of the gate a proposal is on; None for neither."""
    mark = proposal.details.get(GATE)
    if mark is not None:
        return "model" if mark == 0 else "surrogate"
    if OWN in proposal.details:
        return "model"
    if WARM_START in proposal.details or proposal.origin in _NEITHER:
        return None
    return "surrogate"


def between(counted: int) -> int:
    """How many trials of the surrogate's stand between two of the model's after `counted` of both."""
    return 1 + counted // GROWS_EVERY


def is_open(proposals: Iterable[Proposal]) -> bool:
    """Whether the model may have a say in the next trial, after these in order."""
    counted = since = 0
    spoken = False
    for proposal in proposals:
        on = side(proposal)
        if on is None:
            continue
        counted += 1
        since = 0 if on == "model" else since + 1
        spoken = spoken or on == "model"
    return not spoken or since >= between(counted)


def started(history: History) -> list[Proposal]:
    """The proposals of all trials that count, in order; a lost trial is run again and counts then."""
    return [trial.proposal for trial in history if trial.state is not TrialState.LOST]
