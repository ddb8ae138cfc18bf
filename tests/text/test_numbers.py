"""Numbers, durations and parts of charts as text."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.goal_words import table
from tunesmith.goals import Goal, Goals
from tunesmith.text.charts import round_ticks, sparkline, thin
from tunesmith.text.durations import duration, parse_duration, spelled_duration, write_duration
from tunesmith.text.numbers import beyond, count, counted, fixed, interval, metric, prediction, readable
from tunesmith.text.tables import aligned


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param(metric(0.91), "0.9100", id="a metric near one"),
        pytest.param(metric(0.00123456), "0.001235", id="a small metric"),
        pytest.param(prediction(0.921, 0.012), "0.9210 ± 0.0120", id="a spread as precise as its mean"),
        pytest.param(prediction(12345.6, 7.0), "1.235e+04 ± 7", id="a large one"),
        pytest.param(count(1_234_567), "1.2M", id="millions"),
        pytest.param(count(2_000), "2k", id="thousands"),
        pytest.param(counted(1, "task"), "1 task", id="one"),
        pytest.param(counted(2000, "category", "categories"), "2,000 categories", id="many"),
        pytest.param(fixed(math.nan), "–", id="not a number"),
        pytest.param(interval(0.5, None, 2), "[0.50, inf]", id="no upper limit"),
        pytest.param(interval(None, None, 2), "", id="no interval"),
        pytest.param(duration(8.9), "8s", id="seconds"),
        pytest.param(duration(65), "1m05", id="minutes"),
        pytest.param(duration(3 * 86_400 + 4 * 3600), "3d04h", id="days"),
        pytest.param(spelled_duration(0.84), "0.8 s", id="less than a second"),
        pytest.param(spelled_duration(185), "3 min 05 s", id="spelled minutes"),
    ],
)
def test_numbers_are_shown_so(text: str, shown: str) -> None:
    assert text == shown


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("45s", 45), ("1h30m", 5400), ("2d", 172800), ("1.5h", 5400), ("1H 5S", 3605), (90, 90), (0.5, 0.5)],
)
def test_durations_are_read_as_people_write_them(text: object, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    ["", "10", "m", "5 m 3 h", "-5m", "0s", "1" * 60 + "s", 0, -1, True, None, [], math.nan, math.inf],
    ids=repr,
)
def test_other_durations_are_refused(text: object) -> None:
    with pytest.raises(ValueError, match="should be"):
        parse_duration(text)


@given(st.one_of(st.floats(1e-3, 1e8), st.integers(1, 10**9).map(float)))
def test_a_written_duration_reads_back_exactly(seconds: float) -> None:
    assert parse_duration(write_duration(seconds)) == seconds


def test_a_curve_is_thinned_to_a_dozen_points_with_its_ends() -> None:
    points = thin(range(1, 5001))
    assert len(points) == 12 and points[0] == 1 and points[-1] == 5000


@pytest.mark.parametrize(
    ("values", "bars"),
    [([], ""), ([2.0, 2.0], "▄▄"), ([0.0, 0.5, 1.0], "▁▅█"), ([-1e308, 1e308], "▁█")],
    ids=["none", "flat", "rising", "huge"],
)
def test_a_sparkline_goes_from_lowest_to_highest(values: list[float], bars: str) -> None:
    assert sparkline(values) == bars


@given(st.floats(-1e300, 1e300), st.floats(1e-9, 1e300))
def test_ticks_are_few_inside_the_axis_and_told_apart(low: float, span: float) -> None:
    high = low + max(span, 1e-9 * abs(low))
    ticks = round_ticks(low, high)
    assert 2 <= len(ticks) <= 7 and len({text for _, text in ticks}) == len(ticks)
    air = 1e-9 * (high - low) + math.ulp(high)  # the last multiple may round to just outside
    assert all(low - air <= value <= high + air for value, _ in ticks)


def test_columns_are_aligned_and_cells_cannot_leave_them() -> None:
    rows = [("", "regret", "n"), ("random", "0.1", "12"), ("evil\x1b[2J\nname", "0.25", "3")]
    assert aligned(rows) == [
        "           regret   n",
        "random        0.1  12",
        "evil name    0.25   3",
    ]


@pytest.mark.parametrize(
    ("value", "digits", "shown"),
    [
        (21066.0, 5, "21066"),
        (1234567.0, 4, "1234567"),
        (0.936, 5, "0.936"),
        (2181.4, 3, "2180"),
        (123456.7, 5, "123460"),
        (1.5e7 + 0.5, 3, "1.5e+07"),
        (5e12, 5, "5e+12"),
        (-0.000012345678, 3, "-1.23e-05"),
        (math.inf, 5, "inf"),
    ],
)
def test_whole_numbers_stay_whole_and_thousands_have_no_exponent(
    value: float, digits: int, shown: str
) -> None:
    assert readable(value, digits) == shown


@given(st.floats(-1e9, 1e9), st.floats(1e-12, 1e-3))
def test_a_value_that_breaks_a_bound_by_a_hair_is_not_shown_as_the_bound(bound: float, by: float) -> None:
    value = bound + abs(bound) * by + by
    assert value == bound or float(beyond(value, bound)) != bound


def test_a_table_of_trials_shows_counts_as_counts() -> None:
    acc, size = Goal(metric="acc", direction="maximize"), Goal(metric="size", direction="minimize")
    goals = Goals(objectives=(acc, size))
    lines = table(
        goals,
        [(0, {"acc": 1.0, "size": 985.0}, ""), (1, {"acc": 0.5, "size": 21066.0}, "")],
        width=80,
        most=9,
    )
    assert [line.split() for line in lines[1:]] == [["#0", "1.0000", "985"], ["#1", "0.5000", "21066"]]
