"""Tunesmith without a language model as a contender: as it is, without priors, and with wrong ones.

The wrong ones show what a misleading prior costs: it may cost something, and must not sink a run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tunesmith.bench.contenders.base import Contender
from tunesmith.bench.contenders.build import our_version
from tunesmith.bench.task import BenchTask, Values
from tunesmith.bench.trace import Evaluator, Measured, Steps, Trace, optimise
from tunesmith.errors import InvalidConfiguration

if TYPE_CHECKING:
    from tunesmith.agent.knowledge import Card
    from tunesmith.agent.methods.gp.prior import CardSource
    from tunesmith.agent.methods.gp.strategy import GaussianProcessStrategy
    from tunesmith.goals import Goals
    from tunesmith.history import History
    from tunesmith.interfaces import Strategy
    from tunesmith.task import Task

SHIFT_SD = 3.0
CORNERS = 8


class StrategySteps(Steps):
    """A strategy of ours, asked for one configuration at a time."""

    def __init__(self, task: BenchTask, seed: int, strategy: Strategy) -> None:
        self._strategy, space = strategy, task.space
        self.history = empty_history(task)
        self._initial = [space.validate(values) for values in task.initial(seed)]
        self._proposal: Any = None

    def ask(self) -> Values | None:
        from tunesmith.trial import Origin, Proposal

        number = len(self.history)
        if number < len(self._initial):
            reason = "An initial configuration that all contenders share."
            configuration = self._initial[number]
            self._proposal = Proposal(configuration=configuration, origin=Origin.RANDOM, reason=reason)
        else:
            proposals = self._strategy.propose(self.history, 1)
            if not proposals:
                return None
            self._proposal = proposals[0]
        return dict(self._proposal.configuration)

    def tell(self, measured: Measured) -> None:
        from tunesmith.trial import Trial

        trial = Trial(
            number=len(self.history),
            proposal=self._proposal,
            state=measured.ended,
            value=None if measured.ended.failed else measured.value,
            values=dict(measured.metrics),
        )
        self.history = self.history.with_trial(trial)

    def winners(self) -> tuple[int, ...]:
        return tuple(trial.number for trial in self.history.front)


def empty_history(task: BenchTask) -> History:
    """A study of a task before its first trial."""
    from tunesmith.history import History

    first, *others = task.goals.objectives
    return History(
        task.space,
        first.metric,
        first.direction,
        default=None if task.default is None else task.space.validate(task.default),
        others=tuple(others),
        limits=task.goals.limits,
    )


Change = Callable[["GaussianProcessStrategy"], None]


def no_priors(strategy: GaussianProcessStrategy) -> None:
    strategy.priors = False


def no_data(strategy: GaussianProcessStrategy) -> None:
    from tunesmith.agent.knowledge import find_cards

    strategy.cards = find_cards


def names_wrong(strategy: GaussianProcessStrategy) -> None:
    strategy.cards = shifted(strategy.cards)


def names_shuffled(strategy: GaussianProcessStrategy) -> None:
    known, names = strategy.cards, list(strategy.space.names)
    other = dict(zip(names, names[1:] + names[:1], strict=True))
    strategy.cards = lambda name, parameter, words: known(other[name], parameter, words)


def shifted(known: CardSource) -> CardSource:
    """Cards moved by SHIFT_SD to the side with more room; categories turned upside down."""

    def wrong(name: str, parameter: Any, words: str) -> Any:
        return [_shifted(card, parameter) for card in known(name, parameter, words)]

    return wrong


def _shifted(card: Card, parameter: Any) -> Card:
    from tunesmith.agent.knowledge import Located

    if not isinstance(card, Located):
        total = sum(weight for _, weight in card.weights)
        return replace(card, weights=tuple((choice, (1 - total) / 10) for choice, _ in card.weights))
    ends = parameter.numbers(np.array([0.0, 1.0]))
    if card.transform != "linear":
        ends = np.log10(np.maximum(ends if card.transform == "log10" else 1 - ends, 1e-300))
    up = ends.max() - card.mean > card.mean - ends.min()
    return replace(card, mean=card.mean + (SHIFT_SD if up else -SHIFT_SD) * card.sd)


def in_worst_corner(task: BenchTask) -> BenchTask:
    """The task with the worst of CORNERS random corners for its default; these evaluations do not count."""
    rng = np.random.default_rng(0)
    corners: list[Values] = []
    for row in task.space.round((rng.random((CORNERS, task.space.dimensions)) > 0.5).astype(float)):
        try:
            corners.append(dict(task.space.decode(row)))
        except InvalidConfiguration:
            continue  # a constraint cuts this corner off
    sign = task.goals.primary.sign

    def badness(configuration: Values) -> float:
        try:
            value = sign * task.evaluate(configuration)
        except Exception:  # noqa: BLE001 - a corner where the objective fails is no place to start from
            return np.inf
        return np.inf if np.isnan(value) else value

    return replace(task, default=min(corners, key=badness)) if corners else task


CHANGES: dict[str, Change | None] = {
    "tunesmith": None,
    "tunesmith-no-data": no_data,
    "tunesmith-no-priors": no_priors,
    "tunesmith:names-wrong": names_wrong,
    "tunesmith:names-shuffled": names_shuffled,
    "tunesmith:worst-default": None,
}
"""What each contender changes about the strategy of the method `numeric`."""


def contender(name: str) -> Contender:
    """See `contenders.contender`; `name` is in CHANGES."""

    def run(task: BenchTask, seed: int, evaluations: int, evaluate: Evaluator) -> Trace:
        if name == "tunesmith:worst-default":
            task = in_worst_corner(task)
        strategy = numeric(task, seed, with_data=name != "tunesmith-no-data")
        if (change := CHANGES[name]) is not None:
            change(strategy)
        shared = len(task.initial(seed)) + (task.default is not None)
        return optimise(StrategySteps(task, seed, strategy), shared, evaluations, evaluate)

    return Contender(name, our_version(), name != "tunesmith-no-priors", run)


def numeric(task: BenchTask, seed: int, *, with_data: bool = True) -> GaussianProcessStrategy:
    """The strategy of a run of this task by the method `numeric`."""
    from tunesmith.agent.methods.base import MethodContext
    from tunesmith.registry import METHODS

    made = as_task(task, seed, with_data=with_data)
    method = METHODS.get("numeric")
    context = MethodContext(made, lambda event: event, name="numeric", settings=method.settings())
    strategy: GaussianProcessStrategy = method.build(context).strategy
    return strategy


def as_task(task: BenchTask, seed: int, *, with_data: bool = True) -> Task:
    """A bench task as a run would be given it."""
    from tunesmith.task import Task

    return Task.model_validate(
        {
            **_metrics(task.goals),
            "limits": task.goals.limits,
            "space": task.space,
            "description": task.words,
            "data_card": task.data_card if with_data else None,
            "evaluation": task.evaluation,
            "fixed": dict(task.fixed),
            "seed": seed,
        }
    )


def _metrics(goals: Goals) -> dict[str, object]:
    if goals.several:
        return {"metrics": {goal.metric: goal.direction for goal in goals.objectives}}
    return {"metric": goals.primary.metric, "direction": goals.primary.direction}
