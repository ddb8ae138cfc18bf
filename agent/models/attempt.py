"""One attempt at the model: sent, read within its time, judged, settled.

Whatever happens, an attempt settles its reservation exactly once, tells the circuit breaker how it went, and
ends as a response, as an httpx2 error for the SDK to retry, or as a ModelError that ends the request.
"""

from __future__ import annotations

import email.utils
import json
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import httpx2

from tunesmith.agent.models.faults import place, status_error
from tunesmith.agent.models.ledger import Reservation
from tunesmith.agent.models.wire import (
    STREAM_END,
    Usage,
    spoken_tokens,
    stream_events,
    stream_usage,
    usage_of,
)
from tunesmith.errors import ModelError, ModelUnavailable

if TYPE_CHECKING:
    from tunesmith.agent.models.transport import ModelTransport

SHORTEST_RETRY_S = 1.0
"""With less time left than this, no retry is begun: the SDK's own pause would use it up."""
LARGEST_BODY = 16 * 2**20
"""Bytes; an answer that is longer is a fault of the server."""
LASTING = frozenset({401, 403, 404})
"""Statuses that no later attempt can better."""
PASSING = frozenset({408, 409, 429})
"""Statuses below 500 that the SDK retries."""


class Attempt:
    """One attempt at the model, from being reserved to being settled, once, whatever happens."""

    def __init__(
        self, door: ModelTransport, request: httpx2.Request, reservation: Reservation, deadline: float
    ) -> None:
        self._door, self._request, self._reservation = door, request, reservation
        self._deadline = deadline
        self._started = time.monotonic()
        self._settled = False
        self._where = place(str(request.url))

    def send(self, streamed: bool) -> httpx2.Response:
        try:
            response = self._door.forward(self._request, self._deadline)
            if streamed and response.status_code == 200 and "event-stream" in _content_type(response):
                return httpx2.Response(
                    200,
                    headers=self._door.headers(response),
                    stream=_Stream(self.relay(response)),
                    request=self._request,
                )
            content = self._door.scrubbed(b"".join(within(response, self._deadline)))
        except httpx2.RequestError as exc:
            raise self.broken(exc) from None
        except ModelError as exc:  # a replay that misses
            self.settle(Usage(0, 0), error=str(exc))
            raise
        except BaseException as exc:  # Ctrl-C, or a fault of ours: no reservation may stay behind
            self.settle(self._reservation.usage, error=f"interrupted by {type(exc).__name__}")
            raise
        if response.status_code != 200:
            return self.refused(response, content)
        return self.answered(response, content)

    def answered(self, response: httpx2.Response, content: bytes) -> httpx2.Response:
        """Status 200. A body that is no completion is the server's fault, and one that may pass."""
        try:
            data = json.loads(content)
        except ValueError:
            data = None
        choices = data.get("choices") if isinstance(data, dict) else None
        if not isinstance(choices, list) or not choices:
            said = self._door.words(content.decode(errors="replace")[:200])
            usage = usage_of(data) or Usage(self._reservation.prompt_tokens, 0, measured=False)
            raise self.broken(httpx2.RemoteProtocolError(f"no chat completion came back: {said}"), usage)
        usage = usage_of(data) or Usage(self._reservation.prompt_tokens, spoken_tokens([data]), False)
        self._door.breaker.succeeded()
        self.settle(usage)
        return self._door.rebuilt(response, content)

    def refused(self, response: httpx2.Response, content: bytes) -> httpx2.Response:
        """Another status. Tells breaker and SDK whether coming again can help."""
        status, (words, code) = response.status_code, _error_words(content)
        error = str(status_error(status, self._door.words(words), self._where, code))
        lasting = status in LASTING or code == "insufficient_quota"
        if lasting or status in PASSING or status >= 500:
            self._door.breaker.failed(error, lasting=lasting)
        else:
            self._door.breaker.succeeded()  # it answers; what it dislikes is this request
        self._door.retried_because(error)
        self.settle(Usage(0, 0), error=error)  # an error costs nothing at any provider known to us
        answer = self._door.rebuilt(response, content)
        left = self._deadline - time.monotonic()
        if lasting or self._door.breaker.is_open or max(_retry_after(response), SHORTEST_RETRY_S) > left:
            answer.headers["x-should-retry"] = "false"
        return answer

    def relay(self, response: httpx2.Response) -> Iterator[bytes]:
        """Pass a stream on, event by event; settle when it ends, breaks or is dropped."""
        lines: list[str] = []
        pending = b""
        try:
            for chunk in within(response, self._deadline):
                pending += chunk
                *whole, pending = pending.split(b"\n")
                if whole:
                    passed = self._door.scrubbed(b"\n".join(whole) + b"\n")
                    lines.append(passed.decode(errors="replace"))
                    if STREAM_END in passed:
                        self._finished(lines)
                    yield passed
            if pending:
                lines.append(self._door.scrubbed(pending).decode(errors="replace"))
                yield lines[-1].encode()
        except httpx2.RequestError as exc:
            # Half a reply is already out, so nothing above may quietly ask again.
            error = self.broken(exc, self._stream_usage(lines))
            if isinstance(error, ModelError):
                raise error from None
            raise ModelUnavailable(f"{self._where} broke off in the middle of its answer: {error}") from None
        except BaseException:  # GeneratorExit from whoever stops reading, or Ctrl-C
            self.settle(self._stream_usage(lines), error="the stream was dropped before its end")
            raise
        self._finished(lines)

    def _finished(self, lines: list[str]) -> None:
        self._door.breaker.succeeded()
        self.settle(self._stream_usage(lines))

    def broken(self, exc: httpx2.RequestError, usage: Usage | None = None) -> Exception:
        """The attempt brought no answer: what to raise, for the SDK to retry or for good."""
        timed_out = isinstance(exc, httpx2.TimeoutException)
        never_sent = isinstance(exc, (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout))
        words = self._door.words(describe(exc))
        cause = f"{self._where}: {words}"
        self._door.breaker.failed(cause, weight=2 if timed_out else 1)
        self._door.retried_because(cause)
        # Sent and lost: the provider may well bill it, up to the worst case.
        self.settle(usage or (Usage(0, 0) if never_sent else self._reservation.usage), error=cause)
        left = self._deadline - time.monotonic()
        if self._door.breaker.is_open or left < SHORTEST_RETRY_S:
            late = f" within {self._door.timeout_s:g} s" if timed_out and left < SHORTEST_RETRY_S else ""
            return ModelUnavailable(f"no answer{late} from {cause}")
        return type(exc)(words)

    def settle(self, usage: Usage, error: str = "") -> None:
        if self._settled:
            return
        self._settled = True
        seconds = time.monotonic() - self._started
        self._door.ledger.settle(self._reservation, usage, ok=not error, seconds=seconds, error=error)

    def _stream_usage(self, lines: list[str]) -> Usage:
        events = stream_events(lines)
        counted = stream_usage(events)
        return counted or Usage(self._reservation.prompt_tokens, spoken_tokens(events), measured=False)


