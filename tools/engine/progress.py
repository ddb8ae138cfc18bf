"""Says how far a run is and how long the rest may take: when a trial has ended, and once a minute."""

from __future__ import annotations

import time

from tunesmith.budget import Spend
from tunesmith.events import Progress
from tunesmith.history import History
from tunesmith.interfaces import Emit
from tunesmith.task import Task
from tunesmith.time_left import mean_seconds, seconds_left

EVERY_S = 60.0
"""At least so often something is stored, so that a killed session has the time on record that it took."""


class ProgressTeller:
    """Used from the engine's thread.

    Args:
        history: The trials of earlier sessions.
    """

    def __init__(self, task: Task, history: History, emit: Emit) -> None:
        self._task, self._emit = task, emit
        self._ended = len(history.finished)
        self._began: dict[int, float] = {}  # monotonic clock, by number of a running trial
        self._last = time.monotonic()

    def take_task(self, task: Task) -> None:
        """Tell of a changed task at the next look."""
        self._task, self._ended = task, -1

    def look(self, history: History, spend: Spend) -> None:
        """Tell what has changed; called at every turn of the loop."""
        now = time.monotonic()
        running = {trial.number for trial in history.pending}
        self._began = {number: self._began.get(number, now) for number in running}
        ended = len(history.finished)
        if ended == self._ended and now - self._last < EVERY_S:
            return
        self._ended, self._last = ended, now
        budget = self._task.budget
        to_start = max(budget.trials - spend.trials, 0)
        affordable = self._affordable(history)
        if affordable is not None and affordable < to_start:
            to_start = affordable
        else:
            affordable = None
        left = seconds_left(
            history,
            to_start=to_start,
            running_s=[now - began for began in self._began.values()],
            workers=self._task.workers,
        )
        needed = None
        if left is not None and budget.wall_time_s is not None:
            within = max(budget.wall_time_s - spend.seconds, 0.0)
            left, needed = (within, left) if within < left else (left, None)
        mean, confirm = mean_seconds(history), self._task.confirm
        after = None
        if confirm is not None and mean is not None:
            after = mean * 2 * confirm.looks(budget.trials)[0] / self._task.workers
        self._emit(
            Progress(
                done=spend.trials - len(running),
                total=budget.trials,
                running=len(running),
                workers=self._task.workers,
                seconds=spend.seconds,
                left_s=left,
                needed_s=needed,
                comparison_s=after,
                cost=history.cost if any(trial.cost is not None for trial in history.every) else None,
                cost_total=budget.cost,
                affordable=affordable,
            )
        )

    def _affordable(self, history: History) -> int | None:
        """How many more trials the budget of costs has room for at the mean cost so far."""
        budget = self._task.budget.cost
        costs = [trial.cost for trial in history.every if trial.cost is not None]
        if budget is None or not costs:
            return None
        return max(int((budget - history.cost) * len(costs) / sum(costs)), 0)
