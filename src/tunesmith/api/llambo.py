"""Puts LLAMBO together for a run whose task asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunesmith.events import Degraded
from tunesmith.interfaces import Emit, Policy

if TYPE_CHECKING:
    from tunesmith.agent.methods.gp.strategy import GaussianProcessStrategy
    from tunesmith.agent.models import LanguageModel
    from tunesmith.agent.policy.rules import RulesPolicy
    from tunesmith.task import Task


def llambo_policy(
    task: Task,
    model: LanguageModel | None,
    fallback: GaussianProcessStrategy,
    rules: RulesPolicy,
    emit: Emit,
) -> Policy:
    """The policy that lets LLAMBO choose every trial, or `rules`, told as a fallback, without a model."""
    from tunesmith.agent.methods.llambo.composition import compose
    from tunesmith.agent.methods.llambo.context import TaskWords
    from tunesmith.agent.methods.llambo.policy import LlamboPolicy
    from tunesmith.agent.methods.llambo.protocol import protocol_for

    assert task.tuner is not None, "asked for only where the task names LLAMBO"
    if model is None:
        cause = f"the task asks for {task.tuner.text()}, and there is no language model"
        how = f"the {fallback.name} strategy chooses every trial"
        emit(Degraded(what="fallback", where="tuner", cause=cause, continuation=how))
        return rules
    strategy = compose(
        model,
        task.space,
        task.seed,
        TaskWords.of(task),
        protocol_for(task.tuner),
        fallback=fallback,
        data=task.data_card,
        emit=emit,
    )
    return LlamboPolicy(strategy, task.tuner, rules, emit)
