"""Our own methods: the strategy that a run of the task would have, one trial at a time, without a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunesmith.bench.pipelines.search import Search
from tunesmith.history import History
from tunesmith.interfaces import Strategy
from tunesmith.items import Items
from tunesmith.task import Task
from tunesmith.trial import Proposal, Trial, TrialState


def strategy_of(task: Task, method: str, settings: Mapping[str, Any]) -> Strategy:
    """The strategy of a method with some settings of its own, for a task."""
    from tunesmith.agent.methods.base import MethodContext
    from tunesmith.registry import METHODS

    member = METHODS.get(method)
    context = MethodContext(task, lambda event: event, name=method, settings=member.settings(**settings))
    strategy: Strategy = member.build(context).strategy
    return strategy


def run_method(search: Search, method: str, settings: Mapping[str, Any] | None = None) -> None:
    """Trials as the method proposes them, each on all items, until the budget is spent."""
    task = search.landscape.task
    strategy = strategy_of(task, method, settings or {})
    history = task.empty_history()
    while not (search.over or search.stuck):
        proposals = strategy.propose(history, 1)
        if not proposals:
            break
        search.proposals += 1
        configuration = proposals[0].configuration
        seen = search.evaluate(configuration)
        history = history.with_trial(
            completed(history, task, proposals[0], seen.values, seen.scores.tolist())
        )
    if search.landscape.noisy:
        deliver(search, strategy, history)


def completed(
    history: History, task: Task, proposal: Proposal, values: Mapping[str, float], scores: list[float]
) -> Trial:
    """A trial that ended well, with its items."""
    return Trial(
        number=len(history),
        proposal=proposal,
        state=TrialState.COMPLETED,
        value=values[task.metric],
        values=dict(values),
        items={task.metric: Items(tuple(scores)).pack()},
        cost=task.cost_of(proposal.configuration),
    )


def deliver(search: Search, strategy: Strategy, history: History) -> None:
    """What a run would recommend at its end."""
    recommended = strategy.recommend(history)
    if recommended is not None and (trial := history.get(recommended.trial)) is not None:
        search.choose(trial.configuration)
