"""A language model's beliefs and the surrogate as one strategy: the model may speak, statistics decides.

    gate shut    what the Gaussian process proposes without any model, bit for bit
    gate open    the same, with the model's candidates as guests, its stated priors, and its predictions
                 weighed in by what they have earned

Where the model has said nothing there is nothing to gate, and this is the Gaussian process. All of it
follows from the history, the candidates and what was stated, so a resumed run goes on alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tunesmith.agent.methods.gp.reasons import LEANS
from tunesmith.agent.methods.gp.strategy import GaussianProcessStrategy
from tunesmith.agent.methods.hybrid.elicited_priors import ElicitedPriors, in_words
from tunesmith.agent.methods.hybrid.expert import ModelExpert, model_expert
from tunesmith.agent.methods.hybrid.gate import Step, is_open, side, steps_of
from tunesmith.history import History
from tunesmith.interfaces import Strategy
from tunesmith.space import Space
from tunesmith.tools.analysis.numbers import format_metric
from tunesmith.trial import WARM_START, Configuration, Origin, Prediction, Proposal


class HybridStrategy(Strategy):
    """Proposes with a language model's candidates, priors and predictions, at most every second trial.

    Args:
        alone: Proposes by itself where the gate is shut.
        stated: The model's priors; empty until it has stated any.
    """

    name = "hybrid"

    def __init__(self, alone: GaussianProcessStrategy, stated: ElicitedPriors | None = None) -> None:
        self.alone = alone
        self.stated = stated or ElicitedPriors(alone.space)

    @property
    def space(self) -> Space:
        return self.alone.space

    def propose(self, history: History, n: int, candidates: Sequence[Proposal] = ()) -> list[Proposal]:
        guests = [c for c in candidates if c.origin is Origin.MODEL]
        if not guests and not self.stated.cards:
            return self.alone.propose(history, n, candidates)
        others = [c for c in candidates if c.origin is not Origin.MODEL]
        steps, found = steps_of(history), list[Proposal]()
        expert = model_expert(history)
        for _ in range(n):
            if is_open(steps):
                chosen = self._with_model(history, expert, [*guests, *others])
            else:
                chosen = self._without(_first_look(history, steps), others)
            if chosen is None:
                break
            found.append(chosen)
            steps.append(Step(side(chosen)))
            history = history.with_running([chosen])
        return found

    def _without(self, history: History, others: list[Proposal]) -> Proposal | None:
        proposals = self.alone.propose(history, 1, others)
        if not proposals or proposals[0].origin is Origin.DEFAULT:
            return proposals[0] if proposals else None
        chosen = proposals[0]
        reason = f"{chosen.reason} The gate kept the language model out of this one."
        return chosen.model_copy(update={"reason": reason}).with_provenance(side="surrogate")

    def _with_model(self, history: History, expert: ModelExpert, guests: list[Proposal]) -> Proposal | None:
        strategy = self.alone.advised(self.stated.cards, expert)
        proposals = strategy.propose(history, 1, guests)
        if not proposals or proposals[0].origin is Origin.DEFAULT:
            return proposals[0] if proposals else None
        chosen = proposals[0]
        changes: dict[str, Any] = {
            "side": "model",
            "stage": None,  # a zero-shot configuration that had to compete is no warm start any more
            "model_weight": expert.weight,
            "elicited_priors": len(self.stated.cards),
        }
        said = [chosen.reason]
        guest = next((g for g in guests if g.configuration == chosen.configuration), None)
        predicted = expert.prediction(guest) if guest is not None else None
        if predicted is not None:
            changes["model_prediction"] = predicted
            if chosen is not guest and chosen.spread:
                changes["surrogate_prediction"] = Prediction.of(chosen.expected, chosen.spread)
            said.append(
                f"The language model predicts {format_metric(history, predicted.mean)}; "
                f"its predictions weigh {expert.weight:.0%}."
            )
        if chosen.provenance.prior_weight >= LEANS and (expected := self._expected(chosen.configuration)):
            said.append(f"The language model expects {expected}.")
        return chosen.model_copy(update={"reason": " ".join(said)}).with_provenance(**changes)

    def _expected(self, configuration: Configuration) -> str:
        """The stated priors about what this configuration sets, in a few words."""
        return in_words([b for b in self.stated.beliefs if b.parameter in configuration], 2)


def _first_look(history: History, steps: list[Step]) -> History:
    """The history that the surrogate's first own choice is made from: without a warm start that missed.

    Its first look away from the default is what keeps it from going on from there in small steps; a poor
    configuration of the model is no such look.
    """
    if any(step.side == "surrogate" for step in steps) or not any(step.missed for step in steps):
        return history
    looked = tuple(t for t in history if t.proposal.provenance.stage != WARM_START)
    return replace(history, trials=looked)
