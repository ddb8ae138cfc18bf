from __future__ import annotations

import pytest

from tunesmith.agent.methods.random import RandomStrategy
from tunesmith.space import Categorical, Float, Int, Space
from tunesmith.trial import Origin, TrialState

SPACE = Space({"x": Float(0, 1), "n": Int(1, 9), "kind": Categorical(["a", "b"])})


def test_the_default_comes_first_and_then_uniform_draws(study):
    s = study(SPACE, lambda c: c["x"], default={"x": 0.5, "n": 3, "kind": "a"})
    s.run(RandomStrategy(SPACE, 0), 40)
    origins = [t.proposal.origin for t in s.history]
    assert origins == [Origin.DEFAULT] + [Origin.RANDOM] * 39
    assert len({t.configuration for t in s.history}) == 40
    values = [t.configuration["x"] for t in s.history]
    assert min(values) < 0.15 and max(values) > 0.85


@pytest.mark.parametrize(("state", "again"), [(TrialState.LOST, True), (TrialState.CRASHED, False)])
def test_only_a_lost_trial_may_come_again(study, state, again):
    space = Space({"n": Int(1, 2)})
    s = study(space, lambda c: 0.0)
    s.tell(space.validate({"n": 1}))
    s.tell(space.validate({"n": 2}), state=state)
    assert bool(RandomStrategy(space, 0).propose(s.history, 1)) is again
