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


def test_the_same_seed_gives_the_same_draws_and_another_seed_others(study):
    one, two, other = (study(SPACE, lambda c: 0.0).run(RandomStrategy(SPACE, seed), 5) for seed in (3, 3, 4))
    assert [t.configuration for t in one] == [t.configuration for t in two]
    assert [t.configuration for t in one] != [t.configuration for t in other]


def test_a_finite_space_is_used_up_exactly_and_then_nothing_is_proposed(study):
    space = Space({"n": Int(1, 7), "kind": Categorical(["a", "b", "c"])})
    s = study(space, lambda c: 0.0)
    strategy = RandomStrategy(space, 0)
    assert len(s.run(strategy, 50)) == 21
    assert len({t.configuration for t in s.history}) == 21
    assert strategy.propose(s.history, 3) == []


def test_a_batch_holds_no_configuration_twice_and_none_more_than_there_are():
    from tunesmith.history import History

    space = Space({"n": Int(1, 3)})
    history = History(space, "score", "maximize", default=space.validate({"n": 2}))
    batch = RandomStrategy(space, 0).propose(history, 10)
    assert sorted(p.configuration["n"] for p in batch) == [1, 2, 3]
    assert batch[0].origin is Origin.DEFAULT


@pytest.mark.parametrize(("state", "again"), [(TrialState.LOST, True), (TrialState.CRASHED, False)])
def test_only_a_lost_trial_may_come_again(study, state, again):
    space = Space({"n": Int(1, 2)})
    s = study(space, lambda c: 0.0)
    s.tell(space.validate({"n": 1}))
    s.tell(space.validate({"n": 2}), state=state)
    assert bool(RandomStrategy(space, 0).propose(s.history, 1)) is again
