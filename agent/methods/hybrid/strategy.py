"""A language model's knowledge and the surrogate as one strategy.

    gate shut    what the Gaussian process proposes without any model, bit for bit
    gate open    the same, with the model's candidates competing, its elicited priors, and its predictions
                 weighted by their record

Where the model has given nothing there is nothing to gate, and this is the Gaussian process. The proposals
depend on the history, the candidates and the elicited priors alone, so a resumed run goes on alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tunesmith.agent.knowledge import Card
from tunesmith.agent.methods.gp.reasons import LEANS
from tunesmith.agent.methods.gp.strategy import GaussianProcessStrategy
from tunesmith.agent.methods.hybrid.elicited_priors import ElicitedPriors
from tunesmith.agent.methods.hybrid.expert import ModelExpert, model_expert
from tunesmith.agent.methods.hybrid.gate import Step, is_open, side, steps_of
from tunesmith.history import History
from tunesmith.interfaces import Strategy
from tunesmith.recommendation import Recommendation
from tunesmith.space import Space
from tunesmith.stated_prior import StatedPrior
from tunesmith.tools.analysis.goals_text import of_primary
from tunesmith.tools.analysis.numbers import format_metric
from tunesmith.trial import WARM_START, Configuration, Origin, Prediction, Proposal


class HybridStrategy(Strategy):
    """Proposes with a language model's candidates, priors and predictions, as often as the gate allows.

    Args:
        numeric: Proposes by itself where the gate is shut.
        elicited: The model's priors; empty until it has been asked for them.
    Attributes:
        stated: Priors of people, by hyperparameter, which `numeric` has already; set at the start.
    """

    name = "hybrid"

    def __init__(self, numeric: GaussianProcessStrategy, elicited: ElicitedPriors | None = None) -> None:
        self.numeric = numeric
        self.elicited = elicited or ElicitedPriors(numeric.space)
        self.stated: Mapping[str, Card] = {}

    @property
    def space(self) -> Space:
        return self.numeric.space

    def stated_priors(self, default: Configuration | None) -> tuple[StatedPrior, ...]:
        return self.numeric.stated_priors(default)

    def propose(self, history: History, n: int, candidates: Sequence[Proposal] = ()) -> list[Proposal]:
        of_model = [c for c in candidates if c.origin is Origin.MODEL]
        if not of_model and not self.elicited.cards:
            return self.numeric.propose(history, n, candidates)
        others = [c for c in candidates if c.origin is not Origin.MODEL]
        steps, proposals = steps_of(history), list[Proposal]()
        expert = model_expert(history)
        for _ in range(n):
            if is_open(steps):
                chosen = self._with_model(history, expert, [*of_model, *others])
            else:
                chosen = self._without_model(_before_first_own_choice(history, steps), others)
            if chosen is None:
                break
            proposals.append(chosen)
            steps.append(Step(side(chosen)))
            history = history.with_running([chosen])
        return proposals

    def recommend(self, history: History) -> Recommendation | None:
        return self.numeric.recommend(history)

    def _without_model(self, history: History, others: list[Proposal]) -> Proposal | None:
        proposals = self.numeric.propose(history, 1, others)
        if not proposals or proposals[0].origin in (Origin.DEFAULT, Origin.REPLICATE):
            return proposals[0] if proposals else None
        reason = f"{proposals[0].reason} The gate kept the language model out of this one."
        return proposals[0].model_copy(update={"reason": reason}).with_provenance(side="surrogate")

    def _with_model(
        self, history: History, expert: ModelExpert, candidates: list[Proposal]
    ) -> Proposal | None:
        priors = {**self.elicited.cards, **self.stated}
        proposals = self.numeric.with_advice(priors, expert).propose(history, 1, candidates)
        if not proposals or proposals[0].origin in (Origin.DEFAULT, Origin.REPLICATE):
            return proposals[0] if proposals else None
        chosen = proposals[0]
        counted = not history.others and (bool(history.feasible) or not history.limits)  # as `expert.weigh`
        changes: dict[str, Any] = {
            "side": "model",
            "stage": None,  # a zero-shot configuration that had to compete is no warm start any more
            "model_weight": expert.weight if counted else None,
            "elicited_priors": len(self.elicited.cards),
        }
        reasons = [chosen.reason]
        suggested = next((c for c in candidates if c.configuration == chosen.configuration), None)
        predicted = expert.prediction(suggested) if suggested is not None else None
        if predicted is not None:
            changes["model_prediction"] = predicted
            if chosen is not suggested and chosen.spread:
                changes["surrogate_prediction"] = Prediction.of(chosen.expected, chosen.spread)
            value = f"{of_primary(history)}{format_metric(history, predicted.mean)}"
            weighs = f"its predictions weigh {expert.weight:.0%}" if counted else "which has no weight here"
            reasons.append(f"The language model predicts {value}; {weighs}.")
        if chosen.provenance.prior_weight >= LEANS and (expected := self._expected(chosen.configuration)):
            reasons.append(f"The language model expects {expected}.")
        return chosen.model_copy(update={"reason": " ".join(reasons)}).with_provenance(**changes)

    def _expected(self, configuration: Configuration) -> str:
        """At most two priors of what the configuration sets, such as `lr near 0.003 (0.001 to 0.01)`."""
        return ", ".join([p.text for p in self.elicited.priors if p.parameter in configuration][:2])


def _before_first_own_choice(history: History, steps: list[Step]) -> History:
    """The history that the surrogate's first choice is made from: without a warm start that missed.

    The first choice away from the default keeps the search from going on from there in small steps; a poor
    configuration of the model would take its place.
    """
    if any(step.side == "surrogate" for step in steps) or not any(step.missed for step in steps):
        return history
    return replace(history, trials=tuple(t for t in history if t.proposal.provenance.stage != WARM_START))
