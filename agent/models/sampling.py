"""Several plain-text answers to one question, for samplers and for surrogates by Monte Carlo.

One request asks for n choices. A server that gives fewer is asked again for the rest, and from then on in
the portions it has shown it gives. A model whose answers are cut off in hidden thinking under a small limit
is given a larger one. Both are learned once a session and reported once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tunesmith.agent.models.adapting import Adapter, Send
from tunesmith.agent.models.base import Answer
from tunesmith.agent.models.estimating import estimate_prompt
from tunesmith.agent.models.faults import report
from tunesmith.agent.models.limits import AnswerLimit, only_thought
from tunesmith.agent.models.wire import Reply, logprobs_of, replies_of
from tunesmith.errors import InvalidAnswer, ModelError, ModelRefused
from tunesmith.interfaces import Emit
from tunesmith.text.cleaning import clean, error_line

MOST_GROWTHS = 2
"""How often the limit is raised for one question."""


@dataclass(frozen=True)
class Token:
    """One token of an answer.

    Attributes:
        text: As the server writes it; leading spaces included.
        logprob: Natural logarithm of its probability, <= 0.
        top: The likeliest tokens at this place with their log-probabilities, as far as the server gives them.
    """

    text: str
    logprob: float
    top: dict[str, float]


@dataclass(frozen=True)
class Samples:
    """Answers to one question.

    Attributes:
        texts: One text a choice, never empty as a list; the single text may be.
        logprobs: The tokens of each choice, None where the server gives none.
        tokens: Prompt and completion over every attempt.
        calls: Attempts sent, retries included.
        cut: Whether each choice ran into the token limit; empty where that is not known.
    """

    texts: list[str]
    logprobs: list[tuple[Token, ...]] | None
    tokens: int
    calls: int
    cut: tuple[bool, ...] = ()

    @property
    def finished(self) -> tuple[bool | None, ...]:
        """Whether the model itself ended each text; None where that is not known."""
        return tuple(not cut for cut in self.cut) or (None,) * len(self.texts)


@dataclass(frozen=True)
class _Choice:
    reply: Reply
    tokens: tuple[Token, ...] | None


class SampleCaller:
    """Asks for several answers and remembers how this provider gives them.

    Args:
        adapter: Adapts requests to the provider.
        send: Sends one request and returns the completion.
        limits: Raises the limit of answers that were cut off in thought.
        emit: Gets a Degraded for each thing learned, and where some answers are missing in the end.
        portion: Most choices the provider gives at once; None: it is not known to give fewer than asked for.
    """

    def __init__(
        self,
        adapter: Adapter,
        send: Send[Answer],
        limits: AnswerLimit,
        emit: Emit,
        *,
        portion: int | None = None,
    ) -> None:
        self._adapter, self._send, self._limits = adapter, send, limits
        self._emit, self._portion = emit, portion

    def sample(self, asked: dict[str, Any], n: int) -> list[_Choice]:
        """`n` choices; fewer only where the model fails after giving some.

        Raises:
            ModelRefused: the protocol's own refusal, in every choice.
            ModelError: the first request failed.
        """
        purpose = asked["purpose"]
        choices: list[_Choice] = []
        while len(choices) < n:
            wanted = min(n - len(choices), self._portion or n)
            try:
                choices += self._request(asked, wanted, purpose)
            except ModelError as error:
                if not choices:
                    raise
                kept = f"the {len(choices)} answers of {n} that had come are used"
                report(self._emit, "fallback", purpose, error_line(error), kept)
                break
        choices = choices[:n]
        if all(choice.reply.refusal for choice in choices):
            raise ModelRefused(f"the model declined to answer: {clean(choices[0].reply.refusal, 300)}")
        return choices

    def _request(self, asked: dict[str, Any], wanted: int, purpose: str) -> list[_Choice]:
        choices = self._choices(asked, wanted)
        prompt = estimate_prompt(asked)
        for _ in range(MOST_GROWTHS):
            thought = bool(choices) and all(only_thought(choice.reply) for choice in choices)
            if not thought or not self._limits.grow(asked["limit"], purpose, choices=wanted, prompt=prompt):
                break
            choices = self._choices(asked, wanted)
        if not choices:
            raise InvalidAnswer(f"the server's answer ({purpose}) holds no choice that can be read")
        if len(choices) < wanted:
            self._portion = len(choices)
            if "n" not in self._adapter.learned.refused:
                cause = f"the server gave {len(choices)} of {wanted} answers asked for at once"
                report(
                    self._emit,
                    "fallback",
                    purpose,
                    cause,
                    f"it is asked for {self._portion} at a time from here on",
                )
        return choices

    def _choices(self, asked: dict[str, Any], wanted: int) -> list[_Choice]:
        data = self._adapter.ask({**asked, "n": wanted}, self._send)
        return [
            _Choice(reply, _tokens(places))
            for reply, places in zip(replies_of(data), logprobs_of(data), strict=True)
        ]


def samples_from(choices: Sequence[_Choice], spent: Sequence[int]) -> Samples:
    """The public form; `spent` has the tokens of each attempt."""
    tokens = [choice.tokens for choice in choices]
    complete = [known for known in tokens if known]
    finished = any(choice.reply.finish_reason for choice in choices)
    return Samples(
        texts=[choice.reply.text or choice.reply.refusal for choice in choices],
        logprobs=complete if len(complete) == len(tokens) else None,
        tokens=sum(spent),
        calls=len(spent),
        cut=tuple(choice.reply.finish_reason == "length" for choice in choices) if finished else (),
    )


def _tokens(places: list[dict[str, Any]] | None) -> tuple[Token, ...] | None:
    if places is None:
        return None
    tokens = []
    for place in places:
        text, logprob = place.get("token"), _finite(place.get("logprob"))
        if not isinstance(text, str) or logprob is None:
            return None  # half a table may be a wrong one
        top = place.get("top_logprobs")
        listed = [t for t in top if isinstance(t, dict)] if isinstance(top, list) else []
        likely: dict[str, float] = {}
        for other in listed:
            name, value = other.get("token"), _finite(other.get("logprob"))
            if isinstance(name, str) and value is not None:
                likely.setdefault(name, value)
        tokens.append(Token(text, logprob, likely))
    return tuple(tokens)


def _finite(value: Any) -> float | None:
    """A log-probability; servers write -inf as -9999, as null, or as an Infinity that JSON does not have."""
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        return None
    return min(max(float(value), -1e4), 0.0)
