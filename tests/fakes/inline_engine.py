"""An engine over real records (folder, study, log) whose jobs run in this very process."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tunesmith.agent.methods.base import StrategySuggester
from tunesmith.agent.methods.random import RandomStrategy
from tunesmith.budget import Budget
from tunesmith.errors import ExecutorError
from tunesmith.events import Event
from tunesmith.interfaces import Briefing, Conversation, Decision, Policy, Toolbox
from tunesmith.objective import Objective
from tunesmith.space import Float, Int, Space
from tunesmith.task import Task
from tunesmith.tools.engine.loop import Engine
from tunesmith.tools.execution.base import Executor, Finished, Job, Resources, Verdict, Waits, WorkerEvent
from tunesmith.tools.records.folder_store import FolderStore
from tunesmith.tools.records.moments import Moments
from tunesmith.tools.records.trial_folder import record_outcome
from tunesmith.tools.toolbox.study_toolbox import StudyToolbox
from tunesmith.trial import Origin, Outcome, Proposal, TrialState

SPACE = Space({"x": Float(0.0, 1.0), "k": Int(1, 4)})
DEFAULT = SPACE.validate({"x": 0.5, "k": 2})


def completed(job: Job) -> Outcome:
    """What training comes to here: the larger x, the better."""
    return Outcome(state=TrialState.COMPLETED, values={"score": float(job.configuration["x"])}, seconds=0.01)


class InlineExecutor(Executor):
    """Ends each job when `events` is asked: by `train`, or not at all while that returns None.

    Attributes:
        jobs: All that were accepted.
        refuses: Raise ExecutorError instead of starting anything.
        waits: Why jobs wait although a worker is free.
        offers: How often a job was offered.
    """

    def __init__(self, workers: int = 1, train: Callable[[Job], Outcome | None] = completed) -> None:
        self.workers, self.train = workers, train
        self.jobs: list[Job] = []
        self.running: dict[int, Job] = {}
        self.killed: dict[int, Outcome] = {}
        self.refuses = False
        self.waits: Waits | None = None
        self.offers = 0

    def room(self, resources: Resources) -> Waits | None:
        return Waits("busy", "all workers are busy") if len(self.running) >= self.workers else None

    def offer(self, job: Job) -> Waits | None:
        self.offers += 1
        if self.refuses:
            raise ExecutorError("out of processes")
        if self.waits is None:
            self.jobs.append(job)
            self.running[job.number] = job
        return self.waits

    def events(self, timeout_s: float) -> list[WorkerEvent]:
        ended: list[WorkerEvent] = []
        for number, job in list(self.running.items()):
            outcome = self.killed.get(number) or self.train(job)
            if outcome is not None:
                del self.running[number]
                ended.append(Finished(number, record_outcome(job.folder, outcome)))
        if not ended:
            time.sleep(min(timeout_s, 0.01))
        return ended

    def _answer(self, number: int, step: int, verdict: Verdict) -> None:
        raise AssertionError("nothing here reports")

    def kill(self, number: int, outcome: Outcome) -> None:
        self.killed[number] = outcome

    def close(self) -> None:
        self.running.clear()


class Follow(Policy):
    """A policy made of a function."""

    name = "follow"

    def __init__(self, decide: Callable[[Briefing, Toolbox], Decision] | None = None) -> None:
        self._decide = decide or (lambda briefing, toolbox: Decision(reason="Go on."))

    def decide(self, briefing: Briefing, toolbox: Toolbox) -> Decision:
        return self._decide(briefing, toolbox)


class EngineMaker:
    """Makes engines, one session after the other, over one run folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.store: FolderStore | None = None

    def close(self) -> None:
        if self.store is not None:
            self.store.close()

    def task(self, **changes) -> Task:
        fields = {
            "name": "job",
            "metric": "score",
            "direction": "maximize",
            "space": SPACE,
            "default": DEFAULT,
            "objective": {"function": "train.py:train"},
            "budget": Budget(trials=5),
        }
        return Task.model_validate({**fields, **changes})

    def engine(
        self,
        *,
        executor: Executor | None = None,
        policy: Policy | None = None,
        fallback: Policy | None = None,
        strategy=None,
        objective_ref: Objective | None = None,
        moments: Moments | None = None,
        suggester=None,
        conversation: Conversation | None = None,
        **changes,
    ) -> Engine:
        task = self.task(**changes)
        self.close()
        self.store = FolderStore.create(self.path, task)
        task = self.store.task  # with what people have changed by commands
        self.executor = executor or InlineExecutor(task.workers)
        strategy = strategy or RandomStrategy(task.space, task.seed)
        policy = policy or Follow()

        def toolbox(briefing: Briefing, engine: Engine) -> StudyToolbox:
            return StudyToolbox(
                briefing,
                suggest=suggester or StrategySuggester(strategy),
                launch=engine.launch,
                queued=lambda: engine.queued,
                history=lambda: engine.history,
                in_turn=engine.launch_in_turn,
                on_advice=engine.take_advice,
            )

        return Engine(
            task=task,
            store=self.store,
            history=self.store.load(self.store.events.append),
            emit=self.store.events.append,
            strategy=strategy,
            policy=policy,
            fallback=fallback or policy,
            make_toolbox=toolbox,
            executor=self.executor,
            objective=objective_ref or Objective(function="/train.py:train"),
            moments=moments,
            conversation=conversation,
        )

    def events(self, kind: type[Event] | None = None) -> list[Event]:
        assert self.store is not None, "no engine was made"
        return [event for event in self.store.events.events() if kind is None or isinstance(event, kind)]


def proposal(x: float, k: int = 2, origin: Origin = Origin.MODEL) -> Proposal:
    return Proposal(configuration=SPACE.validate({"x": x, "k": k}), origin=origin, reason="A thought.")


def sequence(outcomes: Sequence[TrialState]) -> Callable[[Job], Outcome]:
    """Jobs that end in these states, one after the other, the last of them for ever."""
    left = list(outcomes)

    def train(job: Job) -> Outcome:
        state = left.pop(0) if len(left) > 1 else left[0]
        return completed(job) if state is TrialState.COMPLETED else Outcome(state=state, message="so it was")

    return train
