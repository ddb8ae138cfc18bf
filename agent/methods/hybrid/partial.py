"""An answer's parts while it is being written: each candidate and belief is handed over when it is complete.

A local model writes for minutes; what it said first can serve while it goes on. Parts are checked as the
whole answer is, with one difference: a candidate that is not legal waits for the end, where the model is
asked about it or it is moved to the nearest legal one. When the answer breaks off, its complete parts are
the answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import ValidationError

from tunesmith.agent.methods.hybrid.answer import Candidate, Reader
from tunesmith.agent.methods.hybrid.elicited_priors import read_priors
from tunesmith.events import ElicitedPrior
from tunesmith.trial import Configuration, Proposal

Part = Proposal | ElicitedPrior
OnPart = Callable[[Part], None]
"""Is given each new, legal part once, in the thread that asks the model."""
MOST_PARTS = 200
"""Elements of one list that are read: more are a model repeating itself."""


class Parts:
    """Keeps what has come of one answer, and hands over what can be used at once.

    Args:
        reader: Of the same answer.
        prompt_id: Template that was asked with.
        n: Most proposals that are handed over.
        hand_over: May be None.
        stage: Mark of the proposals, such as `WARM_START`.
    Attributes:
        candidates: As the model wrote them, legal or not, in order.
        beliefs: The same.
    """

    def __init__(
        self, reader: Reader, prompt_id: str, n: int, hand_over: OnPart | None, stage: str | None = None
    ) -> None:
        self._reader, self._prompt_id, self._n, self._stage = reader, prompt_id, n, stage
        self._hand_over = hand_over
        self.candidates: list[Candidate] = []
        self.beliefs: list[Any] = []
        self._proposed: set[Configuration] = set()
        self._believed: set[str] = set()

    def add(self, name: str, element: Any) -> None:
        """One element of a list of the answer; what is of no use is left out without a word."""
        if name == "candidates" and len(self.candidates) < MOST_PARTS:
            self._add_candidate(element)
        elif name == "beliefs" and len(self.beliefs) < MOST_PARTS:
            self._add_belief(element)

    @property
    def words(self) -> str:
        """What has come, for a person: `2 candidates and 3 beliefs`."""
        counted = [(len(self.candidates), "candidate"), (len(self.beliefs), "belief")]
        return " and ".join(f"{n} {what}{'s' * (n != 1)}" for n, what in counted if n) or "nothing"

    def __bool__(self) -> bool:
        return bool(self.candidates or self.beliefs)

    def _add_candidate(self, element: Any) -> None:
        try:
            candidate = Candidate.model_validate(element, strict=True, extra="ignore")
        except ValidationError:
            return
        self.candidates.append(candidate)
        proposal = self._reader.legal(candidate, self._prompt_id)
        if proposal is None or proposal.configuration in self._proposed or len(self._proposed) == self._n:
            return
        self._proposed.add(proposal.configuration)
        if self._hand_over is not None:
            self._hand_over(proposal.with_provenance(stage=self._stage))

    def _add_belief(self, element: Any) -> None:
        self.beliefs.append(element)
        for prior in read_priors([element], self._reader.space)[0]:
            if prior.parameter not in self._believed:
                self._believed.add(prior.parameter)
                if self._hand_over is not None:
                    self._hand_over(prior)
