"""The method `numeric`: a Gaussian process with priors by hyperparameter name, without a language model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunesmith.agent.methods.base import Method, MethodContext, MethodParts
from tunesmith.task import Task

if TYPE_CHECKING:
    from tunesmith.agent.methods.gp.strategy import GaussianProcessStrategy


def strategy_for(task: Task) -> GaussianProcessStrategy:
    """The Gaussian process of a task: its space and seed, and the priors that fit its words and data."""
    from tunesmith.agent.knowledge import cards_for
    from tunesmith.agent.methods.gp.strategy import GaussianProcessStrategy

    cards = cards_for(task.data_card, task.space)
    return GaussianProcessStrategy(
        task.space,
        task.seed,
        words=task.words(),
        cards=cards,
        noise=task.noise,
        trials=task.budget.trials,
        cost=task.cost_of,
    )


def _build(context: MethodContext) -> MethodParts:
    return MethodParts(strategy_for(context.task))


METHOD = Method(
    summary="a Gaussian process with priors by hyperparameter name; no language model",
    build=_build,
    several_metrics=True,
    limits=True,
)