class _Stream(httpx2.SyncByteStream):
    """A generator as a byte stream; closing it ends the generator, which settles the attempt."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        yield from self._chunks

    def close(self) -> None:
        self._chunks.close()  # type: ignore[attr-defined]  # a generator


def describe(exc: Exception) -> str:
    """An httpx2 error in words; some carry none."""
    kind = {
        "ConnectError": "cannot connect",
        "ConnectTimeout": "cannot connect in time",
        "ReadTimeout": "no answer in time",
        "RemoteProtocolError": "broken answer",
        "ReadError": "connection lost",
    }.get(type(exc).__name__, type(exc).__name__)
    return f"{kind} ({exc})" if str(exc) else kind


def within(response: httpx2.Response, deadline: float) -> Iterator[bytes]:
    """The body's bytes; ReadTimeout past the deadline, however steadily they drip."""
    size = 0
    try:
        for chunk in response.iter_bytes():
            size += len(chunk)
            if time.monotonic() > deadline:
                raise httpx2.ReadTimeout("the answer took too long")
            if size > LARGEST_BODY:
                raise httpx2.RemoteProtocolError(f"the answer is longer than {LARGEST_BODY:,} bytes")
            yield chunk
    finally:
        response.close()


def _content_type(response: httpx2.Response) -> str:
    return str(response.headers.get("content-type", ""))


def _error_words(content: bytes) -> tuple[str, str]:
    """What a server says is wrong, and its code for it; the start of the body where it has no such form."""
    raw = content.decode(errors="replace")
    try:
        data: Any = json.loads(raw)
    except ValueError:
        return raw[:300], ""
    error = data.get("error", data) if isinstance(data, dict) else data
    if not isinstance(error, dict):
        return str(error)[:300], ""
    return str(error.get("message") or error.get("detail") or error)[:300], str(error.get("code") or "")


def _retry_after(response: httpx2.Response) -> float:
    """Seconds the server asks to wait, 0 where it does not say."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        value = response.headers.get(name)
        if value is None:
            continue
        try:
            return float(value) / unit
        except ValueError:
            pass  # not a number, so it is a date, or nonsense
        when = email.utils.parsedate_tz(value)
        return 0.0 if when is None else email.utils.mktime_tz(when) - time.time()
    return 0.0
