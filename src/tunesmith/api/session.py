"""One session of a run: its parts are built, joined, run and taken down again.

    store, language model, method (strategy, policy, suggester), executor -> engine -> comparison -> report

Every part that can be chosen by name comes from `tunesmith.registry`. Read `run_session` to see how they fit.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.api.checking import check_loading, code_to_run
from tunesmith.api.earlier import earlier_python, end_is_stale, nothing_left, standing_plan
from tunesmith.api.recommending import recommend
from tunesmith.api.result import Result
from tunesmith.api.stopping import stoppable
from tunesmith.budget import ModelSpend
from tunesmith.commands import SetPrior
from tunesmith.errors import ObjectiveError, ReplayMiss
from tunesmith.events import Degraded, Event, Noted, RunFinished, RunStarted, TaskChanged, Woken
from tunesmith.interfaces import Briefing, Conversation, Emit, Strategy
from tunesmith.objective import Objective
from tunesmith.recommendation import by_best_value
from tunesmith.registry import POLICIES
from tunesmith.settings import ModelSettings
from tunesmith.stated_prior import StatedPrior
from tunesmith.task import Task
from tunesmith.task.budget_size import too_small
from tunesmith.task.goal_hints import goal_hints
from tunesmith.text.cleaning import error_line
from tunesmith.text.secrets import remember
from tunesmith.tools.analysis.health import health
from tunesmith.tools.execution.base import Executor, ExecutorContext
from tunesmith.tools.records.base import RunStore
from tunesmith.tools.records.certificate_file import certificate_now
from tunesmith.tools.records.log_reading import (
    conversation_spent,
    elicited_priors,
    recommended,
    spent,
)
from tunesmith.tools.records.moments import KeptMoments, Moments, ReplayedMoments
from tunesmith.tools.records.run_folder import EXCHANGES
from tunesmith.tools.report.comparison import verdict_now
from tunesmith.trial import Proposal

if TYPE_CHECKING:
    from tunesmith.agent.methods.base import MethodParts
    from tunesmith.agent.models import Answering, LanguageModel, Provider
    from tunesmith.tools.analysis.certificate import Certificate
    from tunesmith.tools.engine.loop import Engine
    from tunesmith.tools.sinks.session import SessionSinks
    from tunesmith.tools.toolbox.study_toolbox import StudyToolbox

Listener = Callable[[Event], None]
STOPPED_BY = {
    signal.SIGINT: "interrupted (Ctrl-C)",
    signal.SIGTERM: "asked to end (SIGTERM)",
    signal.SIGHUP: "the terminal was closed (SIGHUP)",
}


def run_session(
    task: Task,
    store: RunStore,
    *,
    settings: ModelSettings | Provider | Answering | None,
    objective: Objective | None = None,
    replay: Path | None = None,
    listen: Listener | None = None,
) -> Result:
    """Run or continue the run in `store`, whose lease the caller holds, until it ends or is stopped.

    Args:
        objective: What to train; None means what the task names.
        replay: Take the model's answers from this exchanges.jsonl; no network is used.
        listen: Whatever it raises stops the run, resumably, and is then passed on.
    """
    from tunesmith.agent.methods.gp.threads import one_blas_thread
    from tunesmith.agent.policy.base import PolicyContext
    from tunesmith.api.reporting import believing
    from tunesmith.api.run_log import RunLog
    from tunesmith.tools.engine.loop import Engine
    from tunesmith.tools.engine.steering import Rebuilt, answer_late
    from tunesmith.tools.sinks.session import SessionSinks

    task = store.task  # with what people have changed by commands
    key = settings.api_key.get_secret_value() if isinstance(settings, ModelSettings) else ""
    remember({"API_KEY": key, **task.env.given})
    with ExitStack() as stack:
        stack.callback(store.close)
        log = RunLog(store.events, listen)
        stack.callback(log.close)
        before = store.events.events()
        found: list[Event] = []
        history = store.load(lambda event: found.append(log.append(event)))
        used = spent(before, history)
        new_space = any(isinstance(event, TaskChanged) and event.space for event in found)
        reason = nothing_left(before, used, task, history, new_space=new_space)
        standing = recommended(before, history)
        if reason is not None and end_is_stale(before, used, task, history, store.path):
            reason = None  # no trial is left to run, but what is recommended, or its comparison, is
        sinks = SessionSinks(store.path, task, log.append, believing(log.append))
        stack.callback(sinks.close)
        sinks.open(store.events)
        if reason is not None:
            for event in found:  # what was changed is told though nothing is run
                if listen is not None and isinstance(event, TaskChanged | Noted):
                    listen(event)
            sinks.close()  # the report is written again: the session may have been killed before it was
            return Result(
                "finished",
                reason,
                history,
                store.path,
                used,
                verdict_now(store.path, history, before),
                sinks.report,
                standing or by_best_value(history),
                store.study_text,
                health(history, task, before),
                certificate_now(store.path, task),
            )
        log.hand_over = sinks.handle
        answer_late(store.events, store.steered)

        model = _open_model(task, store, settings, replay, log.append, used.model)
        if model is not None:
            stack.callback(model.close)
            # The policy's thread proposes beside the engine's; a replay is to get the same last bits.
            stack.enter_context(one_blas_thread())
        plan = None if new_space else standing_plan(before, task)
        competing = () if plan is None else plan.candidates
        parts = _build_method(task, model, log.append, before, competing, store.steered.priors)
        moments = _moments(store, replay, recording=model is not None)
        from_python = objective
        objective, interpreter = code_to_run(task, objective)
        earlier = earlier_python(before)
        if interpreter is not None and earlier not in ("", interpreter.name):
            log.append(Noted(text=f"Earlier trials of this run ran in another Python: {earlier}."))
        executor = build_executor(task, objective, log.append)
        stack.callback(executor.close)
        fallback = POLICIES.get(POLICIES.default).build(PolicyContext(task, log.append, model))

        def rebuild(task: Task, priors: Sequence[SetPrior], competing: Sequence[Proposal]) -> Rebuilt:
            """The parts of this session for a task that a person has changed."""
            if model is not None:
                model.change_caps(task.budget.model)
            parts = _build_method(task, model, log.append, store.events.events(), competing, priors)
            code = task.surrounded(from_python) if from_python is not None else task.objective_ref()
            if interpreter is not None:
                code = replace(code, python=interpreter.path)
            policy = parts.policy or fallback
            return Rebuilt(parts.strategy, policy, _toolbox_maker(parts), parts.conclusions, code)

        engine = Engine(
            task=task,
            store=store,
            history=history,
            emit=log.append,
            strategy=parts.strategy,
            policy=parts.policy or fallback,
            fallback=fallback,
            make_toolbox=_toolbox_maker(parts),
            executor=executor,
            objective=objective,
            spent=used,
            model_spend=ModelSpend if model is None else lambda: model.usage,
            plan=plan,
            moments=moments,
            conclusions=parts.conclusions,
            rebuild=rebuild,
            takes_priors=lambda: _takes_priors(parts.strategy),
            conversation=_conversation(task, store, settings, replay, log.append, model, before),
        )
        stack.callback(engine.close)
        log.on_fault = lambda error: engine.request_stop(
            f"the listener of the run failed: {type(error).__name__}: {error}"
        )
        log.append(
            RunStarted(
                name=store.path.name,
                folder=str(store.path),
                strategy=engine.strategy.name,
                policy=engine.policy_name,
                model=None if model is None else model.label,
                workers=task.workers,
                resumed=bool(before),
                trials_before=used.trials,
                cost_before=used.cost,
                version=metadata.version("tunesmith"),
                python="" if interpreter is None else interpreter.line(),
                priors=_told_priors(engine.strategy.stated_priors(task.default), store.steered.priors),
            )
        )
        for note in task.space.notes if not before else ():
            log.append(Degraded(what="warning", where="space", cause=note, continuation="it is left out"))
        for text in (*goal_hints(task), *too_small(task)) if not before else ():
            log.append(Noted(text=f"{text[:1].upper()}{text[1:]}."))
        with _signals(engine), stoppable(store.path, engine):
            try:
                check_loading(
                    task,
                    executor,
                    objective,
                    history=history,
                    should_stop=lambda: engine.stopping is not None,
                )
                result = _run(engine, store, executor, log.append, sinks)
            except ObjectiveError as error:
                log.append(RunFinished(reason=str(error).partition("\n")[0], status="failed"))
                raise
            except Exception as error:
                # Watching terminals must learn that nothing runs any more; the same command continues.
                cause = error_line(error)
                log.append(RunFinished(reason=f"an internal error: {cause}", status="stopped"))
                raise
        if log.fault is not None:
            raise log.fault
        if replay is not None:
            _check_replay(store.events.events(after_seq=len(before)), replay, moments)
        return result


def _run(
    engine: Engine,
    store: RunStore,
    executor: Executor,
    emit: Emit,
    sinks: SessionSinks,
) -> Result:
    """The search, the comparison on fresh seeds, the report."""
    from tunesmith.tools.engine.confirmation import Confirmation

    ended = engine.run()
    task, objective = engine.task, engine.objective  # as people left them
    compared, status, reason = "", ended.status, ended.reason
    recommendation = recommend(engine.strategy, ended.history, emit)
    certificate: Certificate | None = None
    if task.certify is not None and status == "finished" and ended.history.completed:
        from tunesmith.tools.engine.certification import Certification, recommend_certified

        certification = Certification(task, store, executor, emit, objective, engine.asked_to_stop)
        try:
            certificate = certification.run(ended.history)
        except KeyboardInterrupt:
            engine.request_stop("interrupted")
        if certificate is not None:
            recommendation = recommend_certified(certificate, ended.history, recommendation, emit)
        if engine.stopping is not None:
            status, reason = "stopped", engine.stopping
    if status == "finished" and ended.history.completed:
        confirmation = Confirmation(task, store, executor, emit, objective, should_stop=engine.asked_to_stop)
        try:
            compared = confirmation.run(ended.history, recommendation)
        except KeyboardInterrupt:
            engine.request_stop("interrupted")
        if engine.stopping is not None:
            status, reason, compared = "stopped", engine.stopping, ""
    engine.close()
    store.mend()
    emit(
        RunFinished(
            reason=reason,
            status=status,
            by_budget=ended.by_budget,
            infeasible=bool(ended.history.completed) and ended.history.incumbent is None,
            budget_trials=task.budget.trials,
            budget_cost=task.budget.cost if ended.too_dear else None,
        )
    )
    sinks.close()
    return Result(
        status,
        reason,
        ended.history,
        store.path,
        engine.spend,
        compared,
        sinks.report,
        recommendation,
        store.study_text,
        health(ended.history, task, store.events.events()),
        certificate,
    )


def _open_model(
    task: Task,
    store: RunStore,
    settings: ModelSettings | Provider | Answering | None,
    replay: Path | None,
    emit: Emit,
    spent: ModelSpend,
) -> LanguageModel | None:
    """The language model; None where nothing uses one, none is configured, or it can never be used."""
    if not task.uses_model or (settings is None and replay is None):
        return None
    from tunesmith.agent.models import open_model
    from tunesmith.agent.models.reservations import CALLS
    from tunesmith.errors import ModelError

    model = None
    try:
        model = open_model(
            settings,
            task.budget.model,
            emit,
            exchanges=replay or store.path / EXCHANGES,
            mode="replay" if replay else "record",
            spent=spent,
            calls=store.path / CALLS,
        )
        model.find()  # asks the server for a name when none was given
    except ModelError as error:
        if model is not None:
            model.close()
        cause, how = error_line(error), "this session runs without a language model"
        emit(Degraded(what="fallback", where="model", cause=cause, continuation=how))
        return None
    return model


def _conversation(
    task: Task,
    store: RunStore,
    settings: ModelSettings | Provider | Answering | None,
    replay: Path | None,
    emit: Emit,
    model: LanguageModel | None,
    before: Sequence[Event],
) -> Conversation:
    """Answers people, by the run's model where it has one; asked nothing, it opens nothing."""
    from tunesmith.agent.conversation.opened import conversation_model
    from tunesmith.agent.conversation.talker import LONGEST_LOG, Talker
    from tunesmith.tools.records.trial_log import end_of_log

    def opens() -> LanguageModel:
        return conversation_model(
            settings,
            task.budget.conversation,
            emit,
            store.path,
            replay=replay,
            search=model,
            spent=lambda: conversation_spent(before),
        )

    def log_of(number: int) -> str:
        return end_of_log(store.trial_folder(number), LONGEST_LOG)

    return Talker(emit, None if model is None else opens, log_of=log_of)


