"""Learning curves over one another: of trials that run or were marked, with the incumbent's beside them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

from tunesmith.text import numbers
from tunesmith.tools.analysis.parallel import fenced
from tunesmith.trial import TrialState
from tunesmith.tui.canvas.chart import Axes, Plane, chart
from tunesmith.tui.canvas.scale import Scale, wants_log
from tunesmith.tui.plots.empty import empty
from tunesmith.tui.spans import Role, Span, Spans
from tunesmith.tui.trial_view import STATES, TrialView

MOST_CURVES = 10
LETTERS = "abcdefghijklmnopqrstuvwxyz"
MARK_EVERY = 14
"""Columns between two marks of one curve."""
MOST_POINTS = 1_024
"""Of one curve as it is kept for drawing: smallest and largest value of each of half as many stretches."""
Point = tuple[float, float]


@dataclass(frozen=True)
class Curve:
    """One trial's curve, reduced to what can be seen."""

    number: int
    points: tuple[Point, ...]
    state: TrialState
    best: bool


def chosen_curves(
    trials: Mapping[int, TrialView], running: Iterable[int], marked: Collection[int], best: int | None
) -> list[TrialView]:
    """The trials whose curves are shown: the incumbent, then marked ones, then those that run, then new ones.

    The newest only where nothing runs and nothing is marked, so that there is something to compare.
    """
    first: list[int] = [] if best is None else [best]
    wanted: list[int] = list(dict.fromkeys([*first, *marked, *sorted(running)]))
    found = [trials[n] for n in wanted if n in trials and trials[n].curve][:MOST_CURVES]
    if len(found) <= 1:
        known = {trial.number for trial in found}
        for number in reversed(list(trials)):
            if len(found) >= 5:
                break
            if number not in known and len(trials[number].curve) > 1:
                found.append(trials[number])
    return found


def reduced(curve: Sequence[tuple[int, float]], most: int = MOST_POINTS) -> tuple[Point, ...]:
    """The finite points of a curve; of very many the extremes of each stretch, so that no peak is lost."""
    points = [(float(step), value) for step, value in curve if isfinite(value)]
    if len(points) <= most:
        return tuple(points)
    stretches = most // 2
    kept: list[Point] = []
    for k in range(stretches):
        part = points[k * len(points) // stretches : (k + 1) * len(points) // stretches]
        ends = {min(part, key=lambda p: p[1]), max(part, key=lambda p: p[1])}
        kept += sorted(ends)
    return (points[0], *kept[1:-1], points[-1])


class CurveStore:
    """Reduced curves, reduced again only when the trial has reported since."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[int, tuple[Point, ...]]] = {}

    def curves(self, trials: Iterable[TrialView]) -> list[Curve]:
        """The curves of these trials; of others nothing is kept."""
        found, known = [], {}
        for trial in trials:
            length, points = self._known.get(trial.number, (-1, ()))
            if length != len(trial.curve):
                length, points = len(trial.curve), reduced(trial.curve)
            known[trial.number] = length, points
            found.append(Curve(trial.number, points, trial.state, trial.best))
        self._known = known
        return found


def curves_plot(
    curves: Sequence[Curve], metric: str, size: tuple[int, int], *, log: bool | None = None
) -> list[Spans]:
    """Curves over one another, each with a letter of its own on it; the incumbent's has a star.

    Args:
        log: Whether the values have a logarithmic scale; None: where they span many powers of ten.
    """
    curves = [curve for curve in curves if curve.points][:MOST_CURVES]
    if not curves:
        return empty(size, "no trial has reported a learning curve yet")
    values = [value for curve in curves for _, value in curve.points]
    log = wants_log(values) if log is None else log and max(values) > 0
    keep = [curve.points[-1][1] for curve in curves if curve.state is not TrialState.DIVERGED]
    low, high = (min(values), max(values)) if log else fenced(values, keep)
    off = sum(not low <= value <= high for value in values)
    steps = [step for curve in curves for step, _ in curve.points]
    axes = Axes(
        x=Scale.of(steps, margin=0.0),
        y=Scale.of([v for v in values if low <= v <= high], log=log),
        x_name="step",
        y_name=f"{metric} as reported",
        note=f"{numbers.counted(off, 'point')} off the scale" if off else "",
    )
    marks = _marks(curves)

    def draw(plane: Plane) -> None:
        for curve in reversed(curves):
            mark, role = marks[curve.number]
            dots = plane.path(curve.points, role, every=1 if curve.best else 2)
            if len(dots) > 1:
                _letter(plane, dots, mark, role, curves.index(curve))
        for curve in reversed(curves):
            mark, role = marks[curve.number]
            end = plane.clipped(*curve.points[-1])
            if end is not None:
                x = end.x
                while plane.canvas.marked(x, end.y) and x >= 2:
                    x -= 2  # another curve ends here: its letter stays
                plane.canvas.mark(x, end.y, mark, role)

    return chart(size, axes, draw, [_entry(curve, *marks[curve.number]) for curve in curves])


def _marks(curves: Sequence[Curve]) -> dict[int, tuple[str, Role]]:
    roles: tuple[Role, ...] = ("accent", "model", "good", "warn", "bad", "")
    found: dict[int, tuple[str, Role]] = {}
    for curve in curves:
        place = len(found) - any(mark == "★" for mark, _ in found.values())
        found[curve.number] = ("★", "best") if curve.best else (LETTERS[place], roles[place % len(roles)])
    return found


def _letter(plane: Plane, dots: Sequence[Point], mark: str, role: Role, place: int) -> None:
    """Put the mark along the curve, at other columns than the neighbours' marks."""
    columns = 2 * MARK_EVERY
    wanted = (4 * place + 6) % columns
    for (x0, y0), (x1, y1) in zip(dots, dots[1:], strict=False):
        if x1 <= x0:
            continue
        start = int(x0) + (wanted - int(x0)) % columns
        for x in range(start, int(x1), columns):
            y = round(y0 + (y1 - y0) * (x - x0) / (x1 - x0))
            if not plane.canvas.marked(x, y):
                plane.canvas.mark(x, y, mark, role)


def _entry(curve: Curve, mark: str, role: Role) -> Spans:
    _, word, state_role = STATES[curve.state]
    last: Span = (f" {numbers.metric(curve.points[-1][1])}", "")
    state: Span = ("", "") if curve.state is TrialState.COMPLETED else (f" {word}", state_role)
    return ((mark, role), (f" #{curve.number}", "strong"), last, state)
