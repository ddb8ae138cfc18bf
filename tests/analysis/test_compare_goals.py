"""The comparison beside the primary metric: any columns have words, and items are paired by what they are."""

from __future__ import annotations

import numpy as np
import pytest

from tunesmith.goals import Goal, Goals, Limit
from tunesmith.items import Items
from tunesmith.tools.analysis.compare_goals import (
    FurtherComparison,
    ItemsCompared,
    compare_further,
    mean_items,
    unpacked,
)

GOALS = Goals(
    objectives=(
        Goal(metric="acc", direction="maximize"),
        Goal(metric="ms", direction="minimize"),
        Goal(metric="size", direction="maximize"),
    ),
    limits=(Limit(metric="ms", operator="<=", bound=1.0), Limit(metric="mib", operator=">=", bound=0.0)),
)


class Side:
    """One configuration on all seeds."""

    def __init__(self, columns: dict[str, list[float | None]]) -> None:
        self.columns = columns

    def column(self, metric: str) -> tuple[float | None, ...]:
        return tuple(self.columns[metric])

    def items(self, metric: str) -> list[Items | None]:
        return [None] * len(self.columns["ms"])


def test_any_columns_are_put_into_words_and_read_back():
    rng = np.random.default_rng(5)
    for _ in range(150):
        seeds = int(rng.integers(1, 6))

        def column(seeds: int = seeds) -> list[float | None]:
            scale = float(rng.choice([0.0, 1e-9, 1.0, 1e300]))
            return [None if rng.random() < 0.2 else scale * round(rng.normal(), 1) for _ in range(seeds)]

        best, default = (Side({name: column() for name in ("acc", "ms", "size", "mib")}) for _ in range(2))
        found = compare_further(GOALS, "acc", best, default, level=0.05)
        assert FurtherComparison.model_validate_json(found.model_dump_json()) == found
        for one in found.metrics:
            pairs = [(b, d) for b, d in zip(one.best, one.default, strict=True) if None not in (b, d)]
            huge = any(abs(b - d) > 1e150 for b, d in pairs)
            assert (one.word == "not measured") == (not pairs or huge)
            assert f"{one.metric} {one.word}" in found.sentence
            if one.word in ("better", "lower") and one.metric == "ms":
                assert sum(d - b for b, d in pairs) > 0
        measured = [value for value in best.columns["ms"] if value is not None]
        first = found.limits[0]
        assert (first.best, first.best_of) == (sum(v <= 1.0 for v in measured), len(measured))
        assert first.worst == max(measured, default=None)
        assert found.broken == ("it is not feasible" in found.sentence.partition("The default")[0])


@pytest.mark.parametrize(
    ("best", "default", "words"),
    [
        ([1.0, 1.0], [1.0, 1.0], "ms the same (1)"),
        ([3.0], [2.0], "ms not distinguishable from one seed alone (mean 3 against 2)"),
        ([1.0, 1.0], [3.0, 3.0], "ms better by 2 (mean 1 against 3)"),
        ([3.0, 3.1, 2.9], [1.0, 1.0, 1.0], "ms worse by 2 (95% interval 1.75 to 2.25; mean 3 against 1)"),
        (
            [2.0, 0.0, 1.0],
            [1.0, 1.0, 1.2],
            "ms not distinguishable (better by 0.0667, 95% interval -2.43 to 2.57; mean 1 against 1.067)",
        ),
        ([None], [2.0], "ms not measured"),
    ],
    ids=["equal", "one seed", "better", "worse", "open", "missing"],
)
def test_a_metric_is_told_in_its_own_direction(best, default, words):
    others = {name: [0.0] * len(best) for name in ("acc", "size", "mib")}
    mine, theirs = Side({**others, "ms": best}), Side({**others, "ms": default})
    found = compare_further(GOALS, "acc", mine, theirs, level=0.05)
    assert words in found.sentence


def test_scores_of_several_seeds_are_averaged_item_by_item():
    one, other = Items((1.0, 0.0, 1.0), ("a", "b", "c")), Items((0.0, 1.0, 1.0), ("c", "a", "b"))
    assert mean_items([one, other]) == Items((1.0, 0.5, 0.5), ("a", "b", "c"))
    assert mean_items([Items((1.0, 3.0)), Items((2.0, 5.0))]) == Items((1.5, 4.0))
    assert mean_items([]) is None
    assert mean_items([one, Items((0.0, 1.0), ("a", "b"))]) is None, "judged on different items"
    assert mean_items([Items((1.0,)), Items((1.0, 2.0))]) is None
    assert mean_items([Items((1.0, 2.0, 3.0)), one]) is None
    assert unpacked("items1:damaged") is None and unpacked(one.pack()) == one


def test_a_difference_item_by_item_is_told_with_its_error():
    goal = Goal(metric="loss", direction="minimize")
    better, worse = (
        Items(tuple(float(v % 7) for v in range(300))),
        Items(tuple(v % 7 + 1.0 for v in range(300))),
    )
    found = ItemsCompared.of(better, worse, goal, "the default")
    assert found is not None
    assert found.text == (
        "loss against the default over the same 300 items: +1 ± 0 (95% interval 1 to 1; better)"
    )
    single = ItemsCompared.of(Items((1.0,)), Items((2.0,)), goal, "the default")
    assert single is not None and single.text.endswith("over one item: +1 (not distinguishable)")
    assert ItemsCompared.of(better, Items((1.0,)), goal, "the default") is None