def _moments(store: RunStore, replay: Path | None, *, recording: bool) -> Moments:
    """When answers take effect: as in the run that is replayed, else kept beside the recorded answers."""
    if replay is not None:
        return ReplayedMoments(replay)
    return KeptMoments(store.path / EXCHANGES) if recording else Moments()


def _told_priors(stated: Sequence[StatedPrior], people: Sequence[SetPrior]) -> tuple[StatedPrior, ...]:
    """The priors at the start; a person's stands in the place of a model's, and is named as what it is."""
    theirs = {prior.parameter for prior in people}
    return tuple(
        p.model_copy(update={"source": "person"}) if p.source == "model" and p.parameter in theirs else p
        for p in stated
    )


def _build_method(
    task: Task,
    model: LanguageModel | None,
    emit: Emit,
    before: Sequence[Event],
    competing: Sequence[Proposal],
    priors: Sequence[SetPrior],
) -> MethodParts:
    """The parts of the task's method, with the task's own choice of a policy, and what people expect."""
    from tunesmith.agent.methods.base import MethodContext

    context = MethodContext(
        task,
        emit,
        model,
        name=task.tuner.text(),
        settings=task.tuner.settings,
        elicited=elicited_priors(before),
        competing=competing,
        earlier=before,
    )
    parts: MethodParts = task.tuner.member.build(context)
    if priors:
        from tunesmith.agent.methods.hybrid.stated import with_priors

        parts = with_priors(parts, priors)
    return parts if task.policy is None else replace(parts, policy=POLICIES.get(task.policy).build(context))


