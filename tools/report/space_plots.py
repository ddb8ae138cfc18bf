"""Pictures over the search space: slices, parallel coordinates; and predicted against actual values."""

from __future__ import annotations

from tunesmith.beliefs import HONEST, Beliefs, ParameterBelief
from tunesmith.text.numbers import counted
from tunesmith.tools.analysis.parallel import best_count
from tunesmith.tools.analysis.predicted import Predicted, within
from tunesmith.tools.report.data import ReportData, TrialLine
from tunesmith.tools.report.picture_data import Pictures, PlacePart
from tunesmith.tools.report.plot import value_range
from tunesmith.tools.report.shapes import Grid, Label, Picture, Scale, Shape, joined, kind_of, told

AXES = 12
"""Hyperparameters that are drawn, the most important first where that is known."""
CELL_WIDTH, CELL_HEIGHT, COLUMNS = 250.0, 190.0, 3
"""Of one slice, pixels."""


def slices(data: ReportData) -> Picture | None:
    """The metric along each hyperparameter: every trial, and the prediction with its band."""
    part, lines = data.pictures, _valued(data)
    if part is None or not lines:
        return None
    shown = _order(part)
    values = [line.value for line in lines.values() if line.value is not None]
    low, high = value_range(values, data.direction == "maximize")
    shapes: list[Shape] = []
    labels: list[Label] = []
    grid: list[Grid] = []
    for place, axis in enumerate(shown):
        left = 60.0 + CELL_WIDTH * (place % COLUMNS)
        top = 24.0 + CELL_HEIGHT * (place // COLUMNS)
        x = Scale(0.0, 1.0, left, left + CELL_WIDTH - 70)
        y = Scale(low, high, top + CELL_HEIGHT - 60, top)
        name = part.axes[axis].name
        labels.append(Label(left, top - 8, _short(name, 30), "start", "name"))
        grid.append(Grid(x.start, y.start, x.end, y.start, "axis"))
        labels += [Label(x.at(at), y.start + 16, _short(text, 8)) for at, text in _few(part.axes[axis].ticks)]
        for at, text in y.ticks():
            grid.append(Grid(x.start, at, x.end, at))
            if place % COLUMNS == 0:
                labels.append(Label(left - 6, at + 4, text, "end"))
        shapes += _predicted(_belief(part.beliefs, name), x, y)
        for each in part.places:
            line, position = lines.get(each.number), each.at[axis]
            if line is None or line.value is None or position is None:
                continue
            best = data.best is not None and line.number == data.best.trial
            css = f"{kind_of(line)}{' leading' if best else ''}"
            shapes.append(
                Shape(
                    "dot",
                    css,
                    x.at(position),
                    y.at(line.value),
                    5.0 if best else 3.0,
                    number=line.number,
                    title=told(line, data.metric),
                )
            )
    note = f"Each dot is a completed trial: {data.metric} upwards, one hyperparameter to the right."
    if part.beliefs is not None:
        note += " Line and band: what the surrogate predicts there, the others as in its best configuration."
    return Picture(
        key="slices",
        title="Slices",
        summary=f"{data.metric} along {counted(len(shown), 'hyperparameter')}",
        shapes=tuple(shapes),
        labels=tuple(labels),
        grid=tuple(grid),
        height=24.0 + CELL_HEIGHT * -(-len(shown) // COLUMNS),
        kinds=tuple(dict.fromkeys(kind_of(line) for line in lines.values())),
        note=note + _left(data, part) + _hidden(part, shown),
    )


def parallel(data: ReportData) -> Picture | None:
    """A line for each trial, from hyperparameter to hyperparameter to the metric."""
    part, lines = data.pictures, _valued(data)
    if part is None or len(lines) < 2:
        return None
    shown = _order(part)
    values = [line.value for line in lines.values() if line.value is not None]
    low, high = value_range(values, data.direction == "maximize")
    top, bottom = 40.0, 256.0
    metric = Scale(low, high, bottom, top)
    unit = Scale(0.0, 1.0, bottom, top)
    xs = [60.0 + index * 640.0 / len(shown) for index in range(len(shown) + 1)]
    grid = [Grid(x, top, x, bottom, "axis") for x in xs]
    labels = [Label(xs[-1], top - 20, _short(data.metric, 16), css="name")]
    labels += [Label(xs[-1] + 6, at + 4, text, "start") for at, text in metric.ticks()]
    for axis, x in zip(shown, xs, strict=False):
        labels.append(Label(x, top - 20, _short(part.axes[axis].name, max(5, 90 // len(shown))), css="name"))
        labels += [
            Label(x + 5, unit.at(at) + (12 if at < 0.5 else -2), _short(text, 9), "start")
            for at, text in _few(part.axes[axis].ticks)
        ]
    ranks = sorted(lines.values(), key=lambda line: line.value or 0.0, reverse=data.direction == "maximize")
    good = {line.number for line in ranks[: best_count(len(ranks))]}
    shapes = []
    for place in sorted(part.places, key=lambda place: place.number in good):  # the best on top
        line = lines.get(place.number)
        if line is None or line.value is None:
            continue
        points = [
            (x, unit.at(at)) for axis, x in zip(shown, xs, strict=False) if (at := place.at[axis]) is not None
        ]
        points.append((xs[-1], metric.at(line.value)))
        css = f"curve {kind_of(line)}{' leading' if line.number in good else ''}"
        title = told(line, data.metric)
        shapes.append(Shape("line", css, points=joined(points), number=line.number, title=title))
    return Picture(
        key="parallel",
        title="Parallel coordinates",
        summary=f"{counted(len(shapes), 'completed trial')} from hyperparameters to {data.metric}",
        shapes=tuple(shapes),
        labels=tuple(labels),
        grid=tuple(grid),
        kinds=tuple(dict.fromkeys(kind_of(line) for line in lines.values())),
        note="A line is a completed trial; thick: the best tenth. A hyperparameter that was not active is "
        f"passed over.{_left(data, part)}{_hidden(part, shown)}",
    )


def predicted(data: ReportData) -> Picture | None:
    """What was predicted of each trial against what it reached; None below three such trials."""
    part, lines = data.pictures, _valued(data)
    places: tuple[PlacePart, ...] = () if part is None else part.places
    numbers = [p.number for p in places if p.number in lines and lines[p.number].expected is not None]
    if part is None or len(numbers) < 3:
        return None
    chosen = [lines[number] for number in numbers]
    both = [v for line in chosen for v in (line.value, line.expected) if v is not None]
    low, high = value_range(both, data.direction == "maximize")
    left, right, top, bottom = 70.0, 500.0, 14.0, 256.0
    x, y = Scale(low, high, left, right), Scale(low, high, bottom, top)
    shapes = [Shape("line", "ideal", points=joined([(left, bottom), (right, top)]))]
    spread = [
        Predicted(line.number, line.expected, line.spread, line.value)
        for line in chosen
        if line.value is not None and line.expected is not None and line.spread
    ]
    known, inside = len(spread), within(spread, 1.0)
    for line in chosen:
        if line.value is None or line.expected is None:
            continue
        at, title = y.at(line.value), f"{told(line, data.metric)}; predicted {line.expected:.6g}"
        if line.spread:
            title += f" ± {line.spread:.2g}"
            ends = [
                (x.at(line.expected - line.spread), at),
                (x.at(line.expected + line.spread), at),
            ]
            shapes.append(Shape("line", "whisker", points=joined(ends), number=line.number, title=title))
        shapes.append(
            Shape("dot", kind_of(line), x.at(line.expected), at, 3.5, number=line.number, title=title)
        )
    told_share = (
        f" {inside} of {known} within one stated spread, where about {HONEST[0]:.0%} should be."
        if known
        else ""
    )
    return Picture(
        key="predicted",
        title="Predicted against actual",
        summary=f"{counted(len(chosen), 'trial')}.{told_share}",
        shapes=tuple(shapes),
        labels=tuple(
            [Label(at, bottom + 20, text) for at, text in x.ticks()]
            + [Label(left - 8, at + 4, text, "end") for at, text in y.ticks()]
            + [Label((left + right) / 2, bottom + 38, f"predicted {_short(data.metric, 30)}")]
        ),
        grid=tuple(Grid(left, at, right, at) for at, _ in y.ticks()),
        note="To the right what was predicted before the trial ran, with its spread; upwards its value. "
        f"On the line they are equal.{told_share}{_left(data, part)}",
    )


def _valued(data: ReportData) -> dict[int, TrialLine]:
    return {line.number: line for line in data.trials if line.value is not None and line.counts}


def _order(part: Pictures) -> list[int]:
    """Indices of the axes that are drawn."""
    order = list(range(len(part.axes)))
    if part.beliefs is not None:
        rank = {belief.name: place for place, belief in enumerate(part.beliefs.parameters)}
        order.sort(key=lambda index: rank.get(part.axes[index].name, len(rank)))
    return order[:AXES]


def _belief(beliefs: Beliefs | None, name: str) -> ParameterBelief | None:
    return None if beliefs is None else next((p for p in beliefs.parameters if p.name == name), None)


def _predicted(belief: ParameterBelief | None, x: Scale, y: Scale) -> list[Shape]:
    """Line and band of a slice; choices are at equal distances, as on the axis."""
    if belief is None or belief.slice is None or len(belief.slice.positions) < 2:
        return []
    found = belief.slice
    last = max(found.positions)
    at = [x.at(p / last if last > 1 else p) for p in found.positions]
    upper = [(a, y.at(v)) for a, v in zip(at, found.high, strict=True)]
    lower = [(a, y.at(v)) for a, v in zip(at, found.low, strict=True)]
    mean = [(a, y.at(v)) for a, v in zip(at, found.mean, strict=True)]
    return [
        Shape("area", "band", points=joined([*upper, *reversed(lower)])),
        Shape("line", "best", points=joined(mean)),
    ]


def _few(ticks: tuple[tuple[float, str], ...]) -> list[tuple[float, str]]:
    """Ends and middle of many."""
    return list(ticks) if len(ticks) <= 3 else [ticks[0], ticks[len(ticks) // 2], ticks[-1]]


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _left(data: ReportData, part: Pictures) -> str:
    left = len(_valued(data)) - len(part.places)
    return (
        f" {counted(left, 'completed trial')} left out: half of those drawn are the best." if left > 0 else ""
    )


def _hidden(part: Pictures, shown: list[int]) -> str:
    left = len(part.axes) - len(shown)
    return f" {counted(left, 'hyperparameter')} not drawn." if left else ""
