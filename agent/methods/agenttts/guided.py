"""The numeric strategy with others' candidates: a language model's behind a gate, and evolved ones.

    no candidate of a model     the numeric strategy, with evolved candidates while the scores are flat
    gate shut                   the same: as if there were no model
    gate open                   the model's candidates compete too, under the same acquisition function

The gate is that of the method `hybrid` (`hybrid/gate.py`): a pure function of the history, so a resumed run
goes on alike. While the scores are flat and nothing has improved for a while, every fourth trial is the best
of the evolved candidates.
"""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith.agent.methods.agenttts.evolve import FLAT_TRIALS, evolved
from tunesmith.agent.methods.agenttts.strategy import AgentTTSStrategy
from tunesmith.agent.methods.gp.filling import stagnation
from tunesmith.agent.methods.hybrid.gate import Step, is_open, side, steps_of
from tunesmith.history import History
from tunesmith.interfaces import Strategy
from tunesmith.recommendation import Recommendation
from tunesmith.stated_prior import StatedPrior
from tunesmith.trial import Configuration, Origin, Prediction, Proposal

EVOLVES_EVERY = 4
FIXED = (Origin.DEFAULT, Origin.REPLICATE)


class GuidedStrategy(Strategy):
    """Proposes by the numeric strategy; see the module.

    Args:
        numeric: Decides.
    """

    name = "agenttts"

    def __init__(self, numeric: AgentTTSStrategy) -> None:
        self.numeric = numeric

    def stated_priors(self, default: Configuration | None) -> tuple[StatedPrior, ...]:
        return self.numeric.stated_priors(default)

    def propose(self, history: History, n: int, candidates: Sequence[Proposal] = ()) -> list[Proposal]:
        of_model = [c for c in candidates if c.origin is Origin.MODEL]
        others = [c for c in candidates if c.origin is not Origin.MODEL]
        steps, proposals = steps_of(history) if of_model else [], list[Proposal]()
        for _ in range(n):
            chosen = self._next(history, of_model, others, steps)
            if chosen is None:
                break
            proposals.append(chosen)
            steps.append(Step(side(chosen)))
            history = history.with_running([chosen])
        return proposals

    def recommend(self, history: History) -> Recommendation | None:
        return self.numeric.recommend(history)

    def _next(
        self, history: History, of_model: list[Proposal], others: list[Proposal], steps: list[Step]
    ) -> Proposal | None:
        bred = evolved(history, self.numeric.seed)
        if bred and not history.default_first and _is_turn(history):
            judged = self.numeric.judge(history, bred)
            if judged[0].provenance.acquisition is not None:
                return judged[0]
        of_model = history.new(of_model)
        competing = bool(of_model) and is_open(steps)
        given = [*(of_model if competing else []), *others, *bred]
        proposals = self.numeric.propose(history, 1, given)
        if not proposals or not of_model or proposals[0].origin in FIXED:
            return proposals[0] if proposals else None
        chosen = proposals[0]
        if not competing:
            reason = f"{chosen.reason} The gate kept the language model out of this one."
            return chosen.model_copy(update={"reason": reason}).with_provenance(side="surrogate")
        suggested = next((c for c in of_model if c.configuration == chosen.configuration), None)
        return chosen if suggested is None else _of_model(chosen, suggested)


def _is_turn(history: History) -> bool:
    """Whether a trial is an evolved one whatever the acquisition function says.

    Not under a budget of costs, which the acquisition function minds and this does not.
    """
    if history.affordable is not None:
        return False
    since = stagnation(history)
    return len(history) % EVOLVES_EVERY == 0 and (since is None or since >= FLAT_TRIALS)


def _of_model(chosen: Proposal, suggested: Proposal) -> Proposal:
    """A choice that the model suggested, with what both predicted of it."""
    predicted = suggested.provenance.model_prediction
    changes: dict[str, object] = {"side": "model", "model_prediction": predicted}
    if predicted is not None and chosen.spread:
        changes["surrogate_prediction"] = Prediction.of(chosen.expected, chosen.spread)
    reason = chosen.reason
    if suggested.reason not in reason:
        reason = f"{reason} The language model: {suggested.reason}"
    evidence = tuple(dict.fromkeys((*suggested.evidence, *chosen.evidence)))
    made = chosen.model_copy(update={"reason": reason[:2000], "evidence": evidence})
    return made.with_provenance(**changes)
