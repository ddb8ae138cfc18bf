"""The two questions put to a language model, and what is read from its answers; every loss is an event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from tunesmith.agent.methods.agenttts.answers import GuidelineReader, GuidelinesAnswer
from tunesmith.agent.methods.hybrid.answer import Answer, Reader, schema_for
from tunesmith.events import Degraded
from tunesmith.guidelines import Guideline
from tunesmith.history import History
from tunesmith.interfaces import Emit
from tunesmith.pipeline.settings import PipelineSettings
from tunesmith.prompts import Prompt
from tunesmith.space import Space
from tunesmith.text.cleaning import clean
from tunesmith.text.numbers import counted
from tunesmith.trial import Proposal

if TYPE_CHECKING:
    from tunesmith.agent.models import LanguageModel

GUIDELINES, TRIALS = "agenttts.guidelines", "agenttts.trials"
"""The two questions as events name them."""
NAMED = 3
"""Dropped trials that are named in an event."""


class Asking:
    """Asks one model for one run. Called from the policy's thread; ModelErrors pass through.

    Args:
        model: Asked.
        options: The pipeline.
        emit: Gets repairs and rejections.
    """

    def __init__(self, model: LanguageModel, options: PipelineSettings, emit: Emit) -> None:
        self._model, self._options, self._emit = model, options, emit

    def guidelines(self, prompt: Prompt, history: History) -> tuple[Guideline, ...]:
        """The guidelines of one answer.

        Raises:
            ModelError: The model is out of reach, refused, or gave nothing of use.
        """
        reader = GuidelineReader(history, self._options)
        answer = self._model.complete(
            prompt.as_chat(), GuidelinesAnswer, purpose=prompt.id, check=reader.check
        ).value
        found = reader.read(answer)
        if reader.faults:
            cause = "; ".join(reader.faults)
            how = "what they claim is not checked; what they say in words is kept"
            self._degraded("rejected", GUIDELINES, cause, how)
        return found

    def candidates(self, prompt: Prompt, history: History, n: int) -> list[Proposal]:
        """Up to `n` configurations that are to compete; illegal ones are moved to the nearest legal one.

        Raises:
            ModelError: The model is out of reach, refused, or gave nothing of use.
        """
        reader = Reader(history, self._emit, TRIALS)
        completion = self._model.complete(
            prompt.as_chat(),
            schema_for(history.space, evidence=True),
            purpose=prompt.id,
            check=reader.check,
        )
        return reader.read(completion.value, n=n, prompt_id=prompt.id, tokens=completion.tokens)

    def batch(self, prompt: Prompt, history: History, n: int) -> list[Proposal]:
        """The configurations of one round, as AgentTTS takes them.

        Exactly `n` are asked for; those that are legal and within the budget are kept as they are, and the
        others are dropped.

        Raises:
            ModelError: The model is out of reach, refused, or gave nothing of use.
        """
        batch = _Batch(history.space, n)
        completion = self._model.complete(
            prompt.as_chat(),
            schema_for(history.space, evidence=True),
            purpose=prompt.id,
            check=batch.check,
        )
        kept, dropped = batch.split(completion.value)
        if dropped:
            more = [f"and {len(dropped) - NAMED} more"] if dropped[NAMED:] else []
            how = f"{counted(len(dropped), 'trial')} of {len(completion.value.candidates)} dropped"
            self._degraded("rejected", TRIALS, "; ".join(dropped[:NAMED] + more), how)
        reader = Reader(history, self._emit, TRIALS)
        found = reader.read(
            Answer(candidates=kept.candidates), n=n, prompt_id=prompt.id, tokens=completion.tokens
        )
        asked = len(completion.value.candidates)
        if asked != n:
            how = f"{counted(len(found), 'trial')} of this round" + (" are run" if asked < n else "")
            self._degraded("repair", TRIALS, f"{n} trials were asked for, {asked} came", f"the first {how}")
        return found

    def _degraded(self, what: Literal["repair", "rejected"], where: str, cause: str, how: str) -> None:
        self._emit(Degraded(what=what, where=where, cause=clean(cause, 500), continuation=clean(how, 300)))


class _Batch:
    """Tells the trials of one answer that may be run from those that are dropped."""

    def __init__(self, space: Space, n: int) -> None:
        self._space, self._any = space, space.restricted(None)
        self._n, self._reported = n, False

    def check(self, answer: Answer) -> list[str]:
        """Faults to ask about once: their number, and what is not in the space. The budget is no question."""
        if self._reported:
            return []
        faults = []
        if len(answer.candidates) != self._n:
            faults.append(f"exactly {self._n} trials are wanted, and there are {len(answer.candidates)}")
        for place, candidate in enumerate(answer.candidates[: 4 * self._n], 1):
            values = self._space.without_nulls(candidate.configuration)
            faults += [f"trial {place}: {problem}" for problem in self._any.problems(values)]
        self._reported = bool(faults)
        return faults[:12]

    def split(self, answer: Answer) -> tuple[Answer, list[str]]:
        """The answer with what may be run, and why each other one may not."""
        kept, dropped = [], list[str]()
        for place, candidate in enumerate(answer.candidates, 1):
            values = self._space.without_nulls(candidate.configuration)
            if problems := self._any.problems(values):
                dropped.append(f"trial {place}: {'; '.join(map(str, problems))}")
            elif self._space.problems(values):
                shown = self._space.format(self._any.validate(values))
                dropped.append(f"trial {place} costs more than the budget: {clean(shown, 120)}")
            else:
                kept.append(candidate)
        return Answer(candidates=kept), dropped
