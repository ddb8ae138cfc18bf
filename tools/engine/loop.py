"""The one loop of a run: it owns study, budget and workers, keeps them busy, and decides nothing.

Strategies say what to try, the policy sets the plan, pruners judge curves; the engine only sees to it
that what they want happens in an order that loses nothing:

    config.json -> study (running) -> worker        a trial starts
    result.json (by the worker) -> study -> event    a trial ends

One thread holds all state. The head (`head.py`) thinks in threads beside it and talks to it through
`launch`, the one method that may be called from there.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from tunesmith.budget import ModelSpend, Spend
from tunesmith.errors import ExecutorError, ToolError
from tunesmith.events import (
    Decided,
    Event,
    Noted,
    TrialFinished,
    TrialReported,
    TrialStarted,
    Woken,
)
from tunesmith.history import History
from tunesmith.interfaces import Briefing, Decision, Policy, Strategy, Toolbox
from tunesmith.objective import Objective
from tunesmith.seeds import derive_seed
from tunesmith.task import Task
from tunesmith.tools.engine.chooser import Chooser
from tunesmith.tools.engine.command_inbox import CommandInbox
from tunesmith.tools.engine.outcomes import ended, outcome_of
from tunesmith.tools.engine.policy_runner import PolicyRunner
from tunesmith.tools.engine.pruning import Pruner
from tunesmith.tools.engine.requeue import requeue
from tunesmith.tools.engine.triggers import Triggers, surprise
from tunesmith.tools.execution.base import Executor, Finished, Job, Reported
from tunesmith.tools.records.event_store import EventStore
from tunesmith.tools.records.run_folder import RunFolder
from tunesmith.tools.records.study import StudyStore
from tunesmith.trial import Outcome, Proposal, Trial, TrialState

log = logging.getLogger(__name__)

POLL_S = 0.1
"""How long the loop sleeps at most when nothing happens; commands wait no longer than this."""
BROKEN_AFTER = 3
"""Stop when this many trials crashed and none ended in any other way: the code is broken, not the space.

