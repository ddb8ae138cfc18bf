"""A language model as methods and policies use it, whatever provider answers.

model = open_model(settings, caps, emit, exchanges=folder.exchanges)
completion = model.complete(messages, Candidates, purpose="agent.decide")   # a validated value
samples = model.sample(messages, n=5, temperature=0.8, purpose="agent.answer")   # plain texts
for piece in model.chat(messages, purpose="agent.answer"): ...                     # a stream
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from itertools import count
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel

from tunesmith.agent.models.adapting import Adapter, ToolsRefused
from tunesmith.agent.models.base import Answer, AttemptFailed, Capabilities, Provider
from tunesmith.agent.models.estimating import estimate_prompt, typical_tokens
from tunesmith.agent.models.exchange import BrokenOff, Exchange
from tunesmith.agent.models.faults import guarded, report
from tunesmith.agent.models.learned import Learned
from tunesmith.agent.models.ledger import Ledger
from tunesmith.agent.models.limits import AnswerLimit, only_thought, used_up
from tunesmith.agent.models.recording import scrub
from tunesmith.agent.models.reservations import Reservations
from tunesmith.agent.models.sampling import SampleCaller, Samples, samples_from
from tunesmith.agent.models.speed import Speed, SpeedMeter, guess
from tunesmith.agent.models.spoken import Spoken
from tunesmith.agent.models.streaming import Hearing, OnItem, Timing
from tunesmith.agent.models.structured import Completion, Counted, Message, StructuredCaller
from tunesmith.agent.models.wire import ANSWER_TOKENS, Piece, Reply, piece_of, reply_of
from tunesmith.budget import ModelCaps, ModelSpend
from tunesmith.errors import InvalidAnswer, ModelRefused
from tunesmith.events import Degraded
from tunesmith.interfaces import Emit
from tunesmith.text.cleaning import error_line

T = TypeVar("T", bound=BaseModel)


class Pace(NamedTuple):
    """What to know of a model before a question is put to it."""

    speed: Speed
    limit_s: float
    """Seconds that an answer may take."""
    silent: int
    """Questions in a row that were met with silence."""


NOTHING_SPENT = ModelSpend()
MOST_GROWTHS = 2
"""How often the limit is raised for one question."""
STREAMED = {"stream_options": {"include_usage": True}}
"""Asks a server to count the tokens of a streamed answer."""


class _Said:
    """What one streamed answer says aloud.

    Attributes:
        anything: Whether there was a word or a call.
        ending: Its finish reason.
    """

    def __init__(self, spoken: Spoken) -> None:
        self.spoken, self.anything, self.ending = spoken, False, ""

    def pieces(self, chunks: Iterator[Answer]) -> Iterator[Piece]:
        """The pieces without thoughts in their text."""
        for chunk in chunks:
            if Timing.of(chunk) is not None:
                continue
            piece = piece_of(chunk)
            text = self.spoken.add(piece.text) if piece.text else ""
            if piece.finish_reason or piece.calls:
                text += self.spoken.close()
            self.anything = self.anything or bool(text.strip() or piece.calls)
            self.ending = piece.finish_reason or self.ending
            yield replace(piece, text=text)
        rest = self.spoken.close()
        if rest:
            self.anything = self.anything or bool(rest.strip())
            yield Piece(rest)


class LanguageModel:
    """A provider under caps, with retries, one reading of replies and one form of requests for all callers.

    Called by methods and policies from any thread. Making one connects to nothing. Every exception that
    leaves `complete`, `sample`, `chat` and `model` is a ModelError.

    Args:
        provider: Answers the requests.
        caps: Hard caps over the whole run, checked before each attempt with its worst case.
        emit: Gets a ModelCalled per attempt and a Degraded per retry, repair and fallback; from any thread.
        spent: What earlier sessions of this run spent; counts against the caps.
        max_retries: How often a passing fault is retried.
        timeout_s: Seconds one request may take in all, retries included; None means the provider's own.
        reservations: Where attempts are written down before they are made; counts instead of `spent`. It
            remembers what was learned of the server as well.
        effort: Sent as `reasoning_effort`; None leaves it open.
        answer_tokens: Longest answer where a caller states none; None: 4096. It grows for a model whose
            thinking uses it up.
        learned: What another model knows of the same server; used where `reservations` know nothing.
    """

    def __init__(
        self,
        provider: Provider,
        caps: ModelCaps,
        emit: Emit,
        *,
        spent: ModelSpend = NOTHING_SPENT,
        max_retries: int = 2,
        timeout_s: float | None = None,
        reservations: Reservations | None = None,
        effort: str | None = None,
        answer_tokens: int | None = None,
        learned: Learned | None = None,
    ) -> None:
        self._provider, self._emit, self._name = provider, emit, ""
        able = provider.capabilities
        kept = self._countable(caps)
        self._meter = SpeedMeter()
        self._ledger = Ledger(kept, emit, spent, reservations)
        refused = [name for name, can in (("n", able.choices), ("logprobs", able.logprobs)) if not can]
        self._kept, self._longest = reservations, answer_tokens or ANSWER_TOKENS
        self._learned = Learned(limit_name=provider.limit_name)
        if learned is not None:
            self._learned = learned.model_copy(deep=True)
        if reservations is not None:
            self._learned = reservations.learned(provider.place) or self._learned
        self._learned.refused |= set(refused)
        provider.avoid(self._learned.not_chat)
        if not able.schema:
            self._learned.level = "text"
        self._exchange = Exchange(provider, self._ledger, emit, timeout_s, max_retries, self._learned)
        self._limits = AnswerLimit(self._learned, self._ledger.room, emit)
        self._adapter = Adapter(self._learned, self._limits, emit, {"reasoning_effort": effort})
        self._structured = StructuredCaller(self._ask, emit, self._learned)
        self._sampler = SampleCaller(
            self._adapter, self._exchange.respond, self._limits, emit, portion=None if able.choices else 1
        )

    @property
    def model(self) -> str:
        """The model's name. The first use may ask the server for it, and raise ModelUnavailable."""
        self._name = guarded(lambda: self._provider.model)
        return self._name

    @property
    def label(self) -> str:
        """The model's name as far as it is known, else where it is asked. Asks nothing."""
        return self._name or self._provider.place

    def find(self) -> None:
        """Learn the model's name. A server that is away or still loading is asked again with each question.

        Raises:
            ModelUnavailable: It cannot be used, now or later.
        """
        try:
            _ = self.model
        except AttemptFailed as fault:
            if not fault.retry:
                raise
            how = "trials start without it; it is asked again with the next question"
            self._emit(Degraded(what="fallback", where="model", cause=error_line(fault), continuation=how))

    def pace(self) -> Pace:
        """How fast it answers, and how long it is waited for.

        Raises:
            ModelUnavailable: The server does not even tell the model's name.
        """
        self._name = self._exchange.name()
        patience = self._exchange.patience
        guessed = guess(self._name, own_server=self._provider.own_server)
        return Pace(self._meter.speed(guessed), patience.limit_s, patience.silent)

    @property
    def timeout_s(self) -> float:
        """Seconds that one question may take, retries included."""
        return self._exchange.patience.limit_s

    @property
    def learned(self) -> Learned:
        """What is known of the model and its server by now."""
        return self._learned

    @property
    def capabilities(self) -> Capabilities:
        """What the provider may be asked for."""
        return self._provider.capabilities

    @property
    def can_call_tools(self) -> bool:
        """Whether tools may be offered, as far as the provider says and is known by trying."""
        return self.capabilities.tools and self._learned.tools

    def without_tools(self, purpose: str, cause: str) -> None:
        """Offer it tools no more: a question with them was rejected that was answered without."""
        with self._remembering():
            self._adapter.refuse("tools", purpose, cause)

    @contextmanager
    def _remembering(self) -> Iterator[None]:
        """Keeps what a question taught about the server, whatever came of it."""
        try:
            yield
        finally:
            if self._kept is not None:
                self._kept.learn(self._provider.place, self._learned)

    def _countable(self, caps: ModelCaps) -> ModelCaps:
        """Caps that can be counted: dollars cannot where the provider has no price."""
        return caps if self._provider.priced else caps.model_copy(update={"dollars": None})

    def change_caps(self, caps: ModelCaps) -> None:
        """Go by other caps from the next call on."""
        self._ledger.caps = self._countable(caps)

    @property
    def usage(self) -> ModelSpend:
        """Calls, tokens and dollars so far, those of earlier sessions included."""
        return self._ledger.spend

    def complete(
        self,
        messages: Sequence[Message],
        schema: type[T],
        *,
        purpose: str,
        temperature: float | None = None,
        max_tokens: int | None = None,
        check: Callable[[T], list[str]] | None = None,
        on_item: OnItem | None = None,
    ) -> Completion[T]:
        """Ask for a value of `schema`.

        Args:
            messages: `{"role", "content"}` each; the last from the user.
            schema: Validated strictly whatever the provider promises: no unknown key, no NaN, no bool for a
                number.
            purpose: What for, in events and the report, such as `agent.decide`.
            temperature: None leaves it to the provider.
            max_tokens: Longest answer, its hidden reasoning included; None means 4096.
            check: Returns the faults of a value of the right shape, as sentences for the model.
            on_item: Given (name of a list in the answer, element) as soon as the element is complete: the
                answer is streamed for it. Elements are JSON as the model wrote it, not validated. They may be
                used even if the call fails later on; those of an answer that is asked for again come twice.
        Raises:
            ModelError: ModelUnavailable, ModelRefused, InvalidAnswer, ModelBudgetReached or ReplayMiss.
        """
        asked = {"temperature": temperature, "limit": max_tokens or self._longest, "purpose": purpose}
        with self._ledger.tally() as tokens, self._remembering():
            value = self._structured.complete(messages, schema, asked, check, on_item)
        return Completion(value, sum(tokens))

    def _ask(self, asked: dict[str, Any], on_item: OnItem | None) -> Reply:
        """The reply to one request; asked for again with a higher limit where thinking has used it up."""
        heard = Counted(on_item) if on_item is not None else None
        for growths in count():
            reply = self._ask_once(asked, heard)
            if not only_thought(reply) or (heard is not None and heard.items):
                return reply
            prompt = estimate_prompt(asked)
            grown = growths < MOST_GROWTHS and self._limits.grow(
                asked["limit"], asked["purpose"], prompt=prompt
            )
            if not grown:  # asking it back would be the same thoughts once more
                raise InvalidAnswer(used_up(self._limits.of(asked["limit"], prompt=prompt)))
        raise AssertionError("the last growth raises")

    def _ask_once(self, asked: dict[str, Any], on_item: OnItem | None) -> Reply:
        """The reply to one request; streamed where somebody listens to its parts."""
        if on_item is None:
            return reply_of(self._adapter.ask(asked, self._exchange.respond))
        for last in (False, True):
            hearing = Hearing(on_item, lambda text: scrub(text, self._provider.secrets))
            try:
                for chunk in self._adapter.ask({**asked, **STREAMED}, self._exchange.stream):
                    hearing.add(chunk)
            except BrokenOff as error:
                if last or hearing.items:
                    raise
                again = "nothing of it was complete: it is asked for once more"
                report(self._emit, "retry", asked["purpose"], str(error), again)
                continue
            finally:
                self._measure(asked, hearing)
            return hearing.reply
        raise AssertionError("the last attempt returns or raises")

    def _measure(self, asked: dict[str, Any], hearing: Hearing) -> None:
        if hearing.timing is not None:
            words = "".join(str(message.get("content") or "") for message in asked["messages"])
            prompt = hearing.usage.prompt if hearing.usage is not None else typical_tokens(words)
            self._meter.note(prompt, hearing.tokens, hearing.timing)

    def sample(
        self,
        messages: Sequence[Message],
        *,
        n: int = 1,
        temperature: float | None = None,
        top_p: float | None = None,
        max_tokens: int | None = None,
        purpose: str,
        logprobs: int = 0,
        stop: Sequence[str] | None = None,
    ) -> Samples:
        """Ask for `n` answers in plain text, in one request where the provider can.

        Args:
            messages: As for `complete`.
            n: How many answers, at least 1.
            temperature, top_p, stop: None leaves them to the provider; so does one that refuses them.
            max_tokens: Longest single answer; None means 4096. The caps count n times that.
            logprobs: How many alternatives to ask for at each place of an answer, 0 to 20.
        Returns:
            `n` answers; fewer only where the model failed after giving some, which is an event.
        Raises:
            ModelError: as from `complete`, except InvalidAnswer: nothing is read into the text.
        """
        if n < 1:
            raise ValueError(f"n = {n}: at least one answer must be asked for")
        asked = {
            "messages": list(messages),
            "temperature": temperature,
            "top_p": top_p,
            "stop": list(stop) if stop else None,
            "logprobs": logprobs,
            "limit": max_tokens or self._longest,
            "purpose": purpose,
        }
        with self._ledger.tally() as spent, self._remembering():
            choices = self._sampler.sample(asked, n)
        return samples_from(choices, spent)

    def chat(
        self,
        messages: Sequence[Message],
        tools: Sequence[dict[str, Any]] = (),
        *,
        purpose: str,
    ) -> Iterator[Piece]:
        """One answer as it comes: text and tool calls in pieces.

        Args:
            messages: As for `complete`, with the protocol's tool calls and their results among them.
            tools: In the protocol's form; only for a provider with `capabilities.tools`.
        Raises:
            ModelError: From the iterator, at any point; an answer with neither text nor call is ModelRefused.
        """
        if tools and not self.can_call_tools:
            raise ToolsRefused(f"{self._provider.place} cannot call tools")
        asked = {
            "messages": list(messages),
            "tools": list(tools) or None,
            "limit": self._longest,
            "purpose": purpose,
        }
        with self._remembering():
            for growths in count():
                said = _Said(Spoken(thinking=self._learned.thinks_first))
                yield from said.pieces(self._adapter.ask({**asked, **STREAMED}, self._exchange.stream))
                self._learned.thinks_first |= said.spoken.swallowed
                if said.anything:
                    break
                grown = growths < MOST_GROWTHS and said.ending == "length"
                if not grown or not self._limits.grow(self._longest, purpose, prompt=estimate_prompt(asked)):
                    break
        if said.ending == "content_filter":
            raise ModelRefused("the provider's content filter stopped the answer")
        if not said.anything and said.ending == "length":
            limit = self._limits.of(self._longest, prompt=estimate_prompt(asked))
            raise InvalidAnswer(used_up(limit))
        if not said.anything:  # a refusal in a field of its own looks like this
            raise ModelRefused("the model gave neither text nor a tool call: it declined, or said nothing")

    def tally(self) -> AbstractContextManager[list[int]]:
        """Tokens of every attempt that this thread makes inside the block, one number each."""
        return self._ledger.tally()

    def close(self) -> None:
        """Break off what is being asked and let nothing more be asked. Idempotent."""
        self._exchange.close()
