"""`tunesmith check --dry-run`: the start of one real trial in a temporary folder, and what it tells."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.api.checking import any_configuration
from tunesmith.goal_words import measured
from tunesmith.text.cleaning import log_tail
from tunesmith.text.durations import spelled_duration
from tunesmith.text.numbers import counted, metric
from tunesmith.trial import Outcome, TrialState

if TYPE_CHECKING:
    from tunesmith.objective import Objective
    from tunesmith.task import Task
    from tunesmith.tools.execution.base import Executor

LOG_CHARACTERS = 2000


@dataclass(frozen=True)
class DryRun:
    """What came of the start of one trial.

    Attributes:
        outcome: As a trial's; `pruned` where it was stopped after enough reports or seconds.
        reports: (step, value) in the order they arrived.
        seconds: Wall time from the start of the process to its end.
        step_s: Seconds from one report to the next, on average; None with fewer than two.
        log: The end of what the training printed, cleaned.
    """

    task: Task
    outcome: Outcome
    reports: tuple[tuple[int, float], ...]
    seconds: float
    step_s: float | None
    log: str

    @property
    def failed(self) -> bool:
        """Whether the training came to nothing."""
        return self.outcome.state not in (TrialState.COMPLETED, TrialState.PRUNED)

    @property
    def estimate_s(self) -> float | None:
        """Seconds for the whole budget, where the trial was trained to its end; None where it was not."""
        if self.outcome.state is not TrialState.COMPLETED:
            return None
        return self.seconds * self.task.budget.trials / self.task.workers

    def lines(self) -> list[str]:
        """What to tell a person; the cause and the end of the log where the training failed."""
        name = self.task.metric
        if self.failed:
            state = self.outcome.state.value.replace("_", " ")
            told = [f"the trial {state} after {spelled_duration(self.seconds)}: {self.outcome.message}"]
            log = self.log.splitlines()
            return told + ["its log ends with:", *(f"  {line}" for line in log)] * bool(log)
        told = []
        if self.reports:
            shown = ", ".join(f"{metric(value)} (step {step})" for step, value in self.reports[:6])
            told.append(f"reported {name} {shown}")
        if self.outcome.state is TrialState.COMPLETED:
            told.append(f"trained to its end in {spelled_duration(self.seconds)}: {self._result()}")
            told += [f"scores per item of {name} are kept" for name in self.outcome.items]
            told += self.outcome.notes if len(self.task.readings) > 1 else ()
        elif self.reports:
            told.append(f"stopped there, {spelled_duration(self.seconds)} after its start")
            if further := [name for name, _ in self.task.readings[1:]]:
                told.append(f"whether it gives {', '.join(further)} shows at its end, with more --steps")
            told += self.outcome.notes
        else:
            told.append(
                f"stopped after {spelled_duration(self.seconds)}, and no {name} was reported or returned by "
                f"then; give it longer with --seconds"
            )
        return told + self._estimate()

    def _result(self) -> str:
        """Every metric of the task, with the limits that it breaks; then what else there was."""
        values = self.outcome.values
        known = {one.name: one.mark for one in measured(self.task.goals, values)}
        named = [name for name, _ in self.task.readings]
        shown = [
            f"{name} {metric(values[name])}" + (f" ({mark})" if (mark := known.get(name)) else "")
            for name in named
        ]
        others = [f"{name} {metric(value)}" for name, value in values.items() if name not in named]
        if len(named) > 1 and others:
            shown[-1] += f"; and, not in the task, {', '.join(others[:10])}"
        return ", ".join(shown)

    def _estimate(self) -> list[str]:
        task, budget = self.task, self.task.budget
        how = f"{counted(budget.trials, 'trial')} at {counted(task.workers, 'worker')}"
        lines = []
        if self.estimate_s is not None:
            stops = ", less where trials are stopped" * (task.pruner.kind != "none")
            lines.append(f"{how}: about {spelled_duration(self.estimate_s)}{stops}")
        elif self.step_s is not None:
            ten = 10 * self.step_s * budget.trials / task.workers
            lines.append(
                f"{self.step_s:.2g} s a step: {how} take about {spelled_duration(ten)} "
                f"for every 10 steps of a trial"
            )
        if budget.trial_time_s is not None:
            most = budget.trial_time_s * budget.trials / task.workers
            lines.append(f"at most {spelled_duration(most)} by the limit of a trial's time")
        if budget.wall_time_s is not None:
            lines.append(f"ended after {spelled_duration(budget.wall_time_s)} by the budget's wall_time")
        return lines

    def as_data(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "state": self.outcome.state.value,
            "failed": self.failed,
            "message": self.outcome.message,
            "metric": self.task.metric,
            "values": self.outcome.values,
            "reports": [list(report) for report in self.reports],
            "seconds": round(self.seconds, 3),
            "seconds_a_step": self.step_s,
            "estimate_seconds": self.estimate_s,
            "log": self.log if self.failed else "",
        }


def dry_run(task: Task, executor: Executor, objective: Objective, *, reports: int, seconds: float) -> DryRun:
    """Train the default configuration for a while, as a trial is trained, and leave nothing behind.

    Args:
        executor: One that has room.
        reports: Values after which it is told to stop, at least 1.
        seconds: After how long it is stopped as well.
    Raises:
        ExecutorError: No process could be started.
    """
    from tunesmith.tools.execution.base import Job, Resources
    from tunesmith.tools.execution.trying import try_job

    with tempfile.TemporaryDirectory(prefix="tunesmith-dry-run-") as home:
        job = Job(
            number=0,
            folder=Path(home).resolve() / "trial",
            configuration=task.space.originals(any_configuration(task)),
            seed=task.seed % 2**31,
            metric=task.metric,
            reading=task.reading,
            further=task.readings[1:],
            objective=objective,
            resources=Resources(cpus=task.threads),
            time_limit_s=task.budget.trial_time_s,
        )
        tried = try_job(executor, job, reports=reports, seconds=seconds)
    times = tried.times[:reports]
    return DryRun(
        task=task,
        outcome=tried.outcome,
        reports=tried.reports[:reports],
        seconds=tried.seconds,
        step_s=(times[-1] - times[0]) / (len(times) - 1) if len(times) > 1 else None,
        log=log_tail(tried.log, LOG_CHARACTERS),
    )
