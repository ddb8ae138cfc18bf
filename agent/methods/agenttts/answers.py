"""What a model is asked to answer with: guidelines with claims that can be checked, and trials."""

from __future__ import annotations

import math

from pydantic import BaseModel, ConfigDict, Field

from tunesmith.guidelines import About, Claim, Guideline, Relation
from tunesmith.history import History
from tunesmith.pipeline.settings import PipelineSettings
from tunesmith.text.cleaning import clean
from tunesmith.tools.analysis.citations import mark_wrong_citations
from tunesmith.trial import Value

TEXT_LIMIT, NAME = 500, 60
MOST_GUIDELINES, MOST_EVIDENCE, MOST_CONDITIONS = 12, 20, 8
MAX_FAULTS = 12
"""Faults named in the question back to the model."""


class Condition(BaseModel):
    """One parameter that a claim holds at a value."""

    parameter: str
    value: str | int | float | bool


class StatedClaim(BaseModel):
    """A claim as the model writes it."""

    parameter: str = Field(description="Name of one parameter of the search space.")
    relation: Relation
    value: str | int | float | bool
    than: str | int | float | bool | None = Field(description="For `better`: the other value; else null.")
    where: list[Condition] = Field(description="Values of other parameters for which it holds; may be empty.")


class StatedGuideline(BaseModel):
    """One guideline as the model writes it."""

    about: About
    text: str = Field(description="One or two plain sentences.")
    claim: StatedClaim | None = Field(description="Null only where nothing can be checked.")
    evidence: list[int] = Field(description="Numbers of the trials it rests on.")


class GuidelinesAnswer(BaseModel):
    """A model's guidelines."""

    model_config = ConfigDict(title="Guidelines")

    guidelines: list[StatedGuideline]


class GuidelineReader:
    """Turns one answer into guidelines. Make a new one for every call of the model.

    Args:
        history: The trials so far.
        options: The pipeline, for fields that are not tuned.
    Attributes:
        faults: What was left out of the answer that `read` read last, in words.
    """

    def __init__(self, history: History, options: PipelineSettings) -> None:
        self._history, self._space, self._fixed = history, history.space, options.fixed
        self._reported = False
        self.faults: list[str] = []

    def check(self, answer: GuidelinesAnswer) -> list[str]:
        """Faults to ask the model about; empty the second time, because it is asked back once only."""
        if self._reported:
            return []
        self.read(answer)
        self._reported = bool(self.faults)
        return self.faults[:MAX_FAULTS]

    def read(self, answer: GuidelinesAnswer) -> tuple[Guideline, ...]:
        """The guidelines; one whose claim cannot be read keeps its words."""
        self.faults, found = [], []
        for place, stated in enumerate(answer.guidelines[:MOST_GUIDELINES], 1):
            text = clean(stated.text, TEXT_LIMIT)
            if not text:
                self.faults.append(f"guideline {place}: it has no text")
                continue
            claim = None
            if stated.claim is not None:
                claim, fault = self._claim(stated.claim)
                if fault:
                    self.faults.append(f"guideline {place}: {fault}")
            evidence = dict.fromkeys(n for n in stated.evidence if self._history.get(n) is not None)
            found.append(
                Guideline(
                    text=mark_wrong_citations(text, self._history),
                    about=stated.about,
                    claim=claim,
                    evidence=tuple(evidence)[:MOST_EVIDENCE],
                )
            )
        if not answer.guidelines:
            self.faults.append("there is no guideline")
        return tuple(found)

    def _claim(self, stated: StatedClaim) -> tuple[Claim | None, str]:
        """The claim, or what is wrong with it."""
        where: dict[str, Value] = {}
        faults = [self._fault(stated.parameter, stated.value, bound=stated.relation != "better")]
        for condition in stated.where[:MOST_CONDITIONS]:
            if condition.parameter not in self._space and self._is_fixed(condition):
                continue  # true of every configuration
            faults.append(self._fault(condition.parameter, condition.value))
            if not faults[-1] and condition.parameter != stated.parameter:
                where[condition.parameter] = condition.value
        if stated.relation == "better" and stated.than is not None:
            faults.append(self._fault(stated.parameter, stated.than))
            if stated.than == stated.value:
                faults.append(f"it compares {clean(stated.parameter, NAME)} with itself")
        if any(faults):
            return None, "; ".join(filter(None, faults))
        than = stated.than if stated.relation == "better" else None
        claim = Claim(
            parameter=stated.parameter, relation=stated.relation, value=stated.value, than=than, where=where
        )
        return claim, ""

    def _fault(self, name: str, value: Value, *, bound: bool = False) -> str:
        """What is wrong with a value of a parameter, if anything; a bound need not be one of its values."""
        if name not in self._space:
            known = ", ".join(clean(one, NAME) for one in self._space.names[:20])
            return f"{clean(name, NAME)!r} is no parameter that is tuned; there are {known}"
        parameter = self._space.parameters[name]
        if not bound:
            problem = parameter.check(name, value)
            return "" if problem is None else clean(problem, 200)
        if not parameter.numeric:
            return f"{clean(name, NAME)} is no amount: only `better` can be claimed of it"
        number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        return "" if number else f"{clean(name, NAME)} is compared with {clean(value, NAME)!r}, not a number"

    def _is_fixed(self, condition: Condition) -> bool:
        stage, _, field = condition.parameter.rpartition(".")
        return field in self._fixed.get(stage, {}) and self._fixed[stage][field] == condition.value
