"""Everything drawn lies where its axis says, and nothing lies outside its box."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from tunesmith.tui.canvas.canvas import Canvas, Dot
from tunesmith.tui.canvas.chart import Axes, Plane, chart, fitted
from tunesmith.tui.canvas.scale import Scale, wants_log
from tunesmith.tui.spans import Spans, plain

ANY = st.floats(allow_nan=True, allow_infinity=True)
FINITE = st.floats(allow_nan=False, allow_infinity=False)


def assert_box(lines: list[Spans], width: int, height: int) -> None:
    assert len(lines) == max(height, 1)
    assert {cell_len(plain(line)) for line in lines} == {max(width, 1)}
    assert not any(ord(c) < 32 for line in lines for c in plain(line))


@settings(max_examples=60, deadline=None)
@given(st.lists(ANY, max_size=8), st.booleans(), st.integers(1, 300))
def test_a_scale_has_every_finite_value_inside_and_in_order(
    values: list[float], log: bool, cells: int
) -> None:
    scale = Scale.of(values, log=log)
    shown = sorted(v for v in values if math.isfinite(v) and (v > 0 or not log))
    places = [scale.clipped(value, cells) for value in shown]
    assert all(place is not None and 0 <= place < cells for place in places)
    assert places == sorted(p for p in places if p is not None)
    assert scale.low < scale.high and scale.ticks
    assert all(scale.low <= value <= scale.high for value, _ in scale.ticks)
    assert scale.place(math.nan, cells) is None and scale.place(math.inf, cells) is None


def test_places_are_exact_at_the_ends_and_in_the_middle() -> None:
    assert [Scale.between(0, 10).place(v, 11) for v in (0, 5, 10, -1, 11)] == [0, 5, 10, None, None]
    log = Scale.between(1e-4, 1.0, log=True)
    assert [log.place(v, 5) for v in (1e-4, 1e-3, 1e-2, 0.1, 1.0)] == [0, 1, 2, 3, 4]
    assert [text for _, text in log.ticks] == ["0.0001", "0.001", "0.01", "0.1", "1"]


def test_a_logarithmic_scale_is_for_positive_values_over_many_powers_of_ten() -> None:
    assert wants_log([1e-4, 1.0]) and not wants_log([0.1, 1.0]) and not wants_log([0.0, 1e9])
    assert not wants_log([]) and not wants_log([math.nan, math.inf])


def test_a_dot_sets_its_own_corner_of_a_cell() -> None:
    canvas = Canvas(2, 1)
    canvas.dot(0, 3)
    canvas.dot(3, 0)
    assert plain(canvas.rows()[0]) == "⠁⢀"


@settings(max_examples=40, deadline=None)
@given(*[st.integers(-500, 500)] * 4)
def test_what_is_drawn_outside_is_not_drawn(x0: int, y0: int, x1: int, y1: int) -> None:
    canvas = Canvas(5, 3)
    canvas.line(Dot(x0, y0), Dot(x1, y1), "accent")
    canvas.mark(x0, y0, "x")
    assert_box(canvas.rows(), 5, 3)


@pytest.mark.parametrize("size", [(0, 0), (1, 1), (3, 40), (16, 5), (17, 7), (80, 24), (250, 70)], ids=str)
def test_a_chart_fills_its_box_whatever_its_values_and_names(size: tuple[int, int]) -> None:
    for values in (
        [],
        [1.0],
        [2.0, 2.0],
        [math.nan, math.inf, -math.inf, 3.0],
        [-1e308, 1e308],
        [1e-300, 1e300],
    ):
        scale = Scale.of(values, log=bool(values) and min(values) > 0)
        name = "\x1b[31m時間[red]" + "n" * 300

        def draw(plane: Plane, values: list[float] = values) -> None:
            plane.path([(v, v) for v in values])
            for v in values:
                plane.mark(v, v, "x")

        axes = Axes(scale, scale, name, name, name)
        assert_box(chart(size, axes, draw, [((name, ""),)] * 9 if size[0] > 99 else ()), *size)


def test_a_mark_is_in_the_row_of_its_tick_and_over_the_tick_of_its_column() -> None:
    axes = Axes(Scale.between(0, 100), Scale.between(0, 1), "trial", "accuracy")
    for x, y in ((0, 0.0), (20, 0.2), (40, 0.6), (80, 1.0)):
        lines = [
            plain(line) for line in chart((60, 20), axes, lambda p, x=x, y=y: p.mark(x, y, "@") and None)
        ]
        row = next(line for line in lines if "@" in line)
        assert float(row.split("┤")[0]) == y
        tick = lines[-1].find(str(x))
        assert lines[-2][row.index("@")] == "┬" and abs(tick - row.index("@")) <= len(str(x))


def test_fitting_cuts_wide_characters_between_cells() -> None:
    assert_box(fitted([(("時間時間", ""),), (("ab", "dim"), ("時", ""))], 3, 4), 3, 4)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(*[st.floats(-2, 12) | st.sampled_from([math.nan, math.inf, -1e308, 0.0, 10.0])] * 2)),
    st.integers(1, 30),
    st.integers(1, 12),
)
def test_marks_at_many_points_are_where_they_are_one_by_one(
    points: list[tuple[float, float]], width: int, height: int
) -> None:
    powers = [(10.0 ** (k / 10), float(k)) for k in range(11)]
    for x, found in ((Scale.between(0.0, 10.0), points), (Scale.between(0.5, 10.0, log=True), powers)):
        together, single = (Plane(Canvas(width, height), x, Scale.between(-1.0, 10.0)) for _ in range(2))
        together.marks(found, "•")
        for at in found:
            single.mark(*at, "•")
        assert together.canvas.rows() == single.canvas.rows()
