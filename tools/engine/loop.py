"""The loop of a run: it keeps the workers busy and carries out what a policy and people decide.

Strategies propose configurations, the policy makes the plan, pruners judge learning curves. One thread
holds all state. The policy runs in a thread of its own (`policy_runner.py`), and what it changes is changed
here, in the engine's. Trials wait for a decision only where it is made without a model, or where the task or
the method says so; while a model thinks, the strategy goes on.

    loop.py            when to stop, when to ask the policy, when to start a trial
    chooser.py         which trial starts next
    plan.py            what the policy decided last, and what a model has said since
    trial_runner.py    starting trials and bringing each to its end
    command_inbox.py   what people ask of a run while it runs
    steering.py        what they change of its task
    broken_code.py     when crashes mean that the code is broken
    thinking.py        what is said while a model thinks
    answering.py       people's questions, answered beside the loop
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from tunesmith.budget import Budget, ModelSpend, Spend
from tunesmith.errors import ToolError
from tunesmith.events import Noted, Woken
from tunesmith.history import History
from tunesmith.interfaces import Briefing, Conversation, Decision, Emit, Policy, Strategy, Toolbox
from tunesmith.objective import Objective
from tunesmith.stopping import doubtful, why_over
from tunesmith.task import Task
from tunesmith.tools.analysis.limits import none_feasible
from tunesmith.tools.engine.answering import Answering
from tunesmith.tools.engine.broken_code import why_broken
from tunesmith.tools.engine.chooser import Chooser
from tunesmith.tools.engine.command_inbox import CommandInbox
from tunesmith.tools.engine.plan import Plan
from tunesmith.tools.engine.policy_runner import SEARCH_OVER, Effect, PolicyRunner
from tunesmith.tools.engine.progress import ProgressTeller
from tunesmith.tools.engine.requeue import Requeued, after_loss, changed_since, requeue, runs_alone
from tunesmith.tools.engine.steering import Rebuild, Steering
from tunesmith.tools.engine.thinking import Thinking
from tunesmith.tools.engine.trial_runner import TrialRunner
from tunesmith.tools.engine.triggers import Triggers
from tunesmith.tools.execution.base import Executor
from tunesmith.tools.records.base import RunStore
from tunesmith.tools.records.moments import Moment, Moments
from tunesmith.tools.toolbox.advice import Advice
from tunesmith.trial import Origin, Proposal, Value

POLL_S = 0.1
"""How long the loop sleeps at most when nothing happens; commands wait no longer than this."""
SOON_S = 2.0
"""A decision that has taken less is looked for more often: without a model it is made by then."""

Status = Literal["finished", "stopped", "failed"]
"""As in `RunFinished`."""


@dataclass(frozen=True)
class Ended:
    """How the search ended."""

    status: Status
    reason: str
    history: History
    spend: Spend
    by_budget: bool
    too_dear: bool
    """Whether it was because nothing that is left could be paid for."""


class Engine:
    """Runs one study to its end.

    Args:
        task: What to tune.
        store: Its records, loaded; the caller holds the lease.
        history: What `store.load` returned; empty for a new run.
        emit: Stores an event; called from all threads.
        strategy: Proposes whenever a worker is free and the queue is empty.
        policy, fallback: Who decides, and who does when it cannot.
        make_toolbox: Builds the agent's tools for one decision.
        executor: Runs the jobs.
        objective: What they train.
        spent: What earlier sessions of this run have spent.
        model_spend: The model's spend so far, this session included.
        plan: What was decided in an earlier session and still holds.
        conclusions: What the method has concluded by a history, in words; None: nothing.
        moments: Keeps when the policy's answers took effect, or, in a replay, says when they are to.
        conversation: Answers people, in a thread of its own; None: their questions are refused.
        rebuild: Makes again what depends on the task, where a person changes it; None: no more is done than
            to tell these parts of new trials.
        takes_priors: Whether the method uses what people expect.
    Attributes:
        task: As it is now.
        objective: What trials run now.
    """

    def __init__(
        self,
        *,
        task: Task,
        store: RunStore,
        history: History,
        emit: Emit,
        strategy: Strategy,
        policy: Policy,
        fallback: Policy,
        make_toolbox: Callable[[Briefing, Engine], Toolbox],
        executor: Executor,
        objective: Objective,
        spent: Spend | None = None,
        model_spend: Callable[[], ModelSpend] = ModelSpend,
        plan: Decision | None = None,
        moments: Moments | None = None,
        conclusions: Callable[[History], Sequence[str]] | None = None,
        conversation: Conversation | None = None,
        rebuild: Rebuild | None = None,
        takes_priors: Callable[[], bool] = lambda: False,
    ) -> None:
        self.task, self.strategy, self.emit = task, strategy, emit
        self._make_toolbox = make_toolbox
        self._conclusions = conclusions
        self._policy = PolicyRunner(policy, fallback, emit)
        self.objective = objective
        self._moments = moments or Moments()
        # A replay of a run that had so much time ends where that ended, not by a clock that goes differently.
        self._clockless = self._moments.over(Moment(0, 0)) is not None and task.budget.wall_time_s is not None
        self._budget = self._budget_of(task)
        self._in_step = task.decides_in_step(asks_model=policy.asks_model) or (
            self._moments.in_step and task.workers == 1 and task.in_step is None
        )
        self._thinking = Thinking(waiting=self._in_step) if policy.asks_model else None
        self._triggers = Triggers()
        self._trials = TrialRunner(task, store, executor, objective, history, self._triggers, emit)
        self._spent_before = (spent or Spend()).seconds
        self._model_spend = model_spend
        self._progress = ProgressTeller(task, history, emit)
        self._began = time.monotonic()
        self._first = store.next_number
        self._chooser = Chooser(task, strategy, emit, self._first)
        self._plan = Plan(plan, lambda: self.history, self._chooser.queue, emit)
        self._store, self._rebuild, self._steered = store, rebuild, False
        steering = Steering(
            store, emit, history=lambda: self.history, go_on=self._go_on_with, takes_priors=takes_priors
        )
        self._inbox = CommandInbox(
            store.events,
            emit,
            steering,
            space=lambda: self.task.space,
            best=self._best_values,
            kill=self._trials.kill,
            why_not=self._why_not_queued,
            launch=self.launch,
            answer=lambda command_id, text: self._answering.ask(command_id, text),
        )
        self._answering = Answering(
            conversation, store.events, emit, briefing=self.briefing, propose=self._inbox.propose
        )
        self._turn = 0
        self._looked_at: History | None = None
        self._over: str | None = None

    # -- what others may call -------------------------------------------------------------------

    @property
    def history(self) -> History:
        """Every trial so far, running ones included."""
        return self._trials.history

    def launch(self, proposals: list[Proposal]) -> list[int]:
        """Queue proposals and return the numbers their trials will have; safe from any thread.

        Raises:
            ToolError: The search has ended, and a policy that was still deciding calls this.
        """
        if not self._inbox.searching:
            raise ToolError(SEARCH_OVER)
        return self._chooser.queue.add(proposals)

    def launch_in_turn(self, launching: Callable[[], list[int]]) -> list[int]:
        """Check and queue what the policy launches, in the engine's thread; for the policy's thread.

        Raises:
            ToolError: The search has ended, or `launching` raises it.
        """
        return self._policy.in_turn("launch", launching)

    def take_advice(self, advice: Advice) -> tuple[Proposal, ...]:
        """Make a part of a model's answer count, and return what was queued; for the policy's thread.

        Raises:
            ToolError: The search has ended.
        """
        return self._policy.in_turn("advice", lambda: self._take_advice(advice))

    def _take_advice(self, advice: Advice) -> tuple[Proposal, ...]:
        launched = self._plan.add(advice)
        if self._steered and advice.priors is not None:
            self._rebuild_parts()  # it was asked for in an earlier search space, and counts in this one
        return launched

    def request_stop(self, reason: str) -> None:
        """End the run cleanly at the next turn of the loop; safe from signal handlers and threads."""
        self._inbox.request_stop(reason)

    @property
    def stopping(self) -> str | None:
        """Why the run is being stopped, or None while it is not."""
        return self._inbox.stop

    def asked_to_stop(self) -> bool:
        """Carry out the commands that have come in since the search ended; whether the run is to end now."""
        self._inbox.read()
        return self.stopping is not None

    def close(self) -> None:
        """Refuse commands not read yet, and wait briefly for an answer being given. Idempotent."""
        self._inbox.close()
        self._answering.close()

    @property
    def policy_name(self) -> str:
        return self._policy.policy.name

    @property
    def queued(self) -> tuple[Proposal, ...]:
        return self._chooser.queue.waiting

    @property
    def spend(self) -> Spend:
        """Trials lost to interruptions are not counted: they are run again."""
        seconds = self._spent_before + time.monotonic() - self._began
        return Spend(
            trials=self.history.paid, seconds=seconds, cost=self.history.cost, model=self._model_spend()
        )

    # -- a task that is changed ------------------------------------------------------------------

    def _budget_of(self, task: Task) -> Budget:
        return task.budget.model_copy(update={"wall_time_s": None}) if self._clockless else task.budget

    def _best_values(self) -> Mapping[str, Value] | None:
        best = self.history.incumbent
        return self.task.default if best is None else best.configuration

    def _go_on_with(self, task: Task, history: History) -> None:
        """Everything counts for a changed task from now on; what runs goes on as it began."""
        self.task, self._budget, self._looked_at, self._steered = task, self._budget_of(task), None, True
        self._trials.take_task(task, history, self.objective)
        self._progress.take_task(task)
        self._rebuild_parts()

    def _rebuild_parts(self) -> None:
        if self._rebuild is not None:
            rebuilt = self._rebuild(self.task, self._store.steered.priors, self._plan.decision.candidates)
            self.strategy, self._policy.policy = rebuilt.strategy, rebuilt.policy
            self._make_toolbox, self._conclusions = rebuilt.make_toolbox, rebuilt.conclusions
            self.objective = rebuilt.objective
            self._trials.take_task(self.task, self.history, self.objective)
        self._chooser.take_task(self.task, self.strategy)

    # -- the loop -------------------------------------------------------------------------------

    def run(self) -> Ended:
        """Run until the budget is used, the policy or a person stops, or the space is exhausted."""
        edited = changed_since(self.objective, self.history)
        if edited and self.history.completed:
            text = "The training code was edited since the last trial: earlier values are compared with new"
            self.emit(Noted(text=f"{text} ones all the same. --fresh starts anew where they should not be."))
        self._run_again(requeue(self.history, edited=edited))
        self._triggers.started(resumed=bool(self.history.finished))
        try:
            while True:
                self._inbox.read()
                self._take_effects()
                ending = self._ending()
                if ending is not None:
                    break
                self._wake_if_due()
                if self._awaits():
                    continue
                self._fill()
                if self._awaits():
                    continue
                soon = 0.0 < self._policy.thinking_s < SOON_S
                self._trials.handle_events(POLL_S / 5 if soon else POLL_S)
                self._progress.look(self.history, self.spend)
                for trial in self._trials.took_their_process_down():
                    self._run_again(after_loss(self.history, trial))
        except KeyboardInterrupt:
            ending = ("stopped", "interrupted")
        finally:
            self._inbox.searching = False
            if self._policy.busy and self._thinking is not None:
                self.emit(
                    Noted(text="The model was still thinking when the search ended; it is not waited for.")
                )
            self._policy.abandon()
            last = self._plan.moment
            self._trials.end_running("the run was stopped while this trial was running")
            self._moments.ended(last)
        assert ending is not None
        status, reason = ending
        if status == "finished" and (short := none_feasible(self.history)):
            reason = f"{reason}; {short}"
        too_dear = self._chooser.too_dear(self.history) == ending[1]
        by_budget = too_dear or self._used_up() is not None
        return Ended(status, reason, self.history, self.spend, by_budget, too_dear)

    def _ending(self) -> tuple[Status, str] | None:
        """(status, reason) once nothing more is to be done."""
        if self.stopping is not None:
            return "stopped", self.stopping
        good: Status = "finished" if self.history.completed else "failed"
        if self._clockless and self._moments.over(self._plan.moment):
            return good, "the recorded run ended here"
        budget, spend = self._budget, self.spend
        exhausted = self._used_up()
        if exhausted and budget.wall_time_s is not None and spend.seconds >= budget.wall_time_s:
            return good, exhausted
        broken = why_broken(self.history, self._first, self.task.workers)
        if broken is not None:
            return "stopped" if self.history.completed else "failed", broken
        if self._trials.running:
            return None
        if self._plan.decision.stop is not None and not self._policy.busy:
            return "finished", self._plan.decision.stop
        if exhausted is None and self._chooser.exhausted(self.history) and not self.queued:
            exhausted = self._chooser.why_exhausted(self.history)
        return None if exhausted is None else (good, exhausted)

    def _used_up(self) -> str | None:
        """Why no further trial may start: the budget is used, or the search is over before."""
        return self.spend.exhausted(self._budget) or self._over_early()

    def _over_early(self) -> str | None:
        if self._looked_at is not self.history:
            self._looked_at = self.history
            self._over = why_over(self.history, self._budget, self.task.noise)
        return self._over

    def _run_doubtful_again(self) -> None:
        """A target that one lucky seed may have reached is looked at again before it counts."""
        if self._budget.target is None or any(p.origin is Origin.REPLICATE for p in self.queued):
            return
        again = doubtful(self.history, self._budget, self.task.noise)
        if again is not None and self._chooser.unaffordable(again, self.history) is None:
            self._chooser.queue.add([again])

    def _wake_if_due(self) -> None:
        if self._policy.busy or self._inbox.paused or self._plan.decision.stop is not None:
            return
        if not self._moments.may_wake(self._plan.moment):
            return
        if self._used_up() is not None:
            return  # whatever it decided could not be run
        triggers = self._triggers.due(self.history, self._plan.decision.wake_after)
        if not triggers:
            return
        self._turn += 1
        briefing = self.briefing(triggers)
        shown = self._moments.woken(self._plan.moment, briefing.spend.seconds)
        briefing = replace(briefing, spend=briefing.spend.model_copy(update={"seconds": shown}))
        self._plan.asked_at = len(self.history)
        self.emit(Woken(triggers=triggers))
        self._policy.wake(briefing, lambda b: self._make_toolbox(b, self))

    def briefing(self, triggers: tuple[str, ...] = ()) -> Briefing:
        """An immutable picture of the run for the policy."""
        history, conclude = self.history, self._conclusions
        return Briefing(
            task=self.task,
            history=history,
            budget=self.task.budget,
            spend=self.spend,
            triggers=triggers,
            messages=tuple(self._inbox.messages),
            turn=self._turn,
            queued=self.queued,
            conclusions=tuple if conclude is None else lambda: conclude(history),
            spaces=lambda: self._store.spaces(history),
            paused=self._inbox.paused,
        )

    def _awaits(self) -> bool:
        """Whether this moment of a replay has to wait: what is recorded for it has yet to come."""
        return self._policy.busy and self._moments.awaited(self._plan.moment)

    def _take_effects(self) -> None:
        """Carry out what the policy has done, in its order."""
        if self._thinking is not None and (text := self._thinking.note(self._policy.thinking_s)):
            self.emit(Noted(text=text))
        while self._moments.may_take(self._plan.moment):
            posted = self._policy.take(POLL_S if self._awaits() else 0.0)
            if isinstance(posted, Effect):
                self._moments.took_effect(posted.what, self._plan.moment)
                posted.carry_out()
            else:
                if posted is not None:
                    self._moments.took_effect("decision", self._plan.moment)
                    self._plan.follow(posted)
                return

    # -- trials ---------------------------------------------------------------------------------

    def _fill(self) -> None:
        """Give every free worker something to do."""
        if self._inbox.paused or self._plan.decision.stop is not None:
            return
        if self._in_step and self._policy.busy:
            return
        while self._trials.room() and self._used_up() is None:
            self._run_doubtful_again()
            if self._kept_apart():
                return
            choice = self._chooser.next(self.history, self._plan.decision.candidates)
            if choice is None or not self._trials.start(*choice):
                return  # one that could not be started may end the run

    def _kept_apart(self) -> bool:
        """Whether a trial that is to run alone is running, or has to wait until nothing else does."""
        running = self._trials.running
        first = self._chooser.queue.first()
        return bool(running) and any(
            runs_alone(self.history, proposal)
            for proposal in (*(trial.proposal for trial in running), *([] if first is None else [first]))
        )

    def _run_again(self, requeued: Requeued) -> None:
        """Queue again what says nothing of its configuration, and tell what is given up."""
        self._chooser.queue.add(requeued.again)
        for trial in requeued.given_up:
            text = f"The configuration of trial {trial.number} came to nothing too often and is left out."
            self.emit(Noted(text=text))

    def _why_not_queued(self, proposal: Proposal) -> str | None:
        """Why what a person asks for cannot be queued: it would never run, or is queued already."""
        waiting, budget = self.queued, self.task.budget
        if any(proposal.configuration == other.configuration for other in waiting):
            return "the same configuration is queued already"
        if self._plan.decision.stop is not None:
            return "the search is ending"
        if self.spend.trials + len(waiting) >= budget.trials:
            return f"the budget of {budget.trials} trials has no room for it"
        return self._chooser.why_not(proposal, self.history) or self._chooser.unaffordable(
            proposal, self.history, waiting
        )
