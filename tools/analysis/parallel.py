"""Trials as lines across one axis a hyperparameter and one for the metric: data for parallel coordinates.

Drawn by the terminal and the report alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from tunesmith.history import Direction
from tunesmith.space import Space
from tunesmith.text.charts import thin
from tunesmith.trial import Value

MOST_LINES = 200
MOST_TICKS = 8
BEST_SHARE = 0.1
"""Share of the trials that are told apart as the best ones; one at least."""
FENCE = 3.0
"""The metric's axis ends so many quartile distances outside the quartiles (Tukey's outer fences)."""


class ParallelAxis(NamedTuple):
    """One hyperparameter."""

    name: str
    ticks: tuple[tuple[float, str], ...]
    """(position in [0, 1], text): ends and middle of a range, or the choices."""


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
    best = max(1, min(round(BEST_SHARE * len(ranked)), most // 2)) if ranked else 0
    others, top = ranked[: len(ranked) - best], ranked[len(ranked) - best :]
    kept = thin(others, max(most - best, 2))
    lines = [
        ParallelLine(number, _positions(space, names, configuration), value, place >= len(kept))
        for place, (number, configuration, value) in enumerate((*kept, *top))
    ]
    return Parallel(
        axes=tuple(_axis(space, name) for name in names),
        lines=tuple(lines),
        limits=fenced([value for _, _, value in ranked], keep=[value for _, _, value in top]),
        left_out=len(ranked) - len(lines),
    )


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


def _axis(space: Space, name: str) -> ParallelAxis:
    parameter = space.parameters[name]
    if parameter.size is not None and parameter.size <= MOST_TICKS:
        values = [parameter.value_at(index) for index in range(parameter.size)]
        return ParallelAxis(name, tuple((parameter.to_unit(v), parameter.format(v)) for v in values))
    at = (0.0, 0.5, 1.0)
    return ParallelAxis(name, tuple((u, parameter.format(parameter.from_unit(u))) for u in at))


def _positions(
    space: Space, names: Sequence[str], configuration: Mapping[str, Value]
) -> tuple[float | None, ...]:
    return tuple(position(space, name, configuration.get(name)) for name in names)


def position(space: Space, name: str, value: Value | None) -> float | None:
    """Where a value is in its range, in [0, 1]; None without one, and for one of another search space."""
    if value is None:
        return None
    try:
        at = space.parameters[name].to_unit(value)
    except (KeyError, ValueError, TypeError):
        return None
    return at if 0.0 <= at <= 1.0 else None
