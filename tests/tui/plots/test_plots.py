"""Every plot: what it says of a run, and that any data fits any box."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from rich.cells import cell_len

from fakes.tui_runs import begun, started, trials
from tunesmith.beliefs import Beliefs, ParameterBelief, Slice
from tunesmith.events import Event, TrialReported
from tunesmith.tools.analysis.predicted import Predicted
from tunesmith.trial import TrialState
from tunesmith.tui.facts import Facts
from tunesmith.tui.plots.best import best_plot
from tunesmith.tui.plots.calibration import calibration_plot
from tunesmith.tui.plots.curves import Curve, chosen_curves, curves_plot, reduced
from tunesmith.tui.plots.importance import importance_plot
from tunesmith.tui.plots.slices import slices_plot
from tunesmith.tui.spans import Spans, plain
from tunesmith.tui.state import RunView

BOX = (80, 20)
SIZES = [(0, 0), (1, 1), (7, 3), (20, 5), (80, 24), (250, 70)]
ODD = [math.nan, math.inf, -math.inf, -1e308, 1e308, 0.0, 1e-300]


def text(lines: list[Spans]) -> str:
    return "\n".join(plain(line) for line in lines)


def folded(*events: Event) -> RunView:
    view = RunView(Facts())
    view.fold(events)
    return view


def belief(name: str, importance: float | None, kind: str = "float", **more: Any) -> ParameterBelief:
    ticks = ("adamw", "sgd") if kind == "categorical" else ("0.0001", "0.003", "0.1")
    places = tuple(float(k) for k in range(2)) if kind == "categorical" else (0.0, 0.5, 1.0)
    mean = (0.7, 0.9, 0.8)[: len(places)]
    given: dict[str, Any] = dict(
        name=name,
        kind=kind,
        ticks=ticks,
        prior=(0.5, 0.5),
        posterior=(0.5, 0.5),
        expected="0.003",
        low="",
        high="",
        probability=0.8,
        sources=(),
        moved="",
        importance=importance,
        slice=Slice(
            positions=places,
            values=ticks[: len(places)],
            mean=mean,
            low=tuple(m - 0.05 for m in mean),
            high=tuple(m + 0.05 for m in mean),
        ),
    )
    return ParameterBelief(**(given | more))


def beliefs(*parameters: ParameterBelief) -> Beliefs:
    return Beliefs(finished=12, used=12, basis="twelve trials", metric="val_accuracy", parameters=parameters)


def test_best_so_far_has_a_star_at_each_new_best_and_says_what_is_off_the_scale() -> None:
    view = folded(begun(), *trials([0.5, 0.7, 0.6, 0.8, 0.75, 0.78, 0.77, 0.79, 0.76, -1e9]))
    drawn = text(best_plot(view.plot, "val_accuracy", BOX))
    assert "best val_accuracy so far  1 off the scale" in drawn
    legend = drawn.splitlines()[-1]
    assert "★ a new best" in legend and "trial" in legend
    columns = [line.index("★") for line in drawn.splitlines()[1:-3] if "★" in line]
    assert len(columns) == 3 and columns == sorted(columns, reverse=True)  # better is higher and later


def curve(number: int, values: list[float], best: bool = False, state: Any = TrialState.RUNNING) -> Curve:
    return Curve(number, tuple((float(k), v) for k, v in enumerate(values)), state, best)


def test_curves_are_told_apart_by_letters_on_them_and_in_the_legend() -> None:
    rising = [0.1 * k for k in range(10)]
    drawn = text(
        curves_plot(
            [curve(7, rising, True, TrialState.COMPLETED), curve(8, rising[::-1]), curve(9, [0.5] * 10)],
            "val_accuracy",
            BOX,
        )
    )
    body, legend = drawn.splitlines()[1:-3], drawn.splitlines()[-1]
    assert legend.split("  ")[:3] == [
        "★ #7 0.9000",
        "a #8 0.000 running".replace("0.000", "0.0000"),
        "b #9 0.5000 running",
    ]
    assert body[0].rstrip().endswith("★") and body[-1].rstrip().endswith("a")
    assert all(sum(line.count(mark) for line in body) >= 3 for mark in "★ab")


def test_losses_over_many_powers_of_ten_are_on_a_logarithmic_scale_unless_switched_off() -> None:
    curves = [curve(1, [10.0 ** -(k / 2) for k in range(10)])]
    assert "loss as reported (log scale)" in text(curves_plot(curves, "loss", BOX))
    assert "log scale" not in text(curves_plot(curves, "loss", BOX, log=False))
    assert "log scale" not in text(curves_plot([curve(1, [-1.0, 0.0])], "loss", BOX, log=True))


def test_a_long_curve_keeps_its_peaks_and_ends() -> None:
    values = [0.0] * 50_000
    values[31_416], values[-1] = 9.0, 1.0
    found = reduced(list(enumerate(values)))
    assert len(found) <= 1024 and (31_416.0, 9.0) in found
    assert found[0] == (0.0, 0.0) and found[-1] == (49_999.0, 1.0)
    assert reduced([(1, math.nan), (2, 1.0)]) == ((2.0, 1.0),)


def test_the_incumbent_then_marked_then_running_trials_have_curves() -> None:
    view = folded(begun(), *trials([0.5, 0.9, 0.6]), started(3), TrialReported(number=3, step=1, value=0.2))
    picked = chosen_curves(view.trials, view.running_numbers, (2, 99), view.best)
    assert [trial.number for trial in picked] == [1, 2, 3]


def test_importance_is_a_bar_of_its_share_with_the_interval() -> None:
    found = beliefs(
        belief("learning_rate", 0.6, importance_low=0.4, importance_high=0.8),
        belief("dropout", 0.01, flat=True),
        belief("width", None),
    )
    lines = text(importance_plot(found, (81, 10))).splitlines()
    assert lines[0].startswith("share of the variance of val_accuracy  from 12 trials")
    room = 81 - len("learning_rate") - 1 - 20
    assert abs(lines[1].count("█") - 0.6 * room) < 1 and "60% (40% to 80%)" in lines[1]
    assert abs(lines[1].count("█") + lines[1].count("━") - 0.8 * room) <= 1
    assert "1% flat" in lines[2] and "width" not in text(importance_plot(found, (81, 10)))
    assert "not known yet" in text(importance_plot(None, BOX))


def test_a_slice_has_the_prediction_the_trials_and_the_ends_of_the_range() -> None:
    found = beliefs(belief("learning_rate", 0.6), belief("optimizer", 0.1, "categorical"))
    observed = {"learning_rate": [(0.5, 0.9)], "optimizer": [(0.25, 0.7), (0.75, 0.9)]}
    drawn = text(slices_plot(found, observed, "val_accuracy", (100, 12)))
    assert all(word in drawn for word in ("0.0001", "0.003", "adamw", "sgd", "60% of variance"))
    assert "learning_rate" in drawn and "optimizer" in drawn and drawn.count("·") >= 3
    assert "optimizer" in text(slices_plot(found, observed, "m", (40, 12), first=1))
    assert "optimizer" not in text(slices_plot(found, observed, "m", (40, 12), first=2))


def test_calibration_counts_the_results_within_one_and_two_spreads() -> None:
    points = [Predicted(0, 0.5, 0.1, 0.55), Predicted(1, 0.5, 0.1, 0.65), Predicted(2, 0.5, 0.1, 0.95)]
    drawn = text(calibration_plot(points, "val_accuracy", BOX))
    assert "1 of 3 within 1 sd (33%, honest 68%), 2 within 2 sd (67%, honest 95%)" in drawn
    body = "\n".join(drawn.splitlines()[1:-4])
    assert [body.count(mark) for mark in "•ox"] == [1, 1, 1]


PLOTS: list[Callable[[tuple[int, int]], list[Spans]]] = [
    lambda size: best_plot(folded(begun()).plot, "m", size),
    lambda size: best_plot(folded(begun(), *trials([1e308, -1e308, 0.0])).plot, "m", size),
    lambda size: best_plot(folded(begun(), *trials([1.0])).plot, "\x1b]0;x\x07[b]", size),
    lambda size: curves_plot([], "m", size),
    lambda size: curves_plot([Curve(1, reduced(list(enumerate(ODD))), TrialState.DIVERGED, True)], "m", size),
    lambda size: curves_plot([curve(k, [1e-3]) for k in range(30)], "m", size),
    lambda size: importance_plot(beliefs(belief("[red]\x1b[31m" + "時" * 99, 2.0)), size),
    lambda size: slices_plot(None, {"a": [(math.nan, 1.0), (0.5, math.nan), (0.0, 1e308)]}, "m", size),
    lambda size: slices_plot(beliefs(belief("a\n\x1b[31m", 0.5, ticks=("\x1b[2J", "b", "c"))), {}, "m", size),
    lambda size: calibration_plot([], "m", size),
    lambda size: calibration_plot([Predicted(k, v, 1e-9, -v) for k, v in enumerate(ODD)], "m", size),
]


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_any_data_fits_any_box(size: tuple[int, int]) -> None:
    for draw in PLOTS:
        lines = draw(size)
        assert len(lines) == max(size[1], 1)
        assert {cell_len(plain(line)) for line in lines} == {max(size[0], 1)}
        assert not any(ord(c) < 32 for c in text(lines).replace("\n", ""))
