"""What a model is asked to answer with, and how an answer becomes proposals.

The schema a provider sees is exact (types, choices and bounds of this very space). What comes back is checked
against the space alone: faults lead to one question back, what is left of them is moved to the nearest
legal configuration, and what cannot be moved is dropped. Both are counted as events.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema, create_model

from tunesmith.errors import InvalidConfiguration
from tunesmith.events import Degraded
from tunesmith.history import History
from tunesmith.interfaces import Emit
from tunesmith.space import Space
from tunesmith.space.schema import configuration_schema
from tunesmith.text.cleaning import clean
from tunesmith.tools.analysis.citations import mark_wrong_citations
from tunesmith.trial import Configuration, Origin, Prediction, Proposal, Provenance

REASON_LIMIT = 500
MAX_FAULTS = 12
"""Faults named in the question back to the model."""


class Candidate(BaseModel):
    """One configuration of an answer, as the model wrote it."""

    configuration: dict[str, Any]
    reason: str
    expected: float | None = None
    spread: float | None = None
    evidence: list[int] = Field(default_factory=list)


class Answer(BaseModel):
    """A model's whole answer; `schema_for` narrows its schema to one space."""

    model_config = ConfigDict(title="Answer")

    candidates: list[Candidate]


def schema_for(space: Space, *, evidence: bool) -> type[Answer]:
    """`Answer` with the JSON schema of `space`, every property required as strict servers want it.

    Args:
        evidence: Whether to ask for the trial numbers that a candidate rests on.
    """
    configuration = Annotated[dict[str, Any], WithJsonSchema(configuration_schema(space))]
    fields: dict[str, Any] = {
        "configuration": (configuration, ...),
        "reason": (str, Field(description="One or two plain sentences for a person.")),
        "expected": (float | None, Field(description="The metric you expect, or null.")),
        "spread": (
            float | None,
            Field(None, description="How far off `expected` may be: one standard deviation, or null."),
        ),
    }
    if evidence:
        fields["evidence"] = (list[int], Field(description="Numbers of the trials this rests on."))
    candidate = create_model("Candidate", __base__=Candidate, **fields)
    return create_model("Answer", __base__=Answer, candidates=(list[candidate], ...))


class Reader:
    """Turns one answer into proposals. Make a new one for every call of the model.

    Args:
        history: The trials so far; proposals that repeat one are dropped.
        emit: Receives repairs and rejections.
        where: Names the part in events, such as `hybrid.candidates`.
    """

    def __init__(self, history: History, emit: Emit, where: str) -> None:
        self._history, self.space, self._emit, self.where = history, history.space, emit, where
        self._known = {trial.configuration: f"#{trial.number}" for trial in history.not_lost}
        self._faults_reported = False

    def check(self, answer: Answer) -> list[str]:
        """Faults to ask the model about; empty the second time, because it is asked back once only."""
        if self._faults_reported:
            return []
        faults = [
            f"candidate {place}: {problem}"
            for place, candidate in enumerate(answer.candidates, 1)
            for problem in self.space.problems(self._values(candidate))
        ]
        if not answer.candidates:
            faults = ["there is no candidate"]
        self._faults_reported = bool(faults)
        more = len(faults) - MAX_FAULTS
        return faults[:MAX_FAULTS] + ([f"and {more} more faults of these kinds"] if more > 0 else [])

    def read(self, answer: Answer, *, n: int, prompt_id: str, tokens: int) -> list[Proposal]:
        """At most `n` new, legal proposals in the model's order; tokens are shared out over them."""
        known = dict(self._known)
        proposals: list[Proposal] = []
        repeats: list[str] = []
        for place, candidate in enumerate(answer.candidates, 1):
            configuration = self._configuration(place, candidate)
            if configuration is None:
                continue
            if configuration in known:
                repeats.append(f"candidate {place} repeats {known[configuration]}")
                continue
            known[configuration] = f"candidate {place}"
            proposals.append(self._proposal(configuration, candidate, prompt_id))
        if repeats:
            self._degraded("rejected", "; ".join(repeats), f"{len(repeats)} repeats were dropped")
        proposals = proposals[:n]
        share, rest = divmod(tokens, max(len(proposals), 1))
        return [p.model_copy(update={"tokens": share + (i < rest)}) for i, p in enumerate(proposals)]

    def legal(self, candidate: Candidate, prompt_id: str) -> Proposal | None:
        """The proposal of a candidate that is legal as it stands and new; None for any other."""
        values = self._values(candidate)
        if self.space.problems(values) or (configuration := self.space.validate(values)) in self._known:
            return None
        return self._proposal(configuration, candidate, prompt_id)

    def _values(self, candidate: Candidate) -> dict[str, Any]:
        """As written, without nulls for inactive parameters and with Markdown's escapes taken back."""
        return self.space.without_nulls(
            {
                name if name in self.space else name.replace("\\", ""): value
                for name, value in candidate.configuration.items()
                if value is not None or name in self.space
            }
        )

    def _configuration(self, place: int, candidate: Candidate) -> Configuration | None:
        values = self._values(candidate)
        problems = self.space.problems(values)
        if not problems:
            return self.space.validate(values)
        cause = f"candidate {place}: " + "; ".join(map(str, problems))
        base = self._history.incumbent.configuration if self._history.incumbent else self._history.default
        try:
            configuration, changes = self.space.snap(values, base=base)
        except InvalidConfiguration:
            self._degraded("rejected", cause, "it was dropped")
            return None
        self._degraded("repair", cause, "; ".join(changes) or "moved to the nearest legal configuration")
        return configuration

    def _proposal(self, configuration: Configuration, candidate: Candidate, prompt_id: str) -> Proposal:
        reason = clean(candidate.reason, REASON_LIMIT) or "The model gave no reason."
        expected = candidate.expected
        if expected is not None and not math.isfinite(expected):
            expected = None
        return Proposal(
            configuration=configuration,
            origin=Origin.MODEL,
            reason=mark_wrong_citations(reason, self._history),
            evidence=tuple(dict.fromkeys(n for n in candidate.evidence if self._history.get(n) is not None)),
            expected=expected,
            prompt_id=prompt_id,
            provenance=Provenance(model_prediction=Prediction.of(expected, candidate.spread)),
        )

    def _degraded(self, what: Literal["repair", "rejected"], cause: str, continuation: str) -> None:
        cause, continuation = clean(cause, 500), clean(continuation, 300)
        self._emit(Degraded(what=what, where=self.where, cause=cause, continuation=continuation))
