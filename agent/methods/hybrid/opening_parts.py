"""How a model's opening comes to count: whole, or part by part while the model is still writing.

The first configuration is run unjudged, the others compete, the priors hold from then on. Each part takes
effect as one `Advice`, so that no proposal is made with half of it.
"""

from __future__ import annotations

from tunesmith.agent.methods.hybrid.elicited_priors import ElicitedPriors
from tunesmith.agent.methods.hybrid.partial import Part
from tunesmith.agent.methods.hybrid.proposer import Opening
from tunesmith.events import ElicitedPrior, PriorsElicited
from tunesmith.history import History
from tunesmith.interfaces import Emit
from tunesmith.tools.toolbox.advice import Advice, OnAdvice
from tunesmith.trial import Proposal


class OpeningParts:
    """One opening. Used from the policy's thread.

    Args:
        history: What the model was asked about.
        elicited: Where the priors are kept; None where the strategy has no use for them.
        emit: Stores the priors where there is no `on_advice`.
        on_advice: Takes each part; None: it counts at once.
        launched: How many configurations are run unjudged.
    Attributes:
        warm: Configurations to run unjudged.
        competing: The others.
        begun: Whether anything has come.
    """

    def __init__(
        self,
        history: History,
        elicited: ElicitedPriors | None,
        emit: Emit,
        on_advice: OnAdvice | None,
        *,
        launched: int,
    ) -> None:
        self._history, self._elicited, self._emit, self._on_advice = history, elicited, emit, on_advice
        self._launched, self._stated = launched, set[str]()
        self.warm: list[Proposal] = []
        self.competing: list[Proposal] = []
        self.begun = False

    def add_part(self, part: Part) -> None:
        """As `add`, for one configuration or prior."""
        self.add(Opening([part]) if isinstance(part, Proposal) else Opening([], (part,)))

    def add(self, part: Opening) -> None:
        """Let what is new in a part count. The whole answer may be added after its parts.

        Raises:
            ToolError: The search is over.
        """
        known = {p.configuration for p in (*self.warm, *self.competing)}
        new = [p for p in self._history.new(part.proposals) if p.configuration not in known]
        priors = tuple(p for p in part.priors if p.parameter not in self._stated)
        first = new[: self._launched - len(self.warm)]
        # A zero-shot configuration that has to compete is no warm start any more.
        rest = [p.with_provenance(stage=None) for p in new[len(first) :]]
        self.warm += first
        self.competing += rest
        self._stated |= {p.parameter for p in priors}
        # That nothing is expected is told once as well: it is how a resumed run knows that it was asked.
        told = PriorsElicited(beliefs=priors, prompt_id=part.prompt_id)
        event = told if priors or not self.begun else None
        self.begun = True
        if self._on_advice is None:
            self._keep(priors)
            if event is not None:
                self._emit(event)
        elif first or rest or event is not None:
            self._on_advice(Advice(tuple(first), tuple(rest), event, lambda: self._keep(priors)))

    def _keep(self, priors: tuple[ElicitedPrior, ...]) -> None:
        if self._elicited is not None:
            self._elicited.extend(priors)
