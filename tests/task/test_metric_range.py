"""What a metric can be bounds what is said of it."""

import math

import pytest

from tunesmith.metric_range import metric_range
from tunesmith.text.numbers import prediction


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("val_accuracy", (0.4, 0.9), (0, 1)),
        ("test-acc", (41.0, 93.0), (0, 100)),
        ("accuracy", (), (0, 1)),
        ("val_loss", (0.5, 2.5), (0, 4.5)),
        ("loss", (-3.0, 1.0), (-7, 5)),
        ("score", (10.0, 12.0), (8, 14)),
        ("score", (10.0, 10.0), (-math.inf, math.inf)),
        ("accuracy_gain", (-0.1, 0.2), (-0.4, 0.5)),
        ("contrast", (0.2, 0.4), (0.0, 0.6)),
    ],
)
def test_the_range_comes_from_the_name_or_from_what_was_seen_with_a_margin(name, values, expected):
    assert metric_range(name, values) == pytest.approx(expected)


def test_an_accuracy_is_never_shown_with_a_spread_of_three():
    limits = metric_range("accuracy", (0.2, 0.45))
    spread = limits.spread(0.4561, 3.0)
    assert spread == pytest.approx(math.sqrt(0.4561 * 0.5439))
    assert prediction(0.4561, spread, limits) == "0.4561 (0 to 0.954)"
    assert limits.spread(0.4561, 0.02) == 0.02
    assert prediction(0.4561, 0.02, limits) == "0.4561 ± 0.0200"


def test_a_prediction_at_the_very_end_of_the_range_keeps_some_spread():
    assert metric_range("accuracy", (0.5, 1.0)).spread(1.0, 0.3) == 0.01
