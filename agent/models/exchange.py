"""Requests to a provider, one attempt at a time: under a deadline, caps, a circuit breaker and retries.

Every attempt reserves its worst case in the ledger before it is sent and settles it exactly once, whatever
happens. Nothing but ModelErrors leaves here.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain, count
from typing import TypeVar

from tunesmith.agent.models.base import Answer, AttemptFailed, Provider, Request
from tunesmith.agent.models.breaker import Breaker
from tunesmith.agent.models.faults import guarded, report, translate
from tunesmith.agent.models.ledger import Ledger, Reservation
from tunesmith.agent.models.pricing import Price
from tunesmith.agent.models.wire import Usage, answer_limit, estimate_prompt, spoken_tokens, usage_of
from tunesmith.errors import ModelError, ModelUnavailable
from tunesmith.events import Degraded, Noted
from tunesmith.interfaces import Emit
from tunesmith.text.cleaning import clean

T = TypeVar("T")
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 8.0
"""Between attempts; doubled after each."""
LONGEST_WAIT_S = 60.0
"""A server that asks for more than this is asked after our own pause."""
SHORTEST_RETRY_S = 1.0
"""With less time left than this, no retry is begun."""


class BrokenOff(ModelUnavailable):
    """The connection was lost in the middle of an answer, or the server reported a fault there."""


class Exchange:
    """Sends requests to one provider; safe to use from several threads.

    Args:
        timeout_s: Seconds one request may take in all, retries included; None: the provider's own.
        max_retries: Attempts after the first.
    """

    def __init__(
        self, provider: Provider, ledger: Ledger, emit: Emit, timeout_s: float | None, max_retries: int
    ) -> None:
        self._provider, self._ledger, self._emit = provider, ledger, emit
        self._timeout_s = provider.timeout_s if timeout_s is None else timeout_s
        self._max_retries = max_retries
        self._breaker = Breaker(self._report_open)
        self._closed = threading.Event()
        self._priced: list[Price | None] = []  # one entry once it is known
        self._lock = threading.Lock()  # guards that list

    def respond(self, body: Request, purpose: str) -> Answer:
        """The completion; `body` lacks only the model's name."""
        request = {"model": guarded(lambda: self._provider.model), **body}

        def attempt(deadline: float) -> Answer:
            with self._accounted(request, purpose) as answers:
                answers.append(self._provider.respond(request, deadline - time.monotonic()))
            self._breaker.succeeded()
            return answers[0]

        return self._attempts(attempt, purpose)

    def stream(self, body: Request, purpose: str) -> Iterator[Answer]:
        """The chunks of the completion. Once the first has come, nothing is retried."""
        request = {"model": guarded(lambda: self._provider.model), **body}

        def attempt(deadline: float) -> Iterator[Answer]:
            chunks = self._relayed(request, purpose, deadline)
            return chain([next(chunks)], chunks)

        return self._attempts(attempt, purpose)

    def close(self) -> None:
        self._closed.set()
        self._provider.close()

    def _relayed(self, request: Request, purpose: str, deadline: float) -> Iterator[Answer]:
        with self._accounted(request, purpose) as answers:
            try:
                for chunk in self._provider.stream(request, deadline - time.monotonic()):
                    answers.append(chunk)
                    yield chunk
            except AttemptFailed as fault:
                if not answers:
                    raise
                # Part of the answer has been used already, so it must not be asked for again.
                self._failed(fault)
                error = self._given_up(fault, deadline)
                if not fault.timed_out and (error is fault or deadline - time.monotonic() > SHORTEST_RETRY_S):
                    error = BrokenOff(f"the answer broke off in the middle: {fault}")
                raise error from None
            if not answers:
                raise AttemptFailed(f"{self._provider.place}: the stream was empty", retry=True)
        self._breaker.succeeded()

    def _attempts(self, attempt: Callable[[float], T], purpose: str) -> T:
        """The result of the first attempt that succeeds."""
        deadline = time.monotonic() + self._timeout_s
        for number in count(1):
            if self._closed.is_set():
                raise ModelUnavailable("the run has ended: nothing more is asked of the model")
            self._breaker.check()
            try:
                return attempt(deadline)
            except AttemptFailed as fault:
                self._failed(fault)
                left = deadline - time.monotonic()
                over = number > self._max_retries or not fault.retry or self._breaker.is_open
                if over or max(fault.retry_after_s, SHORTEST_RETRY_S) > left:
                    raise self._given_up(fault, deadline) from None
                if not self._closed.wait(_pause_s(number, fault.retry_after_s)):
                    report(self._emit, "retry", purpose, str(fault), f"attempt {number + 1}")
        raise AssertionError("an attempt returns or raises")

    def _failed(self, fault: AttemptFailed) -> None:
        if fault.retry or fault.lasting or not fault.answered:
            self._breaker.failed(str(fault), weight=2 if fault.timed_out else 1, lasting=fault.lasting)
        else:
            self._breaker.succeeded()  # it answers; what it does not accept is this request

    def _given_up(self, fault: AttemptFailed, deadline: float) -> ModelError:
        if fault.answered:
            return fault
        late = fault.timed_out and deadline - time.monotonic() < SHORTEST_RETRY_S
        return ModelUnavailable(f"no answer{f' within {self._timeout_s:g} s' if late else ''} from {fault}")

    @contextmanager
    def _accounted(self, request: Request, purpose: str) -> Iterator[list[Answer]]:
        """Reserves for one attempt, and settles by the answers or chunks that are put into the list."""
        answers: list[Answer] = []
        limit = answer_limit(request)
        model, prompt = str(request["model"]), estimate_prompt(request)
        reserved = self._ledger.reserve(model, purpose, prompt, limit, self._price())
        started = time.monotonic()

        def settle(usage: Usage, error: str = "") -> None:
            seconds = time.monotonic() - started
            self._ledger.settle(reserved, usage, ok=not error, seconds=seconds, error=error)

        try:
            yield answers
        except AttemptFailed as fault:
            settle(fault.usage or reserved.usage, str(fault))
            raise
        except ModelError as error:
            settle(_used(answers, reserved) if answers else Usage(0, 0), str(error))
            raise
        except GeneratorExit:
            settle(_used(answers, reserved), "the stream was dropped before its end")
            raise
        except Exception as error:  # noqa: BLE001  a provider may be another package's code
            settle(reserved.usage, type(error).__name__)
            raise translate(error) from None
        except BaseException as error:  # Ctrl-C: no reservation may stay behind
            settle(reserved.usage, f"interrupted by {type(error).__name__}")
            raise
        else:
            settle(_used(answers, reserved))

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


def _used(answers: list[Answer], reserved: Reservation) -> Usage:
    """The last count that came (servers that send several send running totals), else an estimate."""
    counted = [usage for answer in answers if (usage := usage_of(answer)) is not None]
    if counted:
        return counted[-1]
    return Usage(reserved.prompt_tokens, spoken_tokens(answers))


def _pause_s(number: int, asked_for_s: float) -> float:
    if 0 < asked_for_s <= LONGEST_WAIT_S:
        return asked_for_s
    longest = min(FIRST_PAUSE_S * 2 ** (number - 1), LONGEST_PAUSE_S)
    return float(longest * random.uniform(0.75, 1.0))
