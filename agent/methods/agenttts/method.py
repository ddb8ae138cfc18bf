"""The method `agenttts`: allocations of a pipeline by insights that the trials may refute."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunesmith.agent.methods.agenttts.settings import AgentTTSSettings
from tunesmith.agent.methods.base import Method, MethodContext, MethodParts
from tunesmith.errors import TaskError
from tunesmith.pipeline.kind import COST, QUALITY
from tunesmith.pipeline.settings import PipelineSettings
from tunesmith.task import Task

if TYPE_CHECKING:
    from tunesmith.agent.methods.agenttts.strategy import AgentTTSStrategy


def strategy_for(task: Task, settings: AgentTTSSettings | None = None) -> AgentTTSStrategy:
    """The strategy of a pipeline's task.

    Raises:
        TaskError: The task is no pipeline, or is about metrics that no pipeline has.
    """
    options = task.problem.settings if task.problem is not None else None
    if not isinstance(options, PipelineSettings):
        raise TaskError(
            "agenttts allocates the compute of a pipeline, and this task's `problem` is none.",
            key="tuner",
            path=task.path,
            fix="Choose another method, such as `tuner: hybrid`, or state `problem: {name: pipeline, ...}`.",
        )
    beyond = [name for name in task.goals.names if name not in (QUALITY, COST)]
    if beyond:
        raise TaskError(
            f"agenttts models {QUALITY} and {COST}, not {beyond[0]!r}.",
            key="tuner",
            path=task.path,
            fix="Choose another method, such as `tuner: hybrid`.",
        )
    from tunesmith.agent.methods.agenttts.strategy import AgentTTSStrategy

    return AgentTTSStrategy(options, task.space, task.seed, settings)


def _build(context: MethodContext) -> MethodParts:
    return MethodParts(strategy_for(context.task, context.settings))


METHOD = Method(
    summary="where a pipeline spends its compute: insights that the trials may refute; no language model",
    build=_build,
    settings=AgentTTSSettings,
    several_metrics=True,
    limits=True,
)
