"""Trials as lines across one axis a hyperparameter and one for the metric: data for parallel coordinates.

Drawn by the terminal and the report alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from tunesmith.history import Direction
from tunesmith.space import Space
from tunesmith.space.choices import Listed
from tunesmith.space.numeric import Numeric
from tunesmith.text.charts import thin
from tunesmith.trial import Value

MOST_LINES = 200
MOST_TICKS = 12
BEST_SHARE = 0.1
"""Share of the trials that are told apart as the best ones; one at least."""
FENCE = 3.0
"""The metric's axis ends so many quartile distances outside the quartiles (Tukey's outer fences)."""


class ParallelAxis(NamedTuple):
    """One hyperparameter."""

    name: str
    ticks: tuple[tuple[float, str], ...]
    """(position in [0, 1], text): ends and middle of a range, or the choices."""
    listed: bool = False
    """Whether the ticks are its choices."""
    log: bool = False
    """Whether the range is on a logarithmic scale."""


class ParallelLine(NamedTuple):
    """One completed trial."""

    number: int
    positions: tuple[float | None, ...]
    """In [0, 1] by axis; None where the hyperparameter is inactive."""
    value: float
    best: bool
    """Whether it is among the best share."""


class Parallel(NamedTuple):
    """Lines, worst first, so that the best are drawn over the others."""

    axes: tuple[ParallelAxis, ...]
    lines: tuple[ParallelLine, ...]
    limits: tuple[float, float]
    """Ends of the metric's axis; a value outside belongs at the nearer end."""
    left_out: int
    """Trials without a line of their own, because there are very many."""


def parallel(
    space: Space,
    direction: Direction,
    trials: Iterable[tuple[int, Mapping[str, Value], float]],
    order: Sequence[str] = (),
    most: int = MOST_LINES,
) -> Parallel:
    """Lines of completed trials.

    Args:
        trials: (number, configuration, value) of each.
        order: Hyperparameters that come first, such as the most important ones; the rest follow.
        most: Lines; of more trials the best and evenly spaced others are kept.
    """
    sign = 1.0 if direction == "maximize" else -1.0
    names = [*(n for n in order if n in space.parameters), *(n for n in space.names if n not in order)]
    ranked = sorted(trials, key=lambda trial: (sign * trial[2], -trial[0]))
    best = min(best_count(len(ranked)), most // 2)
    others, top = ranked[: len(ranked) - best], ranked[len(ranked) - best :]
    kept = thin(others, max(most - best, 2))
    lines = [
        ParallelLine(
            number, tuple(position(space, n, configuration.get(n)) for n in names), value, place >= len(kept)
        )
        for place, (number, configuration, value) in enumerate((*kept, *top))
    ]
    return Parallel(
        axes=tuple(axis(space, name) for name in names),
        lines=tuple(lines),
        limits=fenced([value for _, _, value in ranked], keep=[value for _, _, value in top]),
        left_out=len(ranked) - len(lines),
    )


def best_count(trials: int) -> int:
    """How many of the trials are told apart as the best ones."""
    return max(1, round(BEST_SHARE * trials)) if trials else 0


def fenced(values: Sequence[float], keep: Sequence[float] = ()) -> tuple[float, float]:
    """Ends that leave out values so far off that showing them would flatten all others; (0, 1) for none.

    Args:
        keep: Values that are inside however far off they are.
    """
    if not values:
        return (0.0, 1.0)
    ordered = sorted(values)
    first, third = ordered[len(ordered) // 4], ordered[(3 * len(ordered)) // 4]
    reach = FENCE * (third / 2 - first / 2) * 2
    inside = [v for v in ordered if first - reach <= v <= third + reach] if reach > 0 else ordered
    return min([*inside, *keep]), max([*inside, *keep])


def axis(space: Space, name: str) -> ParallelAxis:
    """The axis of one hyperparameter: ends and middle of a range, or its choices at equal distances."""
    parameter = space.parameters[name]
    if isinstance(parameter, Listed):
        values = parameter.listed
        shown = thin(list(enumerate(values)), MOST_TICKS)
        ticks = tuple((_of_choices(k, len(values)), parameter.format(v)) for k, v in shown)
        return ParallelAxis(name, ticks, listed=True)
    if not isinstance(parameter, Numeric):
        return ParallelAxis(name, ())
    given = dict.fromkeys((parameter.low, parameter.from_unit(0.5), parameter.high))
    ticks = tuple((parameter.to_unit(value), parameter.format(value)) for value in given)
    return ParallelAxis(name, ticks, log=parameter.scale == "log")


def position(space: Space, name: str, value: Value | None) -> float | None:
    """Where a value is on its axis, in [0, 1]; None without one, and for one of another search space."""
    if value is None or name not in space.parameters:
        return None
    parameter = space.parameters[name]
    try:
        if isinstance(parameter, Listed):
            return _of_choices(parameter.index_of(value), len(parameter.listed))
        at = float(parameter.to_unit(value))
    except (KeyError, ValueError, TypeError):
        return None
    return at if 0.0 <= at <= 1.0 else None


def _of_choices(index: int, size: int) -> float:
    return index / (size - 1) if size > 1 else 0.5
