"""Whether the model has stopped exploring: the same scores again, dimensions it no longer moves, corners.

In upstream's recorded runs 29.5 % of the trials repeat a score seen before and 35 % of the coordinates lie
within 2 % of a bound; the last 20 of 25 trials of one run differ in one parameter only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tunesmith.history import History
from tunesmith.trial import Origin, Trial

WINDOW = 8
"""Latest completed trials of the model that are looked at; fewer than this many say nothing."""
REPEATED, FROZEN, CORNERS = 0.5, 0.6, 0.7
"""Shares from which it is called a collapse: of trials, of dimensions, of coordinates."""
STILL = 0.01
"""A dimension is frozen when it moves by less than this share of its range within the window."""
NEAR_BOUND = 0.02
"""As near to a bound, as a share of the range, counts as on it."""


@dataclass(frozen=True)
class Collapse:
    """Shares in [0, 1] over the window; all zero while there are too few trials to tell."""

    repeated: float = 0.0
    """Of trials: with exactly the score of an earlier trial."""
    frozen: float = 0.0
    """Of dimensions that can move: those that do not."""
    corners: float = 0.0
    """Of the coordinates of numbers: on a bound."""

    @property
    def reasons(self) -> tuple[str, ...]:
        """What is wrong, in words; empty while the model explores."""
        found = []
        if self.repeated >= REPEATED:
            found.append(f"{self.repeated:.0%} of the model's last {WINDOW} trials repeat an earlier score")
        if self.frozen >= FROZEN:
            found.append(f"{self.frozen:.0%} of the dimensions did not move in them")
        if self.corners >= CORNERS:
            found.append(f"{self.corners:.0%} of their coordinates lie on a bound")
        return tuple(found)


def collapse(history: History) -> Collapse:
    """How far the model's latest trials have collapsed."""
    window = [t for t in history.completed if t.proposal.origin is Origin.MODEL][-WINDOW:]
    if len(window) < WINDOW:
        return Collapse()
    rows, active = history.encoded(tuple(window))
    space = history.space
    movable = np.array([space.parameters[column.parameter].size != 1 for column in space.columns])
    numeric = np.array([not space.parameters[column.parameter].one_hot for column in space.columns])
    wide = np.array([(space.parameters[column.parameter].size or 99) > 8 for column in space.columns])
    moved = np.where(active, rows, np.nan)
    with np.errstate(invalid="ignore"):
        spread = np.array([np.ptp(c[~np.isnan(c)]) if (~np.isnan(c)).sum() > 1 else np.nan for c in moved.T])
    known = movable & ~np.isnan(spread)
    frozen = float((spread[known] < STILL).mean()) if known.sum() > 1 else 0.0
    # Lists and short ranges have their few values at the ends as a matter of course.
    places = active & (numeric & wide & movable)[None, :]
    at_bound = (rows < NEAR_BOUND) | (rows > 1 - NEAR_BOUND)
    corners = float(at_bound[places].mean()) if places.any() else 0.0
    return Collapse(_repeated(history, window), frozen, corners)


def _repeated(history: History, window: list[Trial]) -> float:
    seen: set[float] = set()
    repeats = 0
    numbers = {trial.number for trial in window}
    for trial in history.completed:
        assert trial.value is not None, "a completed trial has a value"
        repeats += trial.number in numbers and trial.value in seen
        seen.add(trial.value)
    return repeats / len(window)
