"""One training started exactly as a trial is: same process, argv, cwd, stdin, environment, start method.

`try_training` hands one job to the local executor, which starts it by the code that starts every trial, so
there is no second way of starting that could differ:

    loaded = try_training(objective, task.metric, configuration, reports=0)      # load and start nothing
    first = try_training(objective, task.metric, configuration, reports=2)       # stop it after two reports
"""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tunesmith.errors import ExecutorError
from tunesmith.metric import Reading
from tunesmith.objective import Objective
from tunesmith.tools.execution.base import Continue, Executor, Job, Reported, Resources, Stop
from tunesmith.tools.execution.interpreter import with_interpreter
from tunesmith.tools.execution.local import LocalExecutor, StartMethod
from tunesmith.tools.execution.preload import discover
from tunesmith.tools.execution.sessions import GRACE_S
from tunesmith.tools.records.trial_folder import LOG
from tunesmith.trial import Outcome, TrialState

_POLL_S = 0.2


@dataclass(frozen=True)
class Tried:
    """What came of `try_training`."""

    outcome: Outcome
    """As a trial's would be; `pruned` where it was stopped after the reports that were asked for."""
    log: str
    """All that the training printed, up to the size of a trial's log; hostile text, not cleaned."""
    reports: tuple[tuple[int, float], ...]
    """(step, value) in the order they arrived."""
    seconds: float
    """Wall time from the start of the worker to its end."""
    start_method: str = ""
    """`fork` from a process that had loaded the libraries, or `spawn`: a new Python."""
    warnings: list[str] = field(default_factory=list)
    """What a run would warn of, such as a library that cannot be loaded in advance."""
    times: tuple[float, ...] = ()
    """Seconds from the start at which each report arrived."""


def try_training(
    objective: Objective,
    metric: str,
    configuration: Mapping[str, Any],
    *,
    reading: Reading | None = None,
    further: Sequence[tuple[str, Reading]] = (),
    reports: int | None,
    seed: int = 0,
    threads: int = 1,
    time_limit_s: float | None = None,
    preload: Sequence[str] | None = None,
    start_method: StartMethod = "auto",
) -> Tried:
    """Run one training as a trial runs, in a temporary trial folder, and say what came of it.

    Args:
        objective: The training code, with absolute paths (`Task.objective_ref`).
        configuration: As it receives it (`Space.originals`).
        reading: How the metric's value is read (`Task.reading`); None: by its name alone.
        further: Further metrics that a result must have (`Task.readings[1:]`).
        reports: After how many reports the verdict is to stop. 0: the function is loaded, or the command's
            program and script are looked for, and nothing is trained. None: it trains to its end.
        time_limit_s: As a trial's own limit; None for none.
        preload: As a task's; None: what the script imports, as in a run.
    Raises:
        ExecutorError: No process could be started.
    """
    objective = with_interpreter(objective)
    modules = discover(objective).modules if preload is None else preload
    with tempfile.TemporaryDirectory(prefix="tunesmith-try-") as home:
        job = Job(
            number=0,
            folder=Path(home).resolve() / "trial",
            configuration=dict(configuration),
            seed=seed,
            metric=metric,
            reading=reading or Reading(),
            further=tuple(further),
            objective=objective,
            resources=Resources(cpus=threads),
            time_limit_s=time_limit_s,
            load_only=reports == 0,
        )
        executor = LocalExecutor(1, modules, start_method=start_method, objective=objective)
        try:
            tried = try_job(executor, job, reports=reports)
        finally:
            executor.close()
    return replace(tried, start_method=executor.start_method, warnings=executor.warnings)


def try_job(
    executor: Executor,
    job: Job,
    *,
    reports: int | None,
    seconds: float | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Tried:
    """Run one job to its end on an executor that runs nothing else.

    Args:
        reports: As of `try_training`.
        seconds: After how long it is stopped as well; None: not by time. What has reported enough and does
            not ask for the verdict is ended after `GRACE_S`.
        should_stop: Asked a few times a second; True ends it now.
    Raises:
        ExecutorError: No process could be started.
        KeyboardInterrupt: Passed on after the job was killed.
    """
    arrived: list[tuple[int, float, float]] = []
    started = time.monotonic()
    until = None if seconds is None else started + seconds
    stopped = Outcome(state=TrialState.PRUNED)
    if (waits := executor.offer(job)) is not None:
        raise ExecutorError(f"no process can be started: {waits.text}.")
    outcome: Outcome | None = None
    try:
        while outcome is None:
            now = time.monotonic()
            if (until is not None and now >= until) or should_stop():
                executor.kill(job.number, stopped)
                until = now + GRACE_S
            for event in executor.events(_POLL_S if until is None else min(_POLL_S, max(0.0, until - now))):
                if isinstance(event, Reported):
                    arrived.append((event.step, event.value, time.monotonic() - started))
                    enough = reports is not None and len(arrived) >= reports
                    if enough and len(arrived) == reports:
                        until = min(until or math.inf, time.monotonic() + GRACE_S)
                    executor.answer(event.number, event.step, Stop() if enough else Continue())
                else:
                    outcome = event.outcome
    except BaseException:
        executor.kill(job.number, Outcome(state=TrialState.LOST, message="interrupted"))
        raise
    log = job.folder / LOG
    return Tried(
        outcome,
        log.read_bytes().decode(errors="replace") if log.is_file() else "",
        tuple((step, value) for step, value, _ in arrived),
        time.monotonic() - started,
        times=tuple(at for _, _, at in arrived),
    )
