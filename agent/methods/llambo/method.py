"""LLAMBO as methods of a task: `llambo`, and with upstream's constants `llambo-paper` and `llambo-code`."""

from __future__ import annotations

from dataclasses import replace

from tunesmith.agent.methods.base import Method, MethodContext, MethodParts
from tunesmith.agent.methods.llambo.settings import (
    LlamboCodeSettings,
    LlamboPaperSettings,
    LlamboSettings,
    calls_needed,
)
from tunesmith.events import Degraded


def _build(context: MethodContext) -> MethodParts:
    """Without a language model the Gaussian process alone, recorded as a fallback."""
    from tunesmith.agent.methods.gp.method import strategy_for
    from tunesmith.agent.methods.llambo.composition import compose
    from tunesmith.agent.methods.llambo.context import TaskWords
    from tunesmith.agent.methods.llambo.policy import LlamboPolicy

    task, settings, fallback = context.task, context.settings, strategy_for(context.task)
    if context.model is None:
        cause = f"the task asks for {context.name}, and there is no language model"
        how = f"the {fallback.name} strategy chooses every trial"
        context.emit(Degraded(what="fallback", where="tuner", cause=cause, continuation=how))
        return MethodParts(fallback)
    strategy = compose(
        context.model,
        task.space,
        task.seed,
        TaskWords.of(task),
        settings,
        fallback=fallback,
        data=task.data_card,
        emit=context.emit,
    )
    return MethodParts(fallback, LlamboPolicy(strategy, context.name, settings, context.emit))


LLAMBO = Method(
    summary="LLAMBO, repaired: a language model proposes every trial and predicts its value",
    build=_build,
    settings=LlamboSettings,
    uses_model=True,
    proposes_every_trial=True,
    several_metrics=True,
    limits=True,
    calls_needed=calls_needed,
)
LLAMBO_PAPER = replace(LLAMBO, summary="LLAMBO with the paper's constants", settings=LlamboPaperSettings)
LLAMBO_CODE = replace(LLAMBO, summary="LLAMBO with the released code's", settings=LlamboCodeSettings)
