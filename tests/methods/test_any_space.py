"""Properties that hold for every space and every history, by hypothesis."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.spaces import spaces
from tunesmith.agent.methods.gp.strategy import GaussianProcessStrategy
from tunesmith.agent.methods.random import RandomStrategy
from tunesmith.history import History
from tunesmith.trial import Origin, Proposal, Trial, TrialState

SCORES = st.one_of(st.floats(-1e300, 1e300), st.sampled_from([0.0, 1.0, -1e12, 5e-324]))
ENDS = st.sampled_from([TrialState.COMPLETED] * 5 + [TrialState.PRUNED, TrialState.CRASHED, TrialState.LOST])


@pytest.mark.long
@pytest.mark.parametrize(
    "make", [RandomStrategy, GaussianProcessStrategy], ids=["random", "gaussian process"]
)
@settings(max_examples=40)
@given(data=st.data())
def test_proposals_are_legal_new_and_finite_in_any_space_after_any_history(make, data):
    space = data.draw(spaces())
    configurations = space.sample(np.random.default_rng(data.draw(st.integers(0, 99))), 12)
    default = configurations[0] if data.draw(st.booleans()) else None
    history = History(space, "score", data.draw(st.sampled_from(["minimize", "maximize"])), default=default)
    for number, configuration in enumerate(configurations[: data.draw(st.integers(0, 12))]):
        state = data.draw(ENDS)
        trial = Trial(
            number=number,
            proposal=Proposal(configuration=configuration, origin=Origin.USER, reason=""),
            state=state,
            value=data.draw(SCORES) if state is TrialState.COMPLETED else None,
            curve=((1, data.draw(SCORES)),) if state is TrialState.PRUNED else (),
        )
        history = history.with_trial(trial)
    proposals = make(space, 0).propose(history, 3)
    tried = {t.configuration for t in history if t.state is not TrialState.LOST}
    assert not any(space.problems(p.configuration) for p in proposals)
    assert len({p.configuration for p in proposals} - tried) == len(proposals)
    for proposal in proposals:
        numbers = [proposal.expected or 0.0, proposal.spread or 0.0, *proposal.details.values()]
        numbers += [proposal.provenance.acquisition or 0.0, proposal.provenance.prior_weight]
        assert np.isfinite(numbers).all()
    if len(proposals) < 3:
        assert space.cardinality is not None and len(tried) + len(proposals) >= space.cardinality
    assert proposals == make(space, 0).propose(history, 3)