Or when so many for each worker were lost one after the other: they cost no budget, so nothing else would.
"""


@dataclass(frozen=True)
class Ended:
    """How the search ended: `status` as in RunFinished."""

    status: Literal["finished", "stopped", "failed"]
    reason: str
    history: History
    spend: Spend
    by_budget: bool


class Engine:
    """Runs one study to its end.

    Args:
        task: What to tune.
        folder: Its run folder, locked by the caller.
        study: The Optuna study, reconciled by the caller.
        history: What `reconcile` found; empty for a new run.
        events: The run's log and command inbox.
        strategy: Proposes whenever a worker is free and the queue is empty.
        policy, fallback: Who decides, and who does when it cannot.
        make_toolbox: Builds the agent's tools for one decision.
        executor: Runs the jobs.
        objective: What they train.
        spent: What earlier sittings of this run have spent.
        model_spend: The model's spend so far, this sitting included.
        has_model: Whether a person's free text can be answered and acted upon.
        plan: What was decided in an earlier sitting and still holds.
    """

    def __init__(
        self,
        *,
        task: Task,
        folder: RunFolder,
        study: StudyStore,
        history: History,
        events: EventStore,
        strategy: Strategy,
        policy: Policy,
        fallback: Policy,
        make_toolbox: Callable[[Briefing, Engine], Toolbox],
        executor: Executor,
        objective: Objective,
        spent: Spend | None = None,
        model_spend: Callable[[], ModelSpend] = ModelSpend,
        has_model: bool = False,
        plan: Decision | None = None,
    ) -> None:
        self.task, self.folder, self.study, self.history = task, folder, study, history
        self.events, self.strategy, self.executor = events, strategy, executor
        self._make_toolbox = make_toolbox
        self._head = PolicyRunner(policy, fallback, self.emit)
        self._pruner = Pruner(task.pruner, task.direction)
        self._triggers = Triggers()
        self._spent_before = (spent or Spend()).seconds
        self._model_spend, self._objective = model_spend, objective
        self._began = time.monotonic()
        self._first = study.next_number
        self._chooser = Chooser(task, strategy, self.emit, self._first)
        self._plan = plan or Decision(reason="The run has just begun.")
        self._inbox = CommandInbox(
            events,
            task.space,
            why_not=self._no_room_for,
            launch=self.launch,
            answer=lambda command_id, text: self._head.answer(command_id, text, self.briefing()),
            keep_messages=has_model,
        )
        self._curves: dict[int, list[tuple[int, float]]] = {}
        self._turn = 0
        for trial in history.finished:
            self._pruner.observe(trial)

    # -- what others may call -------------------------------------------------------------------

    def emit(self, event: Event) -> Event:
        """Store an event; safe from any thread."""
        return self.events.append(event)

    def launch(self, proposals: list[Proposal]) -> list[int]:
        """Queue proposals and return the numbers their trials will have; safe from any thread.

        Raises:
            ToolError: The search has ended; only a head that was left behind gets to hear this.
        """
        if not self._inbox.searching:
            raise ToolError("the search has ended: nothing can be launched any more")
        return self._chooser.queue.add(proposals)

    def request_stop(self, reason: str) -> None:
        """End the run cleanly at the next turn of the loop; safe from signal handlers and threads."""
        self._inbox.request_stop(reason)

    @property
    def stopping(self) -> str | None:
        """Why the run is being stopped, or None while it is not."""
        return self._inbox.stop

    def told_to_stop(self) -> bool:
        """Obey the commands that have come in since the search ended; whether the run is to end now."""
        self._inbox.read()
        return self.stopping is not None

    def close(self) -> None:
        """Refuse commands that nobody read, and wait briefly for an answer being given. Idempotent."""
        self._inbox.close()
        self._head.close()

    @property
    def policy_name(self) -> str:
        return self._head.policy.name

    @property
    def queued(self) -> tuple[Proposal, ...]:
        return self._chooser.queue.waiting

    @property
    def spend(self) -> Spend:
        """Trials lost to interruptions are not counted: they are run again."""
        trials = sum(trial.state is not TrialState.LOST for trial in self.history)
        seconds = self._spent_before + time.monotonic() - self._began
        return Spend(trials=trials, seconds=seconds, model=self._model_spend())

    # -- the loop -------------------------------------------------------------------------------

    def run(self) -> Ended:
        """Run until the budget is used, the policy or a person stops, or the space is exhausted."""
        self._run_again()
        self._triggers.started(resumed=bool(self.history.finished))
        try:
            while True:
                self._inbox.read()
                self._take_decision()
                ending = self._ending()
                if ending is not None:
                    break
                self._wake_if_due()
                self._fill()
                self._handle_workers(POLL_S if not self._head.busy else POLL_S / 5)
        except KeyboardInterrupt:
            ending = ("stopped", "interrupted")
        finally:
            self._inbox.searching = False
            self._lose_running("the run was stopped while this trial was running")
        assert ending is not None
        status, reason = ending
        by_budget = self.spend.exhausted(self.task.budget) is not None
        return Ended(status, reason, self.history, self.spend, by_budget)

    def _ending(self) -> tuple[Literal["finished", "stopped", "failed"], str] | None:
        """(status, reason) once nothing more is to be done."""
        if self.stopping is not None:
            return "stopped", self.stopping
        good: Literal["finished", "failed"] = "finished" if self.history.completed else "failed"
        budget, spend = self.task.budget, self.spend
        exhausted = spend.exhausted(budget)
        if exhausted and budget.wall_time_s is not None and spend.seconds >= budget.wall_time_s:
            return good, exhausted
        broken = self._broken()
        if broken is not None:
            return "stopped" if self.history.completed else "failed", broken
        if self.history.pending:
            return None
        if self._plan.stop is not None and not self._head.busy:
            return "finished", self._plan.stop
        if exhausted is None and self._chooser.exhausted(self.history) and not self.queued:
            exhausted = "every configuration of the search space has been tried"
        return None if exhausted is None else (good, exhausted)

    def _broken(self) -> str | None:
        """Why no further trial of this sitting would come to anything, or None."""
        ends = [t for t in self.history.finished if t.number >= self._first]
        crashed = sum(t.state is TrialState.CRASHED for t in ends)
        if crashed >= BROKEN_AFTER and {t.state for t in ends} <= {TrialState.CRASHED, TrialState.LOST}:
            return f"all {crashed} trials so far crashed, so the training code is probably broken"
        latest = ends[-BROKEN_AFTER * self.task.workers :]
        if len(latest) == BROKEN_AFTER * self.task.workers and {t.state for t in latest} == {TrialState.LOST}:
            return f"the last {len(latest)} trials were lost, the latest because {latest[-1].message}"
        return None

    def _wake_if_due(self) -> None:
        if self._head.busy or self._inbox.paused or self._plan.stop is not None:
            return
        if self.spend.exhausted(self.task.budget) is not None:
            return  # whatever it decided could not be run
        messages = self._inbox.messages
        triggers = self._triggers.due(self.history, self._plan.wake_after, messages=len(messages))
        if not triggers:
            return
        self._turn += 1
        briefing = self.briefing(triggers)
        messages.clear()
        self.emit(Woken(triggers=triggers))
        self._head.wake(briefing, lambda b: self._make_toolbox(b, self))

    def briefing(self, triggers: tuple[str, ...] = ()) -> Briefing:
        """An immutable picture of the run for the head."""
        return Briefing(
            task=self.task,
            history=self.history,
            budget=self.task.budget,
            spend=self.spend,
            triggers=triggers,
            messages=tuple(self._inbox.messages),
            turn=self._turn,
        )

    def _take_decision(self) -> None:
        taken = self._head.take()
        if taken is None:
            return
        policy, decision = taken
        self._plan = decision
        self.emit(Decided(policy=policy, decision=decision))
        if decision.launch:
            self.launch(list(decision.launch))

    # -- trials ---------------------------------------------------------------------------------

    def _fill(self) -> None:
        """Give every free worker something to do."""
        if (
            self._inbox.paused
            or self._plan.stop is not None
            or (self.task.decides_in_step and self._head.busy)
        ):
            return
        for _ in range(self.executor.capacity()):  # once each: a trial that cannot start may end the run
            if self.spend.exhausted(self.task.budget) is not None:
                return
            found = self._chooser.next(self.history, self._plan.candidates)
            if found is None:
                return
            self._start(*found)

    def _no_room_for(self, proposal: Proposal) -> str | None:
        """Why what a person wants cannot be queued: it would never run, or is going to anyway."""
        waiting, budget = self.queued, self.task.budget
        if any(proposal.configuration == other.configuration for other in waiting):
            return "the same configuration is queued already"
        if self._plan.stop is not None:
            return "the search is ending"
        if self.spend.trials + len(waiting) >= budget.trials:
            return f"the budget of {budget.trials} trials has no room for it"
        return self._chooser.why_not(proposal, self.history)

    def _start(self, number: int, proposal: Proposal) -> None:
        trial = Trial(
            number=number,
            proposal=proposal,
            seed=derive_seed(self.task.seed, "trial", number),
            started_at=time.time(),
        )
        path = self.folder.write_config(trial)
        self.study.started(trial)
        self.history = self.history.with_trial(trial)
        self._curves[number] = []
        self.emit(TrialStarted(number=number, proposal=proposal, seed=trial.seed))
        job = Job(
            number=number,
            folder=path,
            configuration=dict(proposal.configuration),
            seed=trial.seed,
            metric=self.task.metric,
            objective=self._objective,
            time_limit_s=self.task.budget.trial_time_s,
            threads=self.task.threads,
        )
        try:
            self.executor.submit(job)
        except ExecutorError as error:
            # Says nothing of the configuration, hence lost: no strategy must learn from it.
            outcome = Outcome(state=TrialState.LOST, message=f"no worker could be started: {error}"[:500])
            self._finish(number, self.folder.settle(number, outcome))

    def _handle_workers(self, timeout_s: float) -> None:
        for event in self.executor.events(timeout_s):
            match event:
                case Reported(number, step, value):
                    curve = self._curves.setdefault(number, [])
                    curve.append((step, value))
                    self.executor.verdict(number, step, bool(self._pruner.verdict(number, curve)))
                    self.emit(TrialReported(number=number, step=step, value=value))
                case Finished(number, outcome):
                    self._finish(number, outcome)

    def _finish(self, number: int, outcome: Outcome) -> None:
        """Tell the study, then everybody: the outcome is in the trial's folder already."""
        running = self.history.get(number)
        if running is None or running.finished:
            log.warning("trial %d ended again; its first end stands", number)
            return
        trial = ended(running, outcome, self.task.metric)
        self.study.finished(trial)
        self._curves.pop(number, None)
        self._pruner.observe(trial)
        before = self.history.incumbent
        self.history = self.history.with_trial(trial)
        incumbent = self.history.incumbent
        improved = incumbent is not None and incumbent.number == number and incumbent is not before
        z = surprise(trial, self.history.sign)
        self.emit(
            TrialFinished(
                number=number, outcome=outcome_of(trial), value=trial.value, improved=improved, surprise=z
            )
        )
        self._triggers.finished(trial, z)

    def _run_again(self) -> None:
        """Queue again what an interruption took."""
        again, given_up = requeue(self.history)
        self._chooser.queue.add(again)
        for trial in given_up:
            text = f"The configuration of trial {trial.number} came to nothing too often and is left out."
            self.emit(Noted(text=text))

    def _lose_running(self, message: str) -> None:
        for trial in self.history.pending:
            lost = Outcome(
                state=TrialState.LOST,
                message=message,
                curve=tuple(self._curves.get(trial.number, ())),
                seconds=max(0.0, time.time() - trial.started_at),
            )
            self.executor.kill(trial.number, lost)
        deadline = time.monotonic() + 10.0
        while self.history.pending and time.monotonic() < deadline:
            self._handle_workers(POLL_S)
