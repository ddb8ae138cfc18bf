"""Requests to a provider, one attempt at a time: under a deadline, caps, a circuit breaker and retries.

Every attempt reserves its worst case in the ledger before it is sent and settles it exactly once, whatever
happens. Nothing but ModelErrors leaves here.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from itertools import chain, count
from typing import TypeVar

from tunesmith.agent.models.base import FLOWING, Answer, AttemptFailed, Provider, Rejected, Request
from tunesmith.agent.models.breaker import Breaker
from tunesmith.agent.models.estimating import answer_limit, estimate_prompt, likely_answer, likely_prompt
from tunesmith.agent.models.faults import guarded, report, translate
from tunesmith.agent.models.learned import Learned
from tunesmith.agent.models.ledger import Ledger, Reservation
from tunesmith.agent.models.pricing import Price
from tunesmith.agent.models.speed import Patience
from tunesmith.agent.models.wire import Usage, speaks, usage_of
from tunesmith.errors import ModelError, ModelUnavailable
from tunesmith.events import Degraded, Noted
from tunesmith.interfaces import Emit
from tunesmith.text.cleaning import clean
from tunesmith.text.secrets import redactor

T = TypeVar("T")
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 8.0
"""Between attempts; doubled after each."""
LONGEST_WAIT_S = 60.0
"""A server that asks for more than this is asked after our own pause."""
UNEXPLAINED = 500
"""Status by which a server says no more than that it failed."""
SHORTEST_RETRY_S = 1.0
"""With less time left than this, no retry is begun."""


class BrokenOff(ModelUnavailable):
    """The connection was lost in the middle of an answer, or the server reported a fault there."""


class Exchange:
    """Sends requests to one provider; safe to use from several threads.

    Args:
        timeout_s: Seconds one request may take in all, retries included. None: the provider's own, which is
            how long a streamed answer may keep silent; one that goes on coming may take `FLOWING` times that.
        max_retries: Attempts after the first.
    Attributes:
        patience: How long a streamed answer's first word is waited for.
        learned: Of the model and its server.
    """

    def __init__(
        self,
        provider: Provider,
        ledger: Ledger,
        emit: Emit,
        timeout_s: float | None,
        max_retries: int,
        learned: Learned,
    ) -> None:
        self._provider, self._ledger, self._emit = provider, ledger, emit
        self._timeout_s = provider.timeout_s if timeout_s is None else timeout_s
        self._total_s = FLOWING * provider.timeout_s if timeout_s is None else timeout_s
        self.patience = Patience(self._timeout_s)
        self._max_retries = max_retries
        self.learned = learned
        self._breaker = Breaker(self._report_open)
        self._closed = threading.Event()
        self._priced: list[Price | None] = []  # one entry once it is known
        self._lock = threading.Lock()  # guards that list

    def respond(self, body: Request, purpose: str) -> Answer:
        """The completion; `body` lacks only the model's name."""
        request = self._addressed(body)

        def attempt(request: Request, deadline: float) -> Answer:
            with self._accounted(request, purpose) as answers:
                answers.append(self._provider.respond(request, deadline - time.monotonic()))
            self._breaker.succeeded()
            return answers[0]

        return self._attempts(attempt, request, purpose)

    def stream(self, body: Request, purpose: str) -> Iterator[Answer]:
        """The chunks of the completion. Once the first word has come, nothing is retried."""
        request = self._addressed(body)
        ends = time.monotonic() + self._total_s

        def attempt(request: Request, deadline: float) -> Iterator[Answer]:
            chunks = self._relayed(request, purpose, deadline, ends)
            first = []
            for chunk in chunks:
                first.append(chunk)
                if speaks(chunk):
                    break
            return chain(first, chunks)

        return self._attempts(attempt, request, purpose, streamed=True)

    def close(self) -> None:
        self._closed.set()
        self._provider.close()

    def name(self) -> str:
        """The model's name.

        Raises:
            ModelUnavailable: It cannot be told now, which a recording notes.
        """
        request = self._addressed({"messages": []})
        cause = self._provider.was_unasked(request)
        if cause:
            raise ModelUnavailable(cause)
        return str(request["model"])

    def _addressed(self, body: Request) -> Request:
        """The request, with the model's name, for which a server may have to be asked."""
        try:
            return {"model": guarded(lambda: self._provider.model), **redactor().data(body)}
        except ModelError as error:
            self._provider.unasked(body, str(error))
            raise

    def _admit(self, request: Request) -> None:
        """Raises ModelUnavailable where the request is not to be sent."""
        if self._closed.is_set():
            raise ModelUnavailable("the run has ended: nothing more is asked of the model")
        if not self._provider.live:
            cause = self._provider.was_unasked(request)
            if cause:
                raise ModelUnavailable(cause)
            return
        try:
            self._breaker.check()
        except ModelUnavailable as error:
            self._provider.unasked(request, str(error))
            raise

    def _relayed(self, request: Request, purpose: str, deadline: float, ends: float) -> Iterator[Answer]:
        """The chunks of one attempt: the first word by the deadline, all of them by `ends`."""
        spoken = False
        with self._accounted(request, purpose) as answers:
            try:
                for chunk in self._bounded(request, deadline, ends):
                    answers.append(chunk)
                    if not spoken and speaks(chunk):
                        spoken = True
                        self.patience.spoke()
                    yield chunk
            except AttemptFailed as fault:
                if not spoken:
                    raise
                # Part of the answer has been used already, so it must not be asked for again here.
                if fault.timed_out:
                    self._breaker.succeeded()  # it answers, though not in time
                    raise ModelUnavailable(f"the answer was not complete in time: {fault}") from None
                self._failed(fault, streamed=True)
                raise BrokenOff(f"the answer broke off in the middle: {fault}") from None
            if not answers:
                raise AttemptFailed(f"{self._provider.place}: the stream was empty", retry=True)
        self._breaker.succeeded()

    def _bounded(self, request: Request, deadline: float, ends: float) -> Iterator[Answer]:
        """The provider's stream, ended as by a fault of its own once it takes too long."""
        chunks = self._provider.stream(request, deadline - time.monotonic())
        for chunk in chunks:
            yield chunk
            if time.monotonic() > ends:
                late = AttemptFailed(
                    f"{self._provider.place}: no end within {self._total_s:g} s",
                    timed_out=True,
                    recorded={"error": "ReadTimeout"},
                )
                if isinstance(chunks, Generator):
                    yield chunks.throw(late)  # a recording notes it, and tells how fast the answer came
                    chunks.close()
                raise late

    def _attempts(
        self,
        attempt: Callable[[Request, float], T],
        request: Request,
        purpose: str,
        *,
        streamed: bool = False,
    ) -> T:
        """The result of the first attempt that succeeds.

        Raises:
            Rejected: Also for a status 500 that comes twice, as servers answer whose chat template failed.
        """
        wait_s = self.patience.wait_s if streamed else self._timeout_s
        deadline = time.monotonic() + wait_s
        unexplained = 0
        for number in count(1):
            self._admit(request)
            try:
                return attempt(request, deadline)
            except AttemptFailed as fault:
                other = self._instead(request, fault, purpose)
                if other is not None:
                    request = other
                    continue
                self._failed(fault, streamed=streamed)
                unexplained = unexplained + 1 if fault.status == UNEXPLAINED and fault.retry else 0
                patient = 1 if self.learned.doubts == 1 else 2
                if unexplained == patient and number <= self._max_retries and not self._breaker.is_open:
                    raise Rejected(
                        str(fault), persistent=True, answered=True, status=UNEXPLAINED, usage=fault.usage
                    ) from None
                left = deadline - time.monotonic()
                over = number > self._max_retries or not fault.retry or self._breaker.is_open
                if over or max(fault.retry_after_s, SHORTEST_RETRY_S) > left:
                    raise self._given_up(fault, deadline, wait_s) from None
                if not self._closed.wait(_pause_s(number, fault.retry_after_s)):
                    report(self._emit, "retry", purpose, str(fault), f"attempt {number + 1}")
        raise AssertionError("an attempt returns or raises")

    def _instead(self, request: Request, fault: AttemptFailed, purpose: str) -> Request | None:
        """The request to another model of the server, where this one answers no chats."""
        if not fault.wrong_model:
            return None
        name = guarded(lambda: self._provider.another_model(str(request["model"])))
        if name is None:
            return None
        self.learned.not_chat.add(str(request["model"]))
        report(self._emit, "fallback", purpose, str(fault), f"{name} is asked instead from here on")
        with self._lock:
            self._priced.clear()
        return {**request, "model": name}

    def _failed(self, fault: AttemptFailed, *, streamed: bool) -> None:
        if streamed and fault.timed_out and fault.usage is None:  # it was sent
            self.patience.was_silent()
        if fault.retry or fault.lasting or not fault.answered:
            self._breaker.failed(str(fault), weight=2 if fault.timed_out else 1, lasting=fault.lasting)
        else:
            self._breaker.succeeded()  # it answers; what it does not accept is this request

    def _given_up(self, fault: AttemptFailed, deadline: float, wait_s: float) -> ModelError:
        if fault.answered:
            return fault
        late = fault.timed_out and deadline - time.monotonic() < SHORTEST_RETRY_S
        shorter = self.patience.wait_s
        then = f"; the next question waits {shorter:g} s for its first word" if shorter < wait_s else ""
        return ModelUnavailable(f"no answer{f' within {wait_s:g} s' if late else ''} from {fault}{then}")

    @contextmanager
    def _accounted(self, request: Request, purpose: str) -> Iterator[list[Answer]]:
        """Reserves for one attempt, and settles by the answers or chunks that are put into the list."""
        answers: list[Answer] = []
        limit = answer_limit(request)
        model, prompt = str(request["model"]), estimate_prompt(request)
        likely = min(likely_prompt(request), prompt)
        reserved = self._ledger.reserve(model, purpose, prompt, limit, self._price(), likely)
        started = time.monotonic()

        def settle(usage: Usage, error: str = "", *, estimated: bool = False) -> None:
            seconds = time.monotonic() - started
            self._ledger.settle(
                reserved, usage, ok=not error, seconds=seconds, error=error, estimated=estimated
            )

        def settle_heard(error: str = "") -> None:
            usage, estimated = self._used(answers, reserved)
            settle(usage, error, estimated=estimated)

        try:
            yield answers
        except AttemptFailed as fault:
            settle(fault.usage or reserved.usage, str(fault), estimated=fault.usage is None)
            raise
        except ModelError as error:
            if answers:
                settle_heard(str(error))
            else:
                settle(Usage(0, 0), str(error))
            raise
        except GeneratorExit:
            settle_heard("the stream was dropped before its end")
            raise
        except Exception as error:  # noqa: BLE001  a provider may be another package's code
            settle(reserved.usage, type(error).__name__, estimated=True)
            raise translate(error) from None
        except BaseException as error:  # Ctrl-C: no reservation may stay behind
            settle(reserved.usage, f"interrupted by {type(error).__name__}", estimated=True)
            raise
        else:
            settle_heard()

    def _used(self, answers: list[Answer], reserved: Reservation) -> tuple[Usage, bool]:
        """What an attempt took, and whether that is an estimate.

        The last count that came (servers that send several send running totals). A server that counts
        nothing, or 0 tokens for words that it gave, leaves it to an estimate from the words.
        """
        counted = [usage for answer in answers if (usage := usage_of(answer)) is not None]
        if counted and (counted[-1].completion or not self._provider.priced or not any(map(speaks, answers))):
            return counted[-1], False
        prompt = counted[-1].prompt if counted else 0
        said = min(likely_answer(answers), reserved.completion_tokens)
        return Usage(prompt or reserved.likely_prompt, said), True

    def _price(self) -> Price | None:
        with self._lock:
            if not self._priced:
                price, model = guarded(lambda: (self._provider.price(), self._provider.model))
                self._priced.append(price)
                if price is None:
                    text = f"The price of {model} is unknown: it is shown as unknown, never as free."
                    self._emit(Noted(text=text))
                elif price.source not in ("", "list price"):
                    self._emit(Noted(text=f"Price of {model} at {self._provider.place}: {price.source}."))
            return self._priced[0]

    def _report_open(self, cause: str, meaning: str) -> None:
        self._emit(Degraded(what="fallback", where="model", cause=clean(cause, 500), continuation=meaning))


def _pause_s(number: int, asked_for_s: float) -> float:
    if 0 < asked_for_s <= LONGEST_WAIT_S:
        return asked_for_s
    longest = min(FIRST_PAUSE_S * 2 ** (number - 1), LONGEST_PAUSE_S)
    return float(longest * random.uniform(0.75, 1.0))
