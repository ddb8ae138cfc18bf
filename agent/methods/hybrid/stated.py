"""What people expect of hyperparameters, as priors of the Gaussian process.

They stand beside the priors by name and in the place of a language model's on the same hyperparameter, fade
with evidence, and count only as far as the data agree with them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from tunesmith.agent.knowledge import Card
from tunesmith.agent.methods.base import MethodParts
from tunesmith.agent.methods.gp.strategy import GaussianProcessStrategy
from tunesmith.agent.methods.hybrid.elicited_priors import card_of
from tunesmith.agent.methods.hybrid.strategy import HybridStrategy
from tunesmith.commands import SetPrior
from tunesmith.events import ElicitedPrior
from tunesmith.history import History
from tunesmith.interfaces import Strategy
from tunesmith.space import Bool, Categorical, Space
from tunesmith.stated_prior import TRUST, label_of
from tunesmith.trial import Proposal

ON_CHOICE = 0.8
"""Share of the belief on a choice that a person expects to be the best."""


class _WithPeople(GaussianProcessStrategy):
    """The Gaussian process, which says in its reasons that the priors it was told are people's.

    Attributes:
        of_people: Hyperparameters that a person has said something of; further ones are a language model's.
    """

    of_people: frozenset[str]

    def propose(self, history: History, n: int, candidates: Sequence[Proposal] = ()) -> list[Proposal]:
        return [self._named(proposal) for proposal in super().propose(history, n, candidates)]

    def _named(self, proposal: Proposal) -> Proposal:
        alone = self.of_people >= self._elicited.keys()
        who = label_of("person") if alone else f"{label_of('model')} and {label_of('person')}"
        reason = _TRUSTED.sub(rf"\g<1>{who} ", proposal.reason)
        details = dict(proposal.details)
        if alone and f"{TRUST}model" in details:
            details[f"{TRUST}person"] = details.pop(f"{TRUST}model")
        return proposal.model_copy(update={"reason": reason, "details": details})


_TRUSTED = re.compile(rf"(\(trust: [^()]*?){label_of('model')} (?=\d+%)")


def _of_people(strategy: GaussianProcessStrategy, stated: Mapping[str, Card]) -> GaussianProcessStrategy:
    """The same strategy with people's priors."""
    advised = strategy.with_advice(stated, None)
    found = _WithPeople.__new__(_WithPeople)
    found.__dict__.update(advised.__dict__)
    found.of_people = frozenset(stated)
    return found


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
        strategy.numeric = _of_people(strategy.numeric, strategy.stated)
    elif isinstance(strategy, GaussianProcessStrategy):
        return replace(parts, strategy=_of_people(strategy, cards(priors, strategy.space)))
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
