"""What people expect of hyperparameters, as priors of the Gaussian process.

They stand beside the priors by name and in the place of a language model's on the same hyperparameter, fade
with evidence, and count only as far as the data agree with them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from tunesmith.agent.knowledge import Card
from tunesmith.agent.methods.base import MethodParts
from tunesmith.agent.methods.gp.strategy import GaussianProcessStrategy
from tunesmith.agent.methods.hybrid.elicited_priors import card_of
from tunesmith.agent.methods.hybrid.strategy import HybridStrategy
from tunesmith.commands import SetPrior
from tunesmith.events import ElicitedPrior
from tunesmith.interfaces import Strategy
from tunesmith.space import Bool, Categorical, Space

ON_CHOICE = 0.8
"""Share of the belief on a choice that a person expects to be the best."""


def takes_priors(strategy: Strategy) -> bool:
    """Whether a strategy can be told what people expect."""
    return isinstance(strategy, GaussianProcessStrategy | HybridStrategy)


def with_priors(parts: MethodParts, priors: Sequence[SetPrior]) -> MethodParts:
    """The parts of a method with what people expect; as they are where the method takes no priors."""
    strategy = parts.strategy
    if not priors:
        return parts
    if isinstance(strategy, HybridStrategy):
        strategy.stated = cards(priors, strategy.space)
        strategy.numeric = strategy.numeric.with_advice(strategy.stated, None)
    elif isinstance(strategy, GaussianProcessStrategy):
        return replace(parts, strategy=strategy.with_advice(cards(priors, strategy.space), None))
    return parts


def cards(priors: Sequence[SetPrior], space: Space) -> Mapping[str, Card]:
    """The priors by hyperparameter, of those that are tuned."""
    found: dict[str, Card] = {}
    for prior in priors:
        parameter = space.parameters.get(prior.parameter)
        if parameter is None or parameter.size == 1:
            continue
        if isinstance(parameter, Categorical | Bool):
            belief = ElicitedPrior(parameter=prior.parameter, weights={str(prior.best): ON_CHOICE})
        else:
            low, high = (prior.best if end is None else end for end in (prior.low, prior.high))
            belief = ElicitedPrior(parameter=prior.parameter, low=low, best=prior.best, high=high)
        card = card_of(belief, parameter)
        if card is not None:
            found[prior.parameter] = card
    return found
