"""The share of trials that fills the space: no box stays empty while nothing improves."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tunesmith.agent.methods.gp.filling import FILLING, SpaceFilling, quota, stagnation
from tunesmith.agent.methods.gp.strategy import GaussianProcessStrategy
from tunesmith.history import History
from tunesmith.space import Categorical, Float, Int, Space
from tunesmith.trial import Configuration, Origin, Proposal, Trial, TrialState


def unit(d: int) -> Space:
    return Space({f"x{i}": Float(0, 1) for i in range(d)})


def history(space: Space, results: list[tuple[Configuration, float]]) -> History:
    trials = tuple(
        Trial(
            number=i,
            proposal=Proposal(configuration=configuration, origin=Origin.RANDOM, reason="r"),
            state=TrialState.COMPLETED,
            value=value,
        )
        for i, (configuration, value) in enumerate(results)
    )
    return History(space, "accuracy", "maximize", trials=trials)


@pytest.mark.parametrize("d", [1, 2, 3, 6, 14, 30])
@pytest.mark.parametrize("volume", [0.03, 0.1, 0.3])
def test_points_hit_boxes_as_soon_as_uniform_points_would(d, volume):
    filling, nothing = SpaceFilling(unit(d), 5), history(unit(d), [])
    m = math.ceil(math.log(1000) / volume)
    points = np.array([list(p.values()) for p, _ in zip(filling._open(frozenset()), range(m), strict=False)])
    assert nothing.trials == () and len(points) == m
    rng, boxes, missed = np.random.default_rng(d), 500, 0
    for _ in range(boxes):
        active = rng.choice(d, size=min(d, 3), replace=False)
        side = volume ** rng.dirichlet(np.ones(len(active)))
        low = rng.uniform(0, 1 - side)
        inside = np.all((points[:, active] >= low) & (points[:, active] <= low + side), axis=1)
        missed += not inside.any()
    assert missed <= 3  # of 500, where one in a thousand would be expected of uniform points


@pytest.mark.parametrize("priors", [False, True])
@pytest.mark.parametrize("flat", [False, True])
def test_a_share_of_the_trials_fills_the_space_while_nothing_improves(priors, flat):
    space = Space({"learning_rate": Float(1e-5, 1, scale="log"), "batch_size": Int(8, 512, scale="log")})
    default = space.validate({"learning_rate": 1e-3, "batch_size": 64})
    strategy = GaussianProcessStrategy(space, 1, priors=priors)
    results = [(default, 0.5)]
    for _ in range(24):
        past = History(space, "accuracy", "maximize", default=default, trials=history(space, results).trials)
        (proposal,) = strategy.propose(past, 1)
        value = 0.1 if flat else 0.1 - 0.05 * abs(math.log10(proposal.configuration["learning_rate"]) + 3)
        results.append((proposal.configuration, value if len(results) > 1 else 0.1))
        if proposal.provenance.stage == FILLING:
            assert proposal.origin is Origin.RANDOM
    filling = SpaceFilling(space, 1)
    past = history(space, results)
    run = sum(filling._is_point(trial, len(past)) for trial in past)
    since = stagnation(past)
    assert since == 24 and run >= quota(since) == 6


def test_stagnation_counts_from_the_last_material_improvement():
    space = unit(1)
    values = [0.1, 0.5, 0.3, 0.2, 0.5001, 0.4]
    places = [space.validate({"x0": i / 10}) for i in range(len(values))]
    assert stagnation(history(space, list(zip(places, values, strict=True)))) == 4
    assert stagnation(history(space, [(place, 0.3) for place in places])) is None


def test_a_finite_space_is_filled_to_its_last_configuration():
    space = Space({"kind": Categorical(["a", "b", "c"]), "n": Int(1, 4)})
    filling, results = SpaceFilling(space, 3), []
    while (point := filling.next(past := history(space, results), past.taken)) is not None:
        results.append((point, 0.0))
    assert len({configuration.digest for configuration, _ in results}) == 12


def test_the_points_follow_from_the_history_alone():
    space = unit(3)
    one, results = SpaceFilling(space, 9), []
    for _ in range(12):
        past = history(space, results)
        point = one.next(past, past.taken)
        assert point == SpaceFilling(space, 9).next(past, past.taken)
        results.append((point, 0.0))
