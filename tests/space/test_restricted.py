"""A space of which a kind of problem says what cannot be run."""

from __future__ import annotations

import pickle
from collections.abc import Mapping

import numpy as np
import pytest

from tunesmith.agent.methods.gp.enumeration import list_rows
from tunesmith.errors import InvalidConfiguration, SpaceError
from tunesmith.space import Categorical, Int, Space
from tunesmith.trial import Value


def odd_layers(values: Mapping[str, Value]) -> str | None:
    return None if values["layers"] % 2 else "layers is even"  # type: ignore[operator]


WHOLE = Space(
    {"layers": Int(1, 9), "width": Int(1, 100), "kind": Categorical(["a", "b"])}, ["width > layers"]
)
SPACE = WHOLE.restricted(odd_layers)


def test_what_cannot_be_run_is_offered_nowhere_and_refused_with_the_reason():
    rng = np.random.default_rng(1)
    rows = SPACE.round(rng.random((200, SPACE.dimensions)))
    kept = rows[SPACE.feasible(rows)]
    assert 0 < len(kept) < WHOLE.feasible(rows).sum()
    drawn = [*SPACE.sample(rng, 50), *SPACE.legal_configurations(kept)]
    assert all(c["layers"] % 2 and c["width"] > c["layers"] for c in drawn)
    small = Space({"layers": Int(1, 9)}).restricted(odd_layers)
    assert small.cardinality == 5 and [c["layers"] for c in small.all_configurations()] == [1, 3, 5, 7, 9]
    even = {"layers": 2, "width": 50, "kind": "a"}
    for refused in (SPACE.validate, SPACE.snap):
        with pytest.raises(InvalidConfiguration, match=r"^it cannot be run: layers is even$"):
            refused(even)
    # A broken constraint is repaired to something that can be run.
    assert SPACE.snap({"layers": 5, "width": 1, "kind": "a"})[0]["layers"] % 2


def test_the_rule_is_no_part_of_what_the_space_is():
    even = {"layers": 2, "width": 50, "kind": "a"}
    assert SPACE == WHOLE and hash(SPACE) == hash(WHOLE) and SPACE.to_dict() == WHOLE.to_dict()
    assert SPACE.restricted(None).validate(even) == WHOLE.validate(even)
    assert pickle.loads(pickle.dumps(SPACE)).problems(even)


def test_a_listing_of_one_rule_is_not_that_of_another():
    small = Space({"layers": Int(1, 9)})
    for rule, count in (
        (odd_layers, 5),
        (None, 9),
        (lambda values: "no" if values["layers"] > 2 else None, 2),
    ):
        assert len(list_rows(small.restricted(rule))) == count


def test_a_rule_that_lets_nothing_run_is_an_error_after_a_bounded_search():
    with pytest.raises(SpaceError, match="hold 0 that the kind of problem can run, 1 needed"):
        WHOLE.restricted(lambda _: "the machine is off").sample(np.random.default_rng(0))
