"""The part of a report that its pictures need beside the trials: axes, learning curves, the timeline."""

from __future__ import annotations

from tunesmith.beliefs import Beliefs
from tunesmith.tools.analysis.timeline import Timeline
from tunesmith.tools.report.part import ReportPart, unless_empty


class AxisPart(ReportPart):
    """The range of one hyperparameter, as [0, 1]."""

    name: str
    ticks: tuple[tuple[float, str], ...]
    """(position, text): low end, middle and high end of a numeric one, or its choices."""


class PlacePart(ReportPart):
    """Where the configuration of one trial is on each axis."""

    number: int
    at: tuple[float | None, ...]
    """In [0, 1], in the order of the axes; None for a hyperparameter that is not active."""


class CurvePart(ReportPart):
    """The learning curve of one trial, thinned."""

    number: int
    points: tuple[tuple[int, float], ...]
    """(step, value as reported)"""


class Pictures(ReportPart):
    """What the pictures show; how much is left out of a large run is said beside each."""

    axes: tuple[AxisPart, ...] = ()
    places: tuple[PlacePart, ...] = ()
    """Of at most `pictures.PLACES` trials with a value: the best of them, and all that led once."""
    curves: tuple[CurvePart, ...] = ()
    """Of at most `pictures.CURVES` trials."""
    curves_left: int = 0
    """Trials with a curve that is not in `curves`."""
    timeline: Timeline | None = None
    """At most `pictures.WORKS` trials of it, the latest."""
    beliefs: Beliefs | None = unless_empty(None)
    """What the run believed at its end; None where nobody asked for it."""
