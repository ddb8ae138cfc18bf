from __future__ import annotations

import numpy as np

from tunesmith.agent.methods.gp.candidates import COMPETING, search
from tunesmith.agent.methods.gp.prior import build_prior
from tunesmith.space import Categorical, Float, Int, Space

SPACE = Space(
    {
        "x": Float(0, 1),
        "n": Int(1, 20),
        "kind": Categorical(["a", "b", "c"]),
        "y": Float(0, 1, when={"kind": "b"}),
    },
    constraints=["x * n <= 10"],
)


def find(space, score, *, best=None, competing=None, taken=None, seed=0):
    none = np.empty((0, space.dimensions))
    return search(
        space,
        build_prior(space),
        score,
        none if best is None else best,
        none if competing is None else competing,
        none if taken is None else taken,
        np.random.default_rng(seed),
    )


def test_every_candidate_is_legal_feasible_and_already_rounded():
    best = np.stack([SPACE.encode(c)[0] for c in SPACE.sample(np.random.default_rng(1), 3)])
    pool = find(SPACE, lambda rows: rows[:, 0], best=best)
    np.testing.assert_array_equal(SPACE.round(pool.rows), pool.rows)
    assert SPACE.feasible(pool.rows).all()
    assert (np.diff(pool.scores) <= 0).all()
    for row in pool.rows[:50]:
        assert not SPACE.problems(SPACE.decode(row))


def test_a_smooth_maximum_is_found_closely():
    space = Space({f"x{i}": Float(0, 1) for i in range(4)})
    target = np.array([0.2, 0.9, 0.55, 0.31])
    top = find(space, lambda rows: -((rows - target) ** 2).sum(axis=1)).rows[0]
    assert np.abs(top - target).max() < 0.05


def test_what_is_taken_is_not_proposed_again():
    space = Space({"n": Int(0, 3)})
    rows = np.stack([space.encode({"n": n})[0] for n in range(4)])
    assert len(find(space, lambda rows: rows[:, 0], taken=rows[:3])) == 1
    assert len(find(space, lambda rows: rows[:, 0], taken=rows)) == 0


def test_a_competing_proposal_wins_only_by_its_score_and_keeps_its_descent():
    row = np.array([[0.61803, 0.41421]])
    space = Space({"x": Float(0, 1), "y": Float(0, 1)})
    here = find(space, lambda rows: -((rows - row) ** 2).sum(axis=1), competing=row)
    assert here.ancestors[0] == 0 and here.origins[0] == COMPETING
    np.testing.assert_array_equal(here.rows[0], row[0])
    away = find(space, lambda rows: ((rows - row) ** 2).sum(axis=1), competing=row)
    assert away.ancestors[0] == -1


def test_steps_from_a_best_trial_reach_inactive_parameters_and_their_parents():
    best = SPACE.encode({"x": 0.5, "n": 3, "kind": "a"})[0][None]
    pool = find(
        SPACE,
        lambda rows: rows[:, SPACE.columns.index(next(c for c in SPACE.columns if c.choice == "b"))],
        best=best,
    )
    assert SPACE.decode(pool.rows[0])["kind"] == "b"
