"""When to ask the policy. It costs money or time, so it is asked for a reason, not after every trial.

start, resumed     the run begins, or goes on after an interruption
trials_finished    as many trials ended as the policy wanted to wait for
plateau            no better feasible value, or no change of the Pareto front, for a while; once per plateau
surprise           a trial came out far from what was predicted
failures           two failed in a row, or three of the last five
"""

from __future__ import annotations

from collections import deque

import numpy as np

from tunesmith.history import History
from tunesmith.progress import Progress
from tunesmith.trial import Trial, TrialState

PLATEAU_AFTER = 8
"""Trials without a material improvement that make a plateau."""
MATERIAL = 0.02
"""Share of the scores' interquartile range that the incumbent must gain for it to count as moved."""
SURPRISE = 2.5
"""Predicted standard deviations between expectation and value that make a surprise."""
MIN_BETWEEN = 2
"""Finished trials before a surprise asks the policy again, so that a run costs a handful of turns."""
FAILURES_IN_ROW = 2
FAILURES_OF_LAST = (3, 5)


class Triggers:
    """Collects reasons to ask the policy; each is given once.

    The engine tells it of starts and ends, and asks `due` in every turn of its loop.
    """

    def __init__(self, *, plateau_after: int = PLATEAU_AFTER) -> None:
        self._plateau_after = plateau_after
        self._beginning: str | None = None
        self._finished = 0
        self._surprised = self._failing = self._changed = False
        self._recent: deque[bool] = deque(
            maxlen=FAILURES_OF_LAST[1]
        )  # whether each failed, by order of ending
        self._plateau_of: int | None = None  # the trial whose plateau was announced

    def started(self, *, resumed: bool) -> None:
        self._beginning = "resumed" if resumed else "start"

    def finished(self, trial: Trial, surprise: float | None) -> None:
        """A trial ended; `surprise` as in TrialFinished."""
        if trial.state is TrialState.LOST:
            return  # no information about the search; it is run again
        self._finished += 1
        self._changed = True
        self._surprised |= surprise is not None and abs(surprise) > SURPRISE
        self._recent.append(trial.state.failed)
        if trial.state.failed:
            in_row = list(self._recent)[-FAILURES_IN_ROW:]
            self._failing |= (len(in_row) == FAILURES_IN_ROW and all(in_row)) or sum(
                self._recent
            ) >= FAILURES_OF_LAST[0]

    def due(self, history: History, wake_after: int) -> tuple[str, ...]:
        """Why to ask the policy now; empty when there is no reason.

        Asking counts as waking: reasons given are used up.

        Args:
            wake_after: After how many finished trials the policy is to be asked again.
        """
        plateau = self._new_plateau(history)
        reasons = {
            "trials_finished": self._finished >= wake_after,
            "plateau": plateau is not None,
            "surprise": self._surprised and self._finished >= MIN_BETWEEN,
            "failures": self._failing,
        }
        begun = () if self._beginning is None else (self._beginning,)
        due = (*begun, *(reason for reason, holds in reasons.items() if holds))
        if due:
            self._beginning, self._finished, self._surprised = None, 0, False
            if self._failing:
                self._failing = False
                self._recent.clear()  # the policy is shown these; only new failures ask it again
            if plateau is not None:
                self._plateau_of = plateau
        return due

    def _new_plateau(self, history: History) -> int | None:
        if not self._changed and self._beginning is None:
            return None  # asked ten times a second; the answer changes only with the history
        self._changed = False
        anchor = plateau(history, self._plateau_after)
        return None if anchor == self._plateau_of else anchor


def plateau(history: History, after: int = PLATEAU_AFTER) -> int | None:
    """The trial that last brought the search materially forward, if at least `after` trials ended since.

    What a step forward is, `progress.py` says. Completed and pruned trials count; failed and lost ones are
    left out.

    Returns:
        That trial's number, or None while there is no plateau.
    """
    progress, since = Progress(history.goals, _material(history)), 0
    for trial in sorted(
        history.completed + history.pruned, key=lambda t: (t.started_at + t.seconds, t.number)
    ):
        since += 1
        if trial.value is not None and progress.add(trial):
            since = 0
    return progress.last.number if progress.last is not None and since >= after else None


def _material(history: History) -> dict[str, float]:
    """By how much each metric must be better to count, metric units."""
    if len(history.completed) < 2:
        return {}
    material = {}
    for place, goal in enumerate(history.goals.objectives):
        values = history.scores if place == 0 else [t.values[goal.metric] for t in history.completed]
        low, high = np.percentile(values, (25, 75))
        material[goal.metric] = MATERIAL * float(high - low)
    return material
