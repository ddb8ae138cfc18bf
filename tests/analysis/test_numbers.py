"""Digits of the primary metric, and of the others."""

from dataclasses import replace

import pytest

from fakes.histories import configured, history, trial
from tunesmith.goals import Goal, Limit
from tunesmith.tools.analysis.numbers import format_metric


@pytest.mark.parametrize(
    "stated",
    [
        {"others": (Goal(metric="ms", direction="minimize"),)},
        {"limits": (Limit(metric="ms", operator="<=", bound=1.0),)},
        {},
    ],
    ids=["optimised", "limited", "only measured"],
)
def test_each_metric_has_the_digits_that_tell_its_own_trials_apart(stated):
    rows = [(0.91, 1000.001), (0.5, 1000.002), (0.7, 1000.003)]
    past = history(
        *(
            trial(n, configured(lr=1e-4 * (n + 1)), acc).model_copy(update={"values": {"ms": ms}})
            for n, (acc, ms) in enumerate(rows)
        )
    )
    past = replace(past, **stated)
    assert [format_metric(past, v, "ms") for v in (1000.001, 1000.002)] == ["1000.001", "1000.002"]
    assert format_metric(past, 0.91) == format_metric(past, 0.91, "val_accuracy") == "0.91"
    assert format_metric(past, None, "ms") == "-"
