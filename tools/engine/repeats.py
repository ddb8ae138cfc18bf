"""Configurations trained again on fresh seeds: for the comparison, and to deliver the best.

Each run has a folder of its own, and one that is done counts as done when it is asked for again, so that
what was interrupted goes on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tunesmith.errors import ExecutorError
from tunesmith.events import Confirmed, Degraded
from tunesmith.interfaces import Emit
from tunesmith.items import Items
from tunesmith.metric import Reading
from tunesmith.objective import Objective
from tunesmith.outcome import json_object
from tunesmith.task import Task
from tunesmith.tools.analysis.compare_goals import unpacked
from tunesmith.tools.execution.base import Continue, Executor, Finished, Job, Reported, Resources
from tunesmith.tools.records.atomic_write import write_atomic
from tunesmith.tools.records.plain_files import read_plain
from tunesmith.tools.records.trial_folder import (
    CONFIG,
    LARGEST_RECORD,
    discard_attempt,
    make_trial_folder,
    recorded_outcome,
    take_secrets_out_of_record,
)
from tunesmith.trial import Configuration, Outcome, TrialState


@dataclass(frozen=True)
class Repeat:
    """One configuration on one seed."""

    name: str
    configuration: Configuration
    seed: int
    folder: Path
    objective: str
    """Which training code, as the task names it."""

    @property
    def outcome(self) -> Outcome | None:
        """How it ended; a run of another configuration, seed or code in this folder counts as not done."""
        try:
            made_for = json_object(read_plain(self.folder / CONFIG, LARGEST_RECORD))
        except (OSError, ValueError):
            return None
        outcome = recorded_outcome(self.folder)
        lost = outcome is None or outcome.state is TrialState.LOST
        return None if lost or made_for != self.identity else outcome

    def value(self, metric: str) -> float | None:
        """None where it is not done, or failed."""
        outcome = self.outcome
        return outcome.values.get(metric) if outcome and outcome.state is TrialState.COMPLETED else None

    def items(self, metric: str) -> Items | None:
        """Scores by item behind a metric; None where it is not done, failed, or gave none."""
        outcome = self.outcome
        completed = outcome is not None and outcome.state is TrialState.COMPLETED
        return unpacked(outcome.items.get(metric)) if completed and outcome is not None else None

    @property
    def identity(self) -> dict[str, object]:
        return {
            "digest": self.configuration.digest,
            "seed": self.seed,
            "objective": self.objective,
            "values": dict(self.configuration),
        }


class Repeats:
    """Trains them.

    Args:
        purpose: What they are for, in messages, such as `the comparison`.
        emit: Called with `Confirmed` after each, and with `Degraded` for one that could not start.
        should_stop: Asked between events; True ends it early, resumably.
    """

    def __init__(
        self,
        task: Task,
        executor: Executor,
        emit: Emit,
        purpose: str,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self.task, self.executor, self._emit = task, executor, emit
        self._purpose, self._should_stop = purpose, should_stop
        self._resources = Resources(cpus=task.threads)

    def train(self, repeats: Sequence[Repeat], metric: str, objective: Objective) -> bool:
        """Train those that are not done; False where it was stopped.

        Raises:
            KeyboardInterrupt: Passed on after the running jobs were killed.
        """
        waiting = [repeat for repeat in repeats if repeat.outcome is None]
        running: set[int] = set()
        folders: dict[int, Path] = {}
        total, done = len(repeats), len(repeats) - len(waiting)
        number = 0
        try:
            while waiting or running:
                if self._should_stop():
                    return False
                while waiting and self.executor.room(self._resources) is None:
                    repeat = waiting.pop(0)
                    number -= 1
                    match self._start(number, repeat, metric, objective):
                        case "running":
                            running.add(number)
                            folders[number] = repeat.folder
                        case "waits":
                            waiting.insert(0, repeat)
                            break
                        case "failed":
                            done += 1
                for event in self.executor.events(0.1):
                    if isinstance(event, Reported):
                        self.executor.answer(event.number, event.step, Continue())
                    elif isinstance(event, Finished):
                        running.discard(event.number)
                        take_secrets_out_of_record(folders[event.number])
                        done += 1
                        self._emit(Confirmed(done=done, total=total))
            return True
        finally:
            for left in running:
                lost = Outcome(state=TrialState.LOST, message=f"{self._purpose} was interrupted")
                self.executor.kill(left, lost)

    def _further(self, metric: str) -> tuple[tuple[str, Reading], ...]:
        """What else is read of a run: the task's further metrics, and its primary one if a limit is on it."""
        task = self.task
        limited = {limit.metric for limit in task.limits}
        first = () if metric == task.metric or task.metric not in limited else task.readings[:1]
        return tuple((name, how) for name, how in (*first, *task.readings[1:]) if name != metric)

    def _start(
        self, number: int, repeat: Repeat, metric: str, objective: Objective
    ) -> Literal["running", "waits", "failed"]:
        _prepare(repeat)
        job = Job(
            number=number,
            folder=repeat.folder,
            configuration=self.task.space.originals(repeat.configuration),
            seed=repeat.seed,
            metric=metric,
            reading=self.task.reading
            if metric == self.task.metric
            else Reading(maximize=self.task.direction == "maximize"),
            further=self._further(metric),
            further_needed=False,
            judged=False,
            objective=objective,
            time_limit_s=self.task.budget.trial_time_s,
            resources=self._resources,
        )
        try:
            waits = self.executor.offer(job)
        except ExecutorError as error:
            where = f"{repeat.folder.parent.name}/{repeat.folder.name}"
            how = "this run counts as failed"
            self._emit(Degraded(what="warning", where=where, cause=str(error)[:500], continuation=how))
            return "failed"
        return "running" if waits is None else "waits"


def _prepare(repeat: Repeat) -> None:
    make_trial_folder(repeat.folder)
    discard_attempt(repeat.folder)
    write_atomic(repeat.folder / CONFIG, json.dumps(repeat.identity).encode())
