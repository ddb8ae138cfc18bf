"""Gathers what a report's pictures show from the records of a run; bounded, however many trials it has."""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith.beliefs import Beliefs
from tunesmith.events import Event
from tunesmith.history import History
from tunesmith.space.choices import Listed
from tunesmith.space.numeric import Numeric
from tunesmith.space.parameter import Parameter
from tunesmith.text.charts import thin
from tunesmith.tools.analysis.timeline import Timeline
from tunesmith.tools.analysis.timeline_builder import timeline
from tunesmith.tools.report.anonymous import Anonymous
from tunesmith.tools.report.picture_data import AxisPart, CurvePart, Pictures, PlacePart
from tunesmith.trial import Trial, Value

CURVES, POINTS = 60, 60
"""Curves, and points of each."""
PLACES = 300
"""Trials in slices, parallel coordinates, and predicted against actual."""
WORKS = 1000
"""Trials, and gaps, of the timeline."""


def pictures(
    history: History, events: Sequence[Event], text: Anonymous, beliefs: Beliefs | None = None
) -> Pictures | None:
    """None while no trial has run."""
    if not history.trials:
        return None
    curves = [t for t in history if t.curve]
    shown = _foremost(history, curves, CURVES)
    space = history.space
    return Pictures(
        axes=tuple(_axis(name, space.parameters[name], text) for name in space),
        places=tuple(
            PlacePart(
                number=trial.number,
                at=tuple(_position(p, trial.configuration.get(n)) for n, p in space.parameters.items()),
            )
            for trial in _foremost(history, [t for t in history if t.value is not None], PLACES)
        ),
        curves=tuple(CurvePart(number=t.number, points=tuple(thin(t.curve, POINTS))) for t in shown),
        curves_left=len(curves) - len(shown),
        timeline=_bounded(timeline(events), text),
        beliefs=beliefs,
    )


def _foremost(history: History, trials: Sequence[Trial], most: int) -> list[Trial]:
    """At most `most` of `trials`, by number: half of them the best, the others spread over the run."""
    if len(trials) <= most:
        return list(trials)
    valued = [t for t in trials if t.value is not None]
    best = sorted(valued, key=lambda t: -history.sign * (t.value or 0.0))[: most // 2]
    taken = {t.number for t in best}
    others = thin([t for t in trials if t.number not in taken], most - len(best))
    return sorted((*best, *others), key=lambda t: t.number)


def _axis(name: str, parameter: Parameter, text: Anonymous) -> AxisPart:
    if isinstance(parameter, Listed):
        values = parameter.listed
        shown = thin(list(enumerate(values)), 12)
        ticks = [(_of_choices(index, len(values)), parameter.format(value)) for index, value in shown]
    elif isinstance(parameter, Numeric):
        middle = parameter.from_unit(0.5)
        ends = (parameter.low, middle, parameter.high)
        ticks = [(parameter.to_unit(value), parameter.format(value)) for value in dict.fromkeys(ends)]
    else:
        ticks = []
    return AxisPart(name=text(name, 60), ticks=tuple((at, text(label, 40)) for at, label in ticks))


def _position(parameter: Parameter, value: Value | None) -> float | None:
    if value is None:
        return None
    if isinstance(parameter, Listed):
        return _of_choices(parameter.index_of(value), parameter.size)
    return min(max(float(parameter.to_unit(value)), 0.0), 1.0)


def _of_choices(index: int, size: int) -> float:
    return index / (size - 1) if size > 1 else 0.5


def _bounded(found: Timeline, text: Anonymous) -> Timeline | None:
    if not found.works:
        return None
    gaps = tuple(gap.model_copy(update={"reason": text(gap.reason, 200)}) for gap in found.gaps[-WORKS:])
    waited = {text(reason, 200): seconds for reason, seconds in found.waited.items()}
    return found.model_copy(update={"works": found.works[-WORKS:], "gaps": gaps, "waited": waited})
