"""A table of samples that are there as arrays: two stages and a repair, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tunesmith.errors import UsageError
from tunesmith.pipeline.allocation import StageChoice
from tunesmith.tools.pipelines.table import ReplayTable, Setting
from tunesmith.tools.pipelines.votes import SampleArrays

STEPS = np.array([0, 1])
SMALL, LARGE = Setting("small"), Setting("large")


def table() -> ReplayTable:
    """Items 0 and 1; states 2, 3 right and wrong of item 0, states 4, 5 of item 1."""

    def cost(choice: StageChoice, drawn: int, fused: bool) -> float:
        return {"small": 1.0, "large": 10.0}[choice.model] * (drawn + fused)

    return ReplayTable.from_arrays(
        items=("a", "b"),
        stages=("answer", "repair"),
        score=np.array([np.nan, np.nan, 1, 0, 1, 0]),
        samples={
            ("answer", 0): {
                SMALL: SampleArrays(STEPS, np.array([[3, 2, 2], [5, 5, 4]])),
                LARGE: SampleArrays(STEPS, np.array([[2, 2, 2], [5, 4, 4]])),
            },
            ("repair", 0): {SMALL: SampleArrays(np.array([3, 5]), np.array([[2], [5]]))},
            ("repair", 1): {SMALL: SampleArrays(np.array([5]), np.array([[4]]))},
        },
        cost=cost,
        gates={"repair": np.array([False, False, False, True, False, True])},
        stage_scores={"answer": np.array([np.nan, np.nan, 1, 0, 1, 0])},
    )


def test_a_configuration_is_a_walk_of_the_items_through_the_arrays():
    one = table()
    found = one.evaluate((StageChoice("answer", "small", 1), StageChoice("repair", "small", rounds=1)))
    assert found.scores.tolist() == [1, 0] and found.costs.tolist() == [2, 2]
    assert found.stage_scores["answer"].tolist() == [0, 0]
    assert found.stage_costs["repair"].tolist() == [1, 1] and found.stage_calls["repair"].tolist() == [1, 1]
    twice = one.evaluate((StageChoice("answer", "small", 1), StageChoice("repair", "small", rounds=2)))
    assert twice.scores.tolist() == [1, 1] and twice.costs.tolist() == [2, 3]
    left_out = one.evaluate((StageChoice("answer", "large", 3), StageChoice("repair", "small", rounds=0)))
    assert left_out.scores.tolist() == [1, 1] and left_out.cost == 30
    early = one.evaluate((StageChoice("answer", "small", 3, agree=2), StageChoice("repair", "small")))
    assert early.costs.tolist() == [3, 3] and early.stage_calls["answer"].tolist() == [3, 2]
    part = one.evaluate((StageChoice("answer", "small", 1), StageChoice("repair", "small")), np.array([1]))
    assert part.scores.tolist() == [0]


def test_all_configurations_at_once_are_those_one_by_one():
    one = table()
    choices = (
        [StageChoice("answer", m, s, agree=a) for m in ("small", "large") for s in (1, 3) for a in (None, 2)],
        [StageChoice("repair", "small", rounds=r) for r in (0, 1, 2)],
    )
    everything = one.exhaustive(choices)
    assert everything.scores.shape == (8, 3)
    fresh = table()
    for i, first in enumerate(choices[0]):
        for j, second in enumerate(choices[1]):
            alone = fresh.evaluate((first, second))
            assert (everything.scores[i, j], everything.costs[i, j]) == (alone.score, alone.cost)
    best, score = everything.best(budget=2.5)
    assert score == 1.0 and [c.rounds for c in best] == [1, 2] and best[0].samples == 1
    with pytest.raises(UsageError, match=r"at most 0.5 an item; the least is 1"):
        everything.best(0.5)
    with pytest.raises(UsageError, match="no samples of Setting"):
        one.evaluate((StageChoice("answer", "huge"), StageChoice("repair", "small")))
