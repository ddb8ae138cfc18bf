"""Starts trials and brings each to its end, in an order that loses nothing.

    config.json -> study (running) -> job offered        a trial starts
    result.json (by the worker) -> study -> event        a trial ends

A kill between any two of these steps leaves what `RunStore.load` can finish.
"""

from __future__ import annotations

import logging
import math
import re
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tunesmith.errors import ExecutorError
from tunesmith.events import Noted, TrialFinished, TrialReported, TrialStarted, TrialWaits
from tunesmith.history import History
from tunesmith.interfaces import Emit
from tunesmith.objective import Objective
from tunesmith.seeds import derive_seed
from tunesmith.steering.faults import CannotSteer
from tunesmith.task import Task
from tunesmith.tools.analysis.collapse import collapse_texts
from tunesmith.tools.analysis.crashes import KILLED
from tunesmith.tools.engine.kept_checkpoints import KeptCheckpoints
from tunesmith.tools.engine.live_curve import LiveCurve
from tunesmith.tools.engine.pruning import Pruner
from tunesmith.tools.engine.triggers import Triggers
from tunesmith.tools.execution.base import (
    Continue,
    Executor,
    Finished,
    Job,
    Reported,
    Resources,
    Stop,
    Waits,
)
from tunesmith.tools.execution.log_file import take_secrets_out
from tunesmith.tools.records.base import RunStore
from tunesmith.tools.records.bounds import kind_of, legal_step
from tunesmith.tools.records.outcomes import finished_trial, outcome_of, surprise
from tunesmith.tools.records.trial_folder import (
    CHECKPOINTS,
    LOG,
    explain_record,
    take_secrets_out_of_record,
)
from tunesmith.trial import Origin, Outcome, Proposal, Trial, TrialState

log = logging.getLogger(__name__)

MOST_TOLD_NOTES = 20
"""Different remarks on how values were read that are shown in one session."""
_NUMBER = re.compile(r"[\d.,]+")
KILL_LIMIT_S = 10.0
"""How long the ends of killed trials are waited for."""


