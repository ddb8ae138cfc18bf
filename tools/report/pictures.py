"""Gathers what a report's pictures show from the records of a run; bounded, however many trials it has."""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith.beliefs import Beliefs
from tunesmith.events import Event
from tunesmith.history import History
from tunesmith.text.charts import thin
from tunesmith.tools.analysis.parallel import ParallelAxis, axis, position
from tunesmith.tools.analysis.timeline import Timeline
from tunesmith.tools.analysis.timeline_builder import timeline
from tunesmith.tools.report.anonymous import Anonymous
from tunesmith.tools.report.picture_data import AxisPart, CurvePart, Pictures, PlacePart
from tunesmith.trial import Trial

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
        axes=tuple(_axis(axis(space, name), text) for name in space),
        places=tuple(
            PlacePart(
                number=trial.number,
                at=tuple(position(space, name, trial.configuration.get(name)) for name in space),
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


def _axis(found: ParallelAxis, text: Anonymous) -> AxisPart:
    return AxisPart(
        name=text(found.name, 60), ticks=tuple((at, text(label, 40)) for at, label in found.ticks)
    )


def _bounded(found: Timeline, text: Anonymous) -> Timeline | None:
    if not found.works:
        return None
    gaps = tuple(gap.model_copy(update={"reason": text(gap.reason, 200)}) for gap in found.gaps[-WORKS:])
    waited = {text(reason, 200): seconds for reason, seconds in found.waited.items()}
    return found.model_copy(update={"works": found.works[-WORKS:], "gaps": gaps, "waited": waited})