def _takes_priors(strategy: Strategy) -> bool:
    from tunesmith.agent.methods.hybrid.stated import takes_priors

    return takes_priors(strategy)


def _toolbox_maker(parts: MethodParts) -> Callable[[Briefing, Engine], StudyToolbox]:
    from tunesmith.agent.methods.base import StrategySuggester
    from tunesmith.tools.toolbox.study_toolbox import StudyToolbox

    suggester = parts.suggester or StrategySuggester(parts.strategy)

    def make_toolbox(briefing: Briefing, engine: Engine) -> StudyToolbox:
        return StudyToolbox(
            briefing,
            suggest=suggester,
            launch=engine.launch,
            queued=lambda: engine.queued,
            gate=parts.gate,
            history=lambda: engine.history,
            in_turn=engine.launch_in_turn,
            on_advice=engine.take_advice,
        )

    return make_toolbox


def build_executor(task: Task, objective: Objective, emit: Emit) -> Executor:
    """The task's executor, with the libraries of its training code loaded once."""
    from tunesmith.tools.execution.preload import Discovered, discover

    def warn(cause: str) -> None:
        how = "trials run all the same, each from a slower start"
        emit(Degraded(what="warning", where="execution", cause=cause[:500], continuation=how))

    def tell(text: str) -> None:
        emit(Noted(text=text[:1000]))

    preload = Discovered(list(task.preload)) if task.preload is not None else discover(objective)
    if preload.fault:
        warn(preload.fault)
    context = ExecutorContext(task.executor.settings, task.workers, preload.modules, warn, tell, objective)
    executor: Executor = task.executor.member.build(context)
    return executor