class TrialRunner:
    """Used from the engine's thread.

    Args:
        history: Trials of earlier sessions.
        triggers: Informed of every trial that ends.
    Attributes:
        history: Every trial, running ones included.
    """

    def __init__(
        self,
        task: Task,
        store: RunStore,
        executor: Executor,
        objective: Objective,
        history: History,
        triggers: Triggers,
        emit: Emit,
    ) -> None:
        self._task, self._store, self._executor, self._objective = task, store, executor, objective
        self._triggers, self._emit = triggers, emit
        self._resources = Resources(cpus=task.threads)
        self._pruner = Pruner(
            task.pruner, task.direction, task.limits, metric=task.metric, trials=task.budget.trials
        )
        self._curves: dict[int, LiveCurve] = {}
        self._told_notes: set[str] = set()
        self._began: dict[int, float] = {}  # monotonic clock, by number
        self._unplaced: Job | None = None
        self._took_down: list[Trial] = []
        self._shown: tuple[str, str] | None = None
        self.history = history
        self._kept = KeptCheckpoints(task, store, emit)
        self._kept.clean(history)
        for trial in history.finished:
            if history.can_run(trial.configuration):  # else it is no measure of what can
                self._pruner.observe(trial)
        self._collapse = collapse_texts(history, task.pruner.kind)
        self._told = set(self._collapse)  # by the session that saw it happen

    @property
    def running(self) -> tuple[Trial, ...]:
        """Trials that have not ended, those of an earlier search space included."""
        left = tuple(trial for trial in self.history.earlier if not trial.finished)
        return (*self.history.pending, *left) if left else self.history.pending

    def take_task(self, task: Task, history: History, objective: Objective) -> None:
        """Start trials of a changed task from now on; those that run go on as they began."""
        self._task, self.history, self._objective = task, history, objective

    def kill(self, number: int, reason: str) -> str:
        """End one running trial for good; returns what became of it, in a sentence.

        Raises:
            CannotSteer: It does not run.
        """
        trial = self._running(number)
        if trial is None:
            others = ", ".join(str(trial.number) for trial in self.running) or "none"
            raise CannotSteer(f"Trial {number} does not run; running now: {others}.")
        recorded = self._recorded(number)
        curve = recorded["curve"]
        where = f"after step {curve[-1][0]}" if curve else "before its first report"
        state = TrialState.PRUNED if curve else TrialState.CRASHED
        self._end(trial, Outcome(state=state, message=f"{KILLED} {where}: {reason}"[:500], **recorded))
        how = "It counts as stopped early" if curve else "It counts as failed"
        return f"Trial {number} is ended {where}. {how}, and is not run again."

    def _running(self, number: int) -> Trial | None:
        return next((trial for trial in self.running if trial.number == number), None)

    def room(self) -> bool:
        """Whether another trial can start now.

        Raises:
            ExecutorError: The executor can never run this task's trials.
        """
        return self._unplaced is None and not self._has_to_wait(self._executor.room(self._resources))

    def start(self, number: int, proposal: Proposal) -> bool:
        """Start a trial; call it only when `room()` is True. False when it could not be started."""
        trial = Trial(
            number=number,
            proposal=proposal,
            seed=derive_seed(self._task.seed, "trial", number),
            started_at=time.time(),
            cost=self._task.cost_of(proposal.configuration),
        )
        self._began[number] = time.monotonic()
        folder = self._store.begin(trial)
        self.history = self.history.with_trial(trial)
        self._curves[number] = LiveCurve()
        self._emit(TrialStarted(number=number, proposal=proposal, seed=trial.seed, cost=trial.cost))
        job = Job(
            number=number,
            folder=folder,
            configuration=self._task.space.originals(proposal.configuration),
            seed=trial.seed,
            metric=self._task.metric,
            reading=self._task.reading,
            further=self._task.readings[1:],
            judged=self._task.pruner.kind != "none",
            objective=self._objective,
            resources=self._resources,
            time_limit_s=self._task.budget.trial_time_s,
            attempt=proposal.provenance.attempt,
            digest=proposal.configuration.digest,
            parent=proposal.provenance.parent,
            checkpoint=self._checkpoint(proposal),
        )
        if not self._place(job):
            self._unplaced = job
        return number in (pending.number for pending in self.history.pending)

    def handle_events(self, timeout_s: float) -> None:
        """Answer reports and finish trials; waits at most `timeout_s` for something to happen.

        A trial that has to wait for the executor is offered again first.
        """
        if self._unplaced is not None and self._place(self._unplaced):
            self._unplaced = None
        for event in self._executor.events(timeout_s):
            match event:
                case Reported(number, step, value, others):
                    self._judge(number, step, value, others)
                case Finished(number, outcome):
                    self._finish(number, outcome)

    def took_their_process_down(self) -> list[Trial]:
        """Trials lost by their own process's death since the last call."""
        taken, self._took_down = self._took_down, []
        return taken

    def end_running(self, message: str) -> None:
        """Kill every trial that runs; each counts as lost, and is run again when the run goes on."""
        for trial in self.running:
            recorded = self._recorded(trial.number)
            self._end(trial, Outcome(state=TrialState.LOST, message=message, loss="interrupted", **recorded))
        deadline = time.monotonic() + KILL_LIMIT_S
        while self.running and time.monotonic() < deadline:
            self.handle_events(0.1)

    def _end(self, trial: Trial, outcome: Outcome) -> None:
        """Give a running trial an outcome that it did not come to by itself."""
        began = self._began.get(trial.number, time.monotonic())
        outcome = outcome.changed(seconds=time.monotonic() - began)
        if self._unplaced is not None and self._unplaced.number == trial.number:
            self._unplaced = None
            self._finish(trial.number, self._store.record_outcome(trial.number, outcome))
        else:
            self._executor.kill(trial.number, outcome)

    def _judge(self, number: int, step: int, value: float, others: Mapping[str, float]) -> None:
        """Answer a report, and show it."""
        if not (legal_step(step) and math.isfinite(value)):
            return  # no report of ours: training code wrote to the line itself
        curve = self._curves.setdefault(number, LiveCurve())
        shown = curve.add(step, value)
        stop = self._pruner.should_stop(number, curve, cautious=bool(self._collapse), others=others)
        self._executor.answer(number, step, Stop() if stop else Continue())
        if shown:
            self._emit(TrialReported(number=number, step=step, value=value))

    def _recorded(self, number: int) -> dict[str, Any]:
        """`curve` and `reports` of an `Outcome`, by what was reported."""
        curve = self._curves.get(number, LiveCurve())
        return {"curve": curve.points, "reports": len(curve) if len(curve) > len(curve.points) else 0}

    def _checkpoint(self, proposal: Proposal) -> Path | None:
        """What training goes on from: a trial that is run again after an interruption starts anew."""
        parent = proposal.provenance.parent
        if parent is None or proposal.origin is Origin.RETRY:
            return None
        return self._store.trial_folder(parent) / CHECKPOINTS

    def _place(self, job: Job) -> bool:
        """Offer a job; False while it waits. One that cannot be started is lost at once."""
        try:
            return not self._has_to_wait(self._executor.offer(job))
        except ExecutorError as error:
            # Says nothing of the configuration, hence lost: no strategy must learn from it.
            outcome = Outcome(state=TrialState.LOST, message=f"no worker could be started: {error}"[:500])
            self._finish(job.number, self._store.record_outcome(job.number, outcome))
            return True

    def _has_to_wait(self, waits: Waits | None) -> bool:
        """Whether there is a reason to wait. One that is not obvious is shown, once until it is another one.

        How much is free changes all the time, and is no other reason.
        """
        if waits is None or waits.kind == "busy":
            if waits is None and self._shown is not None:
                self._emit(TrialWaits(text=""))
                self._shown = None
        elif (shown := (waits.kind, _NUMBER.sub("", waits.text))) != self._shown:
            number = None if self._unplaced is None else self._unplaced.number
            self._emit(TrialWaits(text=waits.text, why=waits.kind, number=number))
            self._shown = shown
        return waits is not None

    def _tell_notes(self, trial: Trial) -> None:
        """Say how a trial's value was read, where that is a question; the same is said once a session."""
        for note in trial.notes:
            kind = kind_of(note)
            if kind not in self._told_notes and len(self._told_notes) < MOST_TOLD_NOTES:
                self._told_notes.add(kind)
                self._emit(Noted(text=f"Trial {trial.number}: {note}"))

    def _finish(self, number: int, outcome: Outcome) -> None:
        """Record the end of a trial whose outcome is in its folder already, then announce it."""
        running = self._running(number)
        if running is None:
            log.warning("trial %d ended again; its first end stands", number)
            return
        why = self._pruner.why(number) if outcome.state is TrialState.PRUNED and not outcome.message else ""
        if why:
            outcome = outcome.changed(message=why)
            explain_record(self._store.trial_folder(number), why)
        trial = finished_trial(running, outcome, *self._task.goals.names)
        take_secrets_out(self._store.trial_folder(number) / LOG)
        take_secrets_out_of_record(self._store.trial_folder(number))
        self._store.finish(trial)
        self._curves.pop(number, None)
        self._pruner.observe(trial)
        before = self.history.incumbent
        if self.history.get(number) is None:  # it began in an earlier search space
            others = (t for t in self.history.earlier if t.number != number)
            earlier = tuple(sorted((*others, trial), key=lambda t: t.number))
            self.history = replace(self.history, earlier=earlier)
        else:
            self.history = self.history.with_trial(trial)
        self._kept.clean(self.history)
        incumbent = self.history.incumbent
        improved = incumbent is not None and incumbent.number == number and incumbent is not before
        z = surprise(trial, self.history.sign)
        self._emit(
            TrialFinished(
                number=number,
                outcome=outcome_of(trial),
                value=trial.value,
                improved=improved,
                on_front=bool(self.history.others) and trial in self.history.front,
                surprise=z,
            )
        )
        self._tell_notes(trial)
        self._triggers.finished(trial, z)
        if trial.loss == "process":
            self._took_down.append(trial)
        self._collapse = collapse_texts(self.history, self._task.pruner.kind)
        for kind in self._collapse.keys() - self._told:
            self._told.add(kind)
            self._emit(Noted(text=self._collapse[kind]))
