"""One sitting of a run: the parts are built, joined, run and taken down again.

This is the only place that knows every room. Read it to see how the house fits together.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.api.earlier import nothing_left, standing_plan, stated_beliefs, verdict
from tunesmith.api.result import Result
from tunesmith.budget import ModelSpend, Spend
from tunesmith.errors import ReplayMiss
from tunesmith.events import Degraded, ElicitedPrior, Event, RunFinished, RunStarted
from tunesmith.history import History
from tunesmith.interfaces import Briefing, Decision, Strategy
from tunesmith.objective import Objective
from tunesmith.settings import ModelSettings
from tunesmith.task import Task
from tunesmith.text.cleaning import error_line
from tunesmith.tools.execution.base import Executor

if TYPE_CHECKING:
    from tunesmith.agent.models import OpenAICompatible
    from tunesmith.tools.engine.loop import Engine
    from tunesmith.tools.records.event_store import EventStore
    from tunesmith.tools.records.run_folder import RunFolder
    from tunesmith.tools.records.study import StudyStore

Listener = Callable[[Event], None]


def run_session(
    task: Task,
    folder: RunFolder,
    *,
    settings: ModelSettings | None,
    objective: Objective | None = None,
    storage: str | None = None,
    replay: Path | None = None,
    listen: Listener | None = None,
) -> Result:
    """Run or continue the run in `folder`, whose lock the caller holds, until it ends or is stopped.

    Args:
        objective: What to train; None means what the task names.
        replay: Take the model's answers from this exchanges.jsonl; no network is used.
        listen: Whatever it raises stops the run, resumably, and is then passed on.
    """
    from tunesmith.api.run_log import RunLog
    from tunesmith.tools.engine.spending import spent
    from tunesmith.tools.execution.local import LocalExecutor
    from tunesmith.tools.records.reconcile import reconcile, restore_events
    from tunesmith.tools.records.study import StudyStore
    from tunesmith.tools.report import write_report

    with ExitStack() as stack:
        events = RunLog(folder.db, listen)
        stack.callback(events.close)
        before = events.events()
        study = StudyStore.open(folder, task, storage, emit=events.append)
        history = reconcile(folder, study, emit=events.append)
        restore_events(history, events)
        used = spent(before, history)
        reason = nothing_left(before, used, task)
        if reason is not None:
            # Written again: the sitting may have been killed before it was, and it costs little.
            report = write_report(folder.path).markdown
            return Result("finished", reason, history, folder.path, used, verdict(before), report)
        for command_id, _ in events.take_commands():  # asked of a sitting that had ended, not of this one
            events.acknowledge(command_id, False, "The run was not running when this was asked.")

        door = _open_door(task, folder, settings, replay, events, used.model)
        if door is not None:
            stack.callback(door.close)
        objective = objective or task.objective_ref()

        def slower(cause: str) -> None:
            how = "trials run all the same, each from a slower start"
            events.append(Degraded(what="warning", where="execution", cause=cause[:500], continuation=how))

        executor = LocalExecutor(task.workers, preload=_preload(task, objective), warn=slower)
        stack.callback(executor.close)
        plan = standing_plan(before, task)
        engine = _build_engine(
            task,
            folder,
            study,
            history,
            events,
            executor,
            objective,
            door,
            used,
            plan,
            stated_beliefs(before),
        )
        stack.callback(engine.close)
        events.on_fault = lambda error: engine.request_stop(
            f"whoever listened to the run failed: {type(error).__name__}: {error}"
        )
        events.append(
            RunStarted(
                name=folder.path.name,
                folder=str(folder.path),
                strategy=engine.strategy.name,
                policy=engine.policy_name,
                model=None if door is None else door.model,
                workers=task.workers,
                resumed=bool(before),
                trials_before=used.trials,
                version=metadata.version("tunesmith"),
            )
        )
        with _signals(engine):
            try:
                result = _run(engine, task, folder, executor, events, objective)
            except Exception as error:
                # Whoever watches must learn that nothing runs any more; the same command continues.
                cause = error_line(error)
                events.append(RunFinished(reason=f"an internal error: {cause}", status="stopped"))
                raise
        if events.fault is not None:
            raise events.fault
        if replay is not None:
            _check_replay(events.events(after_seq=len(before)), replay)
        return result


def _check_replay(happened: Sequence[Event], replay: Path) -> None:
    """A replay that needed more than was recorded has repeated nothing, however well the run ended.

    Raises:
        ReplayMiss: With the first request that no recording fits.
    """
    misses = [e.cause for e in happened if isinstance(e, Degraded) and e.cause.startswith("ReplayMiss")]
    if misses:
        raise ReplayMiss(
            f"{replay} does not fit this run: {len(misses)} requests have no recording. The run was finished "
            f"without a model there. The first: {misses[0].removeprefix('ReplayMiss: ')}"
        )


def _run(
    engine: Engine,
    task: Task,
    folder: RunFolder,
    executor: Executor,
    events: EventStore,
    objective: Objective,
) -> Result:
    from tunesmith.tools.engine.confirmation import Confirmation
    from tunesmith.tools.report import write_report

    ended = engine.run()
    compared, status, reason = "", ended.status, ended.reason
    if status == "finished" and ended.history.completed:
        confirmation = Confirmation(
            task, folder, executor, events.append, objective, should_stop=engine.told_to_stop
        )
        try:
            compared = confirmation.run(ended.history)
        except KeyboardInterrupt:
            engine.request_stop("interrupted")
        if engine.stopping is not None:
            status, reason, compared = "stopped", engine.stopping, ""
    engine.close()
    events.append(
        RunFinished(reason=reason, status=status, by_budget=ended.by_budget, budget_trials=task.budget.trials)
    )
    report = write_report(folder.path)
    return Result(status, reason, ended.history, folder.path, engine.spend, compared, report.markdown)


def _build_engine(
    task: Task,
    folder: RunFolder,
    study: StudyStore,
    history: History,
    events: EventStore,
    executor: Executor,
    objective: Objective,
    door: OpenAICompatible | None,
    spent: Spend,
    plan: Decision | None,
    stated_before: Sequence[ElicitedPrior] | None,
) -> Engine:
    from tunesmith.agent.knowledge import cards_for
    from tunesmith.agent.methods.gp.strategy import GaussianProcessStrategy
    from tunesmith.agent.methods.hybrid.elicited_priors import ElicitedPriors
    from tunesmith.agent.methods.hybrid.gate import ShareGate
    from tunesmith.agent.methods.hybrid.strategy import HybridStrategy
    from tunesmith.agent.methods.hybrid.suggester import HybridSuggester
    from tunesmith.agent.policy.rules import RulesPolicy
    from tunesmith.tools.engine.loop import Engine
    from tunesmith.tools.toolbox.study_toolbox import StudyToolbox

    alone = GaussianProcessStrategy(
        task.space, task.seed, words=task.words(), cards=cards_for(task.data_card, task.space)
    )
    stated = ElicitedPriors(task.space, stated_before)
    method = "hybrid" if task.tuner is None else task.tuner.method
    hybrid = method == "hybrid" and (door is not None or stated.asked)
    strategy: Strategy = HybridStrategy(alone, stated) if hybrid else alone
    rules = RulesPolicy(events.append, standing_in=door is not None)
    policy: Any = rules
    proposer = None
    if method == "llambo":
        from tunesmith.api.llambo import llambo_policy

        policy = llambo_policy(task, door, alone, rules, events.append)
    elif door is not None:
        from tunesmith.agent.methods.llambo import LlamboProposer
        from tunesmith.agent.policy.langchain_agent import AgentPolicy
        from tunesmith.agent.policy.turn_schedule import ScheduledPolicy

        proposer = LlamboProposer(door, task, events.append)
        between = RulesPolicy(events.append, standing_in=True)
        policy = ScheduledPolicy(AgentPolicy(door, events.append), between)
    suggester = HybridSuggester(strategy, proposer, events.append, stated)

    def make_toolbox(briefing: Briefing, engine: Engine) -> StudyToolbox:
        return StudyToolbox(
            briefing,
            suggest=suggester,
            launch=engine.launch,
            queued=lambda: engine.queued,
            gate=ShareGate() if method == "hybrid" else None,
        )

    engine = Engine(
        task=task,
        folder=folder,
        study=study,
        history=history,
        events=events,
        strategy=strategy,
        policy=policy,
        fallback=rules,
        make_toolbox=make_toolbox,
        executor=executor,
        objective=objective,
        spent=spent,
        model_spend=(lambda: door.spend) if door is not None else ModelSpend,
        has_model=door is not None and method == "hybrid",
        plan=plan,
    )
    if method == "llambo" and policy is not rules:
        policy.waiting = lambda: engine.queued
    return engine


def _open_door(
    task: Task,
    folder: RunFolder,
    settings: ModelSettings | None,
    replay: Path | None,
    events: EventStore,
    spent: ModelSpend,
) -> OpenAICompatible | None:
    """The door to the model, or None: without settings or recording, or when the server names no model."""
    if task.tuner is not None and task.tuner.method == "numeric":
        return None
    if settings is None and replay is None:
        return None
    from tunesmith.agent.models import OpenAICompatible
    from tunesmith.errors import ModelError

    door = None
    try:
        door = OpenAICompatible(
            settings,
            task.budget.model,
            events.append,
            exchanges=replay or folder.exchanges,
            mode="replay" if replay else "record",
            spent=spent,
            timeout_s=None if settings is None else settings.timeout_s,
        )
        _ = door.model  # asks the server for a name when none was given
    except ModelError as error:
        if door is not None:
            door.close()
        cause = error_line(error)
        how = "this sitting runs without a language model"
        events.append(Degraded(what="fallback", where="model", cause=cause, continuation=how))
        return None
    return door


def _preload(task: Task, objective: Objective) -> Sequence[str]:
    from tunesmith.tools.execution.preload import discover_preload

    return task.preload if task.preload is not None else discover_preload(objective)


@contextmanager
def _signals(engine: Engine) -> Iterator[None]:
    """Ctrl-C and SIGTERM stop cleanly; a second Ctrl-C does not wait. Only the main thread may do this."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(number: int, frame: Any) -> None:
        if engine.stopping is not None:
            raise KeyboardInterrupt
        engine.request_stop("interrupted (Ctrl-C)" if number == signal.SIGINT else "asked to end (SIGTERM)")

    handled = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, handle) for number in handled}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
