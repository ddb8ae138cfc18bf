"""The Pareto front of a history."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from fakes.histories import configured, limited, trial
from tunesmith.goals import Goal, Limit

LEVELS = st.integers(-2, 2).map(float)
EMPTY = replace(
    limited(0)[1],
    others=(Goal(metric="a", direction="minimize"), Goal(metric="b", direction="maximize")),
    limits=(Limit.read("b", ">= 0"),),
)


@given(st.lists(st.tuples(LEVELS, LEVELS, LEVELS), max_size=12))
def test_it_is_the_feasible_trials_that_none_dominates_and_of_equal_ones_the_first(rows):
    trials = [
        trial(i, configured(), score).model_copy(update={"values": {"val_accuracy": score, "a": a, "b": b}})
        for i, (score, a, b) in enumerate(rows)
    ]
    past = replace(EMPTY, trials=tuple(trials))
    kept = [
        t
        for t in past.feasible
        if not any(past.goals.dominates(o.values, t.values) for o in past.feasible)
        and not any(o.values == t.values and o.number < t.number for o in past.feasible)
    ]
    expected = sorted(kept, key=lambda t: (-t.values["val_accuracy"], t.number))
    assert [t.number for t in past.front] == [t.number for t in expected]


def test_a_trial_of_before_a_metric_was_named_is_not_on_it():
    old, new = (trial(i, configured(), 0.9 - i / 10) for i in (0, 1))
    measured = new.model_copy(update={"values": {"val_accuracy": 0.8, "a": 1.0, "b": 1.0}})
    past = replace(EMPTY, trials=(old, measured), limits=())
    assert [t.number for t in past.front] == [1] and past.incumbent is measured
