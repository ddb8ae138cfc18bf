"""The preset `agenttts-paper`: AgentTTS with its constants, a language model proposing every trial."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunesmith.agent.methods.agenttts.paper_settings import PaperSettings, calls_needed
from tunesmith.agent.methods.base import Method, MethodContext, MethodParts
from tunesmith.errors import TaskError
from tunesmith.events import Degraded
from tunesmith.pipeline.settings import PipelineSettings

if TYPE_CHECKING:
    from tunesmith.agent.methods.agenttts.paper import PaperStrategy
    from tunesmith.interfaces import Strategy


def _build(context: MethodContext) -> MethodParts:
    """Without a language model, or for a task that is no pipeline, the numeric strategy alone."""
    from tunesmith.agent.methods.agenttts.policy import PaperPolicy

    strategy, missing = paper_strategy(context), ""
    if strategy is None:
        missing = "there is no language model" if context.model is None else "the task is no pipeline"
        fallback = _fallback(context)
        cause = f"the task asks for {context.name}, and {missing}"
        how = f"the {fallback.name} strategy chooses every trial"
        context.emit(Degraded(what="fallback", where="tuner", cause=cause, continuation=how))
        return MethodParts(fallback)
    policy = PaperPolicy(strategy, context.name, context.emit)
    return MethodParts(strategy.fallback, policy, conclusions=strategy.archive.lines)


def paper_strategy(context: MethodContext) -> PaperStrategy | None:
    """The published loop as a strategy, which waits for its model; None without a model or a pipeline.

    For use outside a run, such as in the benchmark; in a run its policy asks it.
    """
    from tunesmith.agent.methods.agenttts.archive import Archive
    from tunesmith.agent.methods.agenttts.paper import PaperStrategy

    problem = context.task.problem
    options = None if problem is None else problem.settings
    if context.model is None or not isinstance(options, PipelineSettings):
        return None
    return PaperStrategy(
        context.task,
        options,
        context.model,
        context.settings,
        fallback=_fallback(context),
        archive=Archive(context.emit, context.earlier),
        emit=context.emit,
    )


def _fallback(context: MethodContext) -> Strategy:
    """The same method without a model; the Gaussian process where the task is no pipeline."""
    from tunesmith.agent.methods.agenttts import method
    from tunesmith.agent.methods.gp.method import strategy_for

    try:
        return method.strategy_for(context.task)
    except TaskError:
        return strategy_for(context.task)


METHOD = Method(
    summary="AgentTTS with the paper's constants: a language model plans a pipeline's trials in batches",
    build=_build,
    settings=PaperSettings,
    uses_model=True,
    proposes_every_trial=True,
    several_metrics=True,
    limits=True,
    calls_needed=calls_needed,
)
