"""The one way out: an HTTP transport that both model clients, `openai` and ChatOpenAI, go through.

    ModelTransport        deadline, circuit breaker, caps, ledger; one attempt at a time
    └── RecordingTransport      appends what passes to exchanges.jsonl   (mode record)
        └── httpx2.HTTPTransport    the network                          (modes live, record)
    └── ReplayTransport         answers from exchanges.jsonl             (mode replay; no network)

The SDK above it retries passing faults, and is the only layer that does. What it must not retry leaves
here as a ModelError, which the SDK lets through untouched (openai 3.52 wraps httpx2's errors only);
what makes no sense to wait for is marked `x-should-retry: false`.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable

import httpx2

from tunesmith.agent.models.attempt import Attempt, describe, within
from tunesmith.agent.models.breaker import Breaker
from tunesmith.agent.models.faults import place
from tunesmith.agent.models.ledger import Ledger
from tunesmith.agent.models.pricing import Price
from tunesmith.agent.models.recording import KEPT_HEADERS, scrub
from tunesmith.agent.models.wire import (
    answer_limit,
    estimate_prompt,
)
from tunesmith.errors import ModelUnavailable
from tunesmith.events import Degraded
from tunesmith.text.cleaning import clean

PURPOSE_HEADER = "x-tunesmith-purpose"
"""Says what a call is for; read and taken off here, never sent."""
LIST_S = 15.0
"""Longest wait for a list of models, seconds: a run waits for it before its first trial."""
CONNECT_S = 10.0
"""Longest wait for a connection, seconds, within the request's own deadline."""


class ModelTransport(httpx2.BaseTransport):
    """Counts, caps, times and scrubs every attempt.

    Args:
        inner: Where requests go: the network, a recorder over it, or a recording.
        ledger: Caps and spend.
        breaker: Fails calls at once while the provider is known to be dead.
        price_of: The price of a model by name, None when unknown.
        timeout_s: Seconds one request may take in all, retries and their pauses included.
        answer_tokens: Worst case of a request that states no limit of its own.
        secrets: Texts to take out of whatever the server says.
    """

    def __init__(
        self,
        inner: httpx2.BaseTransport,
        ledger: Ledger,
        breaker: Breaker,
        price_of: Callable[[str], Price | None],
        *,
        timeout_s: float,
        answer_tokens: int,
        secrets: tuple[str, ...] = (),
    ) -> None:
        self._inner, self.ledger, self.breaker, self._price_of = inner, ledger, breaker, price_of
        self.timeout_s, self._answer_tokens, self._secrets = timeout_s, answer_tokens, secrets
        self._of_thread = threading.local()  # the SDK retries a request in the thread that asked

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send one attempt. Raises ModelErrors for good, httpx2's errors for the SDK to retry."""
        purpose = request.headers.pop(PURPOSE_HEADER, "model")
        deadline = self._deadline(request, purpose)
        if request.method != "POST":
            return self._list_models(request, min(deadline, time.monotonic() + LIST_S))
        if not request.url.path.endswith("/chat/completions"):
            raise ModelUnavailable(f"the door speaks chat completions only, not {request.url.path}")
        body = json.loads(request.read())
        self.breaker.check()
        model = str(body.get("model"))
        reservation = self.ledger.reserve(
            model,
            purpose,
            estimate_prompt(body),
            answer_limit(body, self._answer_tokens),
            self._price_of(model),
        )
        attempt = Attempt(self, request, reservation, deadline)
        return attempt.send(streamed=bool(body.get("stream")))

    def close(self) -> None:
        self._inner.close()

    def scrubbed(self, data: bytes) -> bytes:
        return scrub(data.decode(errors="replace"), self._secrets).encode() if self._secrets else data

    def headers(self, response: httpx2.Response) -> dict[str, str]:
        """The headers that the SDK acts on or shows, scrubbed like the body."""
        kept = (*KEPT_HEADERS, "retry-after-ms", "x-should-retry")
        found = {name: response.headers[name] for name in kept if name in response.headers}
        return {name: scrub(value, self._secrets) for name, value in found.items()}

    def rebuilt(self, response: httpx2.Response, content: bytes) -> httpx2.Response:
        """A response whose body was read, as it goes on to the SDK."""
        return httpx2.Response(response.status_code, headers=self.headers(response), content=content)

    def words(self, text: object) -> str:
        """Anything a server said, safe to show: one line, no key, at most 300 characters."""
        return clean(scrub(str(text), self._secrets), 300)

    def forward(self, request: httpx2.Request, deadline: float) -> httpx2.Response:
        """Hand a request to the inner transport with what is left of its time."""
        left = max(deadline - time.monotonic(), 0.01)
        connect = min(left, CONNECT_S)
        timeouts = {"connect": connect, "pool": connect, "read": left, "write": left}
        request.extensions = {**request.extensions, "timeout": timeouts}
        request.headers["accept-encoding"] = "identity"  # bodies are read, scrubbed and recorded as they are
        return self._inner.handle_request(request)

    def retried_because(self, cause: str) -> None:
        """Remember why this thread's request may come again."""
        self._of_thread.cause = cause

    def _deadline(self, request: httpx2.Request, purpose: str) -> float:
        """Monotonic seconds at which this request, begun perhaps some attempts ago, must be done."""
        if int(request.headers.get("x-stainless-retry-count", "0")) == 0:
            self._of_thread.deadline = time.monotonic() + self.timeout_s
            self._of_thread.cause = ""
        else:
            self.ledger.emit(
                Degraded(
                    what="retry",
                    where=f"model call: {purpose}",
                    cause=self._of_thread.cause,
                    continuation=f"attempt {int(request.headers['x-stainless-retry-count']) + 1}",
                )
            )
        return float(self._of_thread.deadline)

    def _list_models(self, request: httpx2.Request, deadline: float) -> httpx2.Response:
        """`GET /models` costs nothing, so it is neither counted nor capped."""
        self.breaker.check()
        try:
            response = self.forward(request, deadline)
            content = b"".join(within(response, deadline))
        except httpx2.TransportError as exc:
            self.breaker.failed(self.words(f"{place(str(request.url))}: {describe(exc)}"))
            raise
        return self.rebuilt(response, self.scrubbed(content))


class NoAsync(httpx2.AsyncBaseTransport):
    """Keeps asynchronous calls from going round the door: they are refused in words."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        raise ModelUnavailable("the door to models is synchronous: use `invoke` or `stream`, not their twins")
