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

    return AgentTTSStrategy(options, task.space, task.seed, settings, task.cost_of)


def _build(context: MethodContext) -> MethodParts:
    """With a language model its guidelines and allocations beside the strategy, which goes on deciding."""
    from tunesmith.agent.methods.agenttts.guided import GuidedStrategy
    from tunesmith.agent.methods.hybrid.gate import ShareGate

    strategy = GuidedStrategy(strategy_for(context.task, context.settings))
    if context.model is None:
        return MethodParts(strategy, gate=ShareGate())
    from tunesmith.agent.methods.agenttts.archive import Archive
    from tunesmith.agent.methods.agenttts.suggester import GuidedSuggester
    from tunesmith.agent.policy.langchain_agent import AgentPolicy
    from tunesmith.agent.policy.rules import RulesPolicy
    from tunesmith.agent.policy.turn_schedule import ScheduledPolicy

    archive = Archive(context.emit, context.earlier)
    suggester = GuidedSuggester(
        strategy,
        context.model,
        context.task,
        strategy.numeric.pipeline,
        context.settings,
        archive,
        context.emit,
        context.competing,
    )
    # The model's part is its rounds; beside them it answers a person, and follows what a person says.
    rules = RulesPolicy(context.emit, standing_in=True, competing=True)
    agent = AgentPolicy(context.model, context.emit)
    policy = ScheduledPolicy(agent, rules, turns=False, emit=context.emit)
    return MethodParts(strategy, policy, suggester, ShareGate(), archive.lines)


METHOD = Method(
    summary="where a pipeline spends its compute: insights that trials may refute, with or without a model",
    build=_build,
    settings=AgentTTSSettings,
    uses_model=True,
    several_metrics=True,
    limits=True,
)