def _check_replay(happened: Sequence[Event], replay: Path, moments: Moments) -> None:
    """A replay that needed more than was recorded has repeated nothing, however well the run ended.

    Raises:
        ReplayMiss: With the first request that no recording fits.
    """
    if isinstance(moments, ReplayedMoments) and moments.unfinished is not None:
        wakes = [place for place, event in enumerate(happened) if isinstance(event, Woken)]
        happened = happened[: [*wakes, len(happened)][min(moments.unfinished - 1, len(wakes))]]
    misses = [e.cause for e in happened if isinstance(e, Degraded) and e.cause.startswith("ReplayMiss")]
    if misses:
        raise ReplayMiss(
            f"{replay} does not fit this run: {len(misses)} requests have no recording. The run was finished "
            f"without a model there. The first: {misses[0].removeprefix('ReplayMiss: ')}"
        )


@contextmanager
def _signals(engine: Engine) -> Iterator[None]:
    """Ctrl-C, SIGTERM and a closed terminal stop cleanly; a second signal does not wait.

    Only the main thread may do this. Where SIGHUP is ignored, as under nohup, it stays so.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(number: int, frame: Any) -> None:
        if engine.stopping is not None:
            raise KeyboardInterrupt
        engine.request_stop(STOPPED_BY[signal.Signals(number)])

    handled = [number for number in STOPPED_BY if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, handle) for number in handled}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
