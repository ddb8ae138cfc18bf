"""Any function that answers as a language model: a local pipeline, a client of one's own, a person."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tunesmith.agent.models import Samples
from tunesmith.budget import ModelSpend
from tunesmith.errors import InvalidAnswer, ModelBudgetReached, ModelError, ModelUnavailable
from tunesmith.events import Degraded
from tunesmith.interfaces import Emit
from tunesmith.text.cleaning import error_line

Answering = Callable[[list[dict[str, Any]]], str]
"""From messages (`role`, `content`) to one answer."""


class FunctionModel:
    """An `Asker` that calls a function once for each answer; it gives no log-probabilities.

    Temperature, token limit and stop words are the function's own affair. Its answers cost calls; their
    tokens are not known and count as 0.

    Args:
        answer: Called from one thread at a time.
        calls: Most calls in all; None: no limit.
        emit: Gets a Degraded where the function fails after some answers.
    """

    def __init__(self, answer: Answering, calls: int | None = None, emit: Emit = lambda event: event) -> None:
        self._answer, self._most, self._emit, self._calls = answer, calls, emit, 0

    @property
    def spend(self) -> ModelSpend:
        """Calls so far; dollars are unknown."""
        return ModelSpend(calls=self._calls, dollars=None if self._calls else 0.0)

    def sample(self, messages: Sequence[dict[str, Any]], *, n: int = 1, purpose: str, **_: Any) -> Samples:
        """`n` answers; fewer only where the function fails, or the calls are used up, after giving some.

        Raises:
            ModelError: there is none at all.
        """
        texts: list[str] = []
        started = self._calls
        while len(texts) < n:
            try:
                texts.append(self._one(messages, purpose))
            except ModelError as error:
                if not texts:
                    raise
                how = f"the {len(texts)} answers of {n} that had come are used"
                where = f"model call: {purpose}"
                self._emit(Degraded(what="fallback", where=where, cause=str(error)[:500], continuation=how))
                break
        return Samples(texts=texts, logprobs=None, tokens=0, calls=self._calls - started)

    def _one(self, messages: Sequence[dict[str, Any]], purpose: str) -> str:
        if self._most is not None and self._calls >= self._most:
            raise ModelBudgetReached(f"the {self._most} calls of the model are used")
        self._calls += 1
        try:
            text = self._answer([dict(message) for message in messages])
        except ModelError:
            raise
        except Exception as error:  # somebody else's code: whatever it raises must not end a study
            said = error_line(error, 300)
            raise ModelUnavailable(
                f"the function that answers as a model failed ({purpose}): {said}"
            ) from error
        if not isinstance(text, str):
            raise InvalidAnswer(f"the function used as a model gave a {type(text).__name__}, not a str")
        return text
