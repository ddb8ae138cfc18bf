"""Every plot: what it says of a run, and that any data fits any box."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from rich.cells import cell_len

from fakes.drawn_beliefs import belief, beliefs
from fakes.tui_runs import begun, started, trials
from tunesmith.events import Event, TrialReported
from tunesmith.goals import Goal, Goals, Limit
from tunesmith.space import Space
from tunesmith.tools.analysis.parallel import Parallel, parallel
from tunesmith.tools.analysis.predicted import Predicted
from tunesmith.tools.analysis.timeline import Gap, Timeline, Work
from tunesmith.tools.analysis.timeline_builder import timeline
from tunesmith.trial import TrialState
from tunesmith.tui.facts import Facts
from tunesmith.tui.plots.best import best_plot
from tunesmith.tui.plots.calibration import calibration_plot
from tunesmith.tui.plots.curves import Curve, chosen_curves, curves_plot, reduced
from tunesmith.tui.plots.front import front_plot
from tunesmith.tui.plots.importance import importance_plot
from tunesmith.tui.plots.parallel import parallel_plot
from tunesmith.tui.plots.slices import slices_plot
from tunesmith.tui.plots.timeline import timeline_plot
from tunesmith.tui.spans import Spans, plain
from tunesmith.tui.state import RunView
from tunesmith.tui.trial_view import TrialView

BOX = (80, 20)
SIZES = [(0, 0), (1, 1), (7, 3), (20, 5), (3, 60), (200, 2), (33, 9), (80, 24), (250, 70)]
ODD = [math.nan, math.inf, -math.inf, -1e308, 1e308, 0.0, 1e-300]


def text(lines: list[Spans]) -> str:
    return "\n".join(plain(line) for line in lines)


def folded(*events: Event) -> RunView:
    view = RunView(Facts())
    view.fold(events)
    return view


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
    assert "1 of 3 within 1 sd (33%, right 68%), 2 within 2 sd (67%, right 86%)" in drawn
    body = "\n".join(drawn.splitlines()[1:-4])
    assert [body.count(mark) for mark in "•ox"] == [1, 1, 1]


SPACE = Space.from_dict(
    {
        "learning_rate": {"type": "float", "low": 1e-4, "high": 0.1, "scale": "log"},
        "optimizer": {"type": "categorical", "choices": ["adamw", "sgd", "lion"]},
        "[red]" + "時" * 20: {"type": "int", "low": 1, "high": 9},
    }
)


def lines_of(values: list[float]) -> Parallel:
    given = {"learning_rate": 0.01, "optimizer": "sgd"}
    return parallel(SPACE, "maximize", [(k, given, value) for k, value in enumerate(values)])


def test_parallel_coordinates_name_their_axes_scales_and_choices() -> None:
    drawn = text(parallel_plot(lines_of([0.1, 0.9]), "val_accuracy", 1, (100, 20))).splitlines()
    assert (
        "learning_rate log" in drawn[0]
        and "optimizer" in drawn[0]
        and drawn[0].rstrip().endswith("val_accuracy")
    )
    assert "0.1" in drawn[1] and "lion" in drawn[1] and "0.9000" in drawn[1]
    body, ends = drawn[2:-2], drawn[-2]
    (row,) = [line for line in body if "sgd" in line]
    assert "★" in row, "the choice is written where its lines pass"
    assert "0.0001" in ends and "adamw" in ends and drawn[-1].startswith("★ best")
    assert "1 hyperparameter more" in text(parallel_plot(lines_of([0.1]), "m", 0, (36, 9)))


def metrics(direction: str) -> Goals:
    aims = tuple(Goal(metric=m, direction=d) for m, d in (("acc", "maximize"), ("size", direction)))
    return Goals(objectives=aims, limits=(Limit(metric="size", operator="<=", bound=25.0),))


@pytest.mark.parametrize(("direction", "corner"), [("minimize", "below"), ("maximize", "above")])
def test_the_front_steps_at_what_is_attained_and_a_limit_is_a_line(direction: str, corner: str) -> None:
    sizes = [10.0, 20.0] if direction == "minimize" else [20.0, 10.0]
    found = []
    for number, (acc, size) in enumerate(zip((0.5, 0.9), sizes, strict=True)):
        trial = TrialView(number, state=TrialState.COMPLETED, value=acc, values={"acc": acc, "size": size})
        trial.front = True
        found.append(trial)
    found.append(TrialView(2, state=TrialState.COMPLETED, value=0.2, values={"acc": 0.2, "size": 30.0}))
    drawn = text(front_plot(found, metrics(direction), BOX)).splitlines()
    assert drawn[0].startswith("acc (maximize)") and f"size ({direction})" in drawn[-2]
    assert "limit" in drawn[-1] and "on the front (2)" in drawn[-1]
    dots = [line for line in drawn[1:-3] if "◆" in line]
    low_line = max(dots, key=drawn.index)
    level = sum(c not in " │┤◆" and not c.isdigit() and c != "." for c in low_line)
    assert len(dots) == 2 and level > 5, "between the two the worse one is attained"


BUSY = Timeline(
    slots=3,
    sessions=(0.0, 50.0),
    total_s=100.0,
    works=tuple(Work(slot=k % 2, number=k, start_s=10.0 * k, end_s=10.0 * k + 9, state=s) for k, s in
                enumerate(["completed", "pruned", "crashed", "lost", "interrupted", "running"])),
    gaps=(Gap(slot=2, start_s=0.0, end_s=100.0, reason="[red]no GPU\x1b[31m is free"),
          Gap(slot=0, start_s=50.0, end_s=90.0, reason="the run was paused")),
    busy_s=54.0,
    waited={"[red]no GPU\x1b[31m is free": 100.0, "the run was paused": 40.0},
    live=True,
)  # fmt: skip


def test_the_timeline_marks_each_gap_with_the_reason_and_says_who_waits_now() -> None:
    drawn = text(timeline_plot(BUSY, (100, 16))).splitlines()
    assert drawn[0].startswith("workers  busy 18% of their time")
    assert "worker 3" in drawn[3] and drawn[3].count("a") > 60 and drawn[1].count("b") > 20
    said = text(timeline_plot(BUSY, (100, 16)))
    assert "a 1m40 [red]no GPU" in " ".join(said.split()) and "b 40s the run was paused" in " ".join(
        said.split()
    )
    assert "worker 3 is free now: [red]no GPU" in said
    assert "20s" in drawn[4] and "40s" in drawn[4], "round times"


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
    lambda size: parallel_plot(lines_of([v for v in ODD if math.isfinite(v)]), "m\x1b[2J", 2, size),
    lambda size: parallel_plot(lines_of([]), "m", None, size),
    lambda size: front_plot([], metrics("minimize"), size),
    lambda size: front_plot(
        [TrialView(k, values={"acc": v, "size": -v}) for k, v in enumerate(ODD) if math.isfinite(v)],
        metrics("maximize"),
        size,
        5,
    ),
    lambda size: timeline_plot(timeline([]), size),
    lambda size: timeline_plot(BUSY, size, 2),
    lambda size: timeline_plot(BUSY.model_copy(update={"slots": 99, "total_s": 1e-12}), size, 1),
    lambda size: calibration_plot([Predicted(k, v, 1e-9, -v) for k, v in enumerate(ODD)], "m", size),
]


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_any_data_fits_any_box(size: tuple[int, int]) -> None:
    for draw in PLOTS:
        lines = draw(size)
        assert len(lines) == max(size[1], 1)
        assert {cell_len(plain(line)) for line in lines} == {max(size[0], 1)}
        assert not any(ord(c) < 32 for c in text(lines).replace("\n", ""))
