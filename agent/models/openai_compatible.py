"""Any server that speaks OpenAI's chat completions over HTTP: OpenAI, gateways, vLLM, Ollama, llama.cpp."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tunesmith.agent.models.base import Answer, AttemptFailed, Provider, Request, as_chunk
from tunesmith.agent.models.faults import completion_of, connection_fault, place, status_fault
from tunesmith.agent.models.pricing import Price, is_own_server, price_of
from tunesmith.agent.models.recording import scrub
from tunesmith.agent.models.wire import STREAM_END, stream_event
from tunesmith.errors import ModelUnavailable
from tunesmith.settings import NO_KEY, ModelSettings
from tunesmith.text.cleaning import clean

if TYPE_CHECKING:
    import httpx2

OWN_SERVER_TIMEOUT_S = 180.0
"""A model on a few CPU cores reads a prompt of 3,000 tokens in 20 to 90 s."""
LIST_S = 15.0
"""Longest wait for a list of models, seconds: a run waits for it before its first trial."""
LIST_ATTEMPTS, LIST_PAUSE_S = 3, 0.5
CONNECT_S = 10.0
"""Longest wait for a connection, seconds, within the request's own time."""
LARGEST_BODY = 16 * 2**20
"""Bytes; an answer that is longer is a fault of the server."""


class OpenAICompatible(Provider):
    """Requests over HTTP. Making one opens no connection and loads no HTTP library.

    Raises:
        ModelUnavailable: No URL can be made of the base URL, or the key can be in no header.
    """

    def __init__(self, settings: ModelSettings) -> None:
        self._url = settings.base_url.rstrip("/")
        _check_url(self._url)
        self._key = settings.api_key.get_secret_value()
        if not (self._key.isascii() and self._key.isprintable() and self._key.strip() == self._key):
            raise ModelUnavailable(
                "the API key holds characters that cannot be sent; was it pasted with a line end?"
            )
        self.place = place(self._url)
        self.secrets = (self._key,) if self._key != NO_KEY and len(self._key) >= 8 else ()
        if self._url.startswith("https://api.openai.com"):
            self.limit_name = "max_completion_tokens"
        if is_own_server(self._url):
            self.timeout_s = OWN_SERVER_TIMEOUT_S
        self._model = settings.model
        self._lock = threading.RLock()  # guards the model's name and the client, made on first use
        self._client: httpx2.Client | None = None
        self._closed = False

    @property
    def model(self) -> str:
        """The name that is set, else the first that the server lists."""
        with self._lock:
            if self._model is None:
                self._model = self._first_listed()
            return self._model

    def respond(self, request: Request, timeout_s: float) -> Answer:
        with self._sent("POST", "/chat/completions", request, timeout_s) as (response, body):
            return completion_of(self._checked(response, b"".join(body)), self.place)

    def stream(self, request: Request, timeout_s: float) -> Iterator[Answer]:
        asked = {**request, "stream": True, "stream_options": {"include_usage": True}}
        with self._sent("POST", "/chat/completions", asked, timeout_s) as (response, body):
            if response.status_code != 200 or "event-stream" not in response.headers.get("content-type", ""):
                yield as_chunk(completion_of(self._checked(response, b"".join(body)), self.place))
                return
            for line in _lines(body):
                if STREAM_END in line:
                    return
                event = stream_event(scrub(line.decode(errors="replace"), self.secrets))
                if event is not None:
                    if event.get("error"):
                        raise AttemptFailed(f"{self.place}: {clean(event['error'], 300)}")
                    yield event

    def price(self) -> Price | None:
        return price_of(self.model, self._url)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            if self._client is not None:
                self._client.close()
            self._client = None

    @contextmanager
    def _sent(
        self, method: str, path: str, body: Request | None, timeout_s: float
    ) -> Iterator[tuple[httpx2.Response, Iterator[bytes]]]:
        """The response and its body, which is read within the time that is left."""
        client = self._opened()
        import httpx2

        deadline = time.monotonic() + timeout_s
        left = max(timeout_s, 0.01)
        timeout = httpx2.Timeout(left, connect=min(left, CONNECT_S), pool=min(left, CONNECT_S))
        # Bodies are read, scrubbed and recorded as they are, so they must not be compressed.
        headers = {"authorization": f"Bearer {self._key}", "accept-encoding": "identity"}
        url = self._url + path
        try:
            with client.stream(method, url, json=body, headers=headers, timeout=timeout) as response:
                yield response, _within(response, deadline)
        except httpx2.RequestError as error:
            detail = clean(scrub(str(error), self.secrets), 300)
            raise connection_fault(type(error).__name__, detail, self.place) from None

    def _checked(self, response: httpx2.Response, body: bytes) -> str:
        """The body of a response of status 200, without secrets."""
        text = scrub(body.decode(errors="replace"), self.secrets)
        if response.status_code != 200:
            headers = {name: scrub(value, self.secrets) for name, value in response.headers.items()}
            raise status_fault(response.status_code, text, headers, self.place)
        return text

    def _first_listed(self) -> str:
        ends = time.monotonic() + LIST_S
        for retries_left in reversed(range(LIST_ATTEMPTS)):
            try:
                with self._sent("GET", "/models", None, ends - time.monotonic()) as (response, body):
                    text = self._checked(response, b"".join(body))
                break
            except AttemptFailed as fault:
                if not retries_left or not fault.retry:
                    fix = "Set TUNESMITH_MODEL if the server lists no models."
                    raise ModelUnavailable(f"{fault} {fix}") from None
                time.sleep(LIST_PAUSE_S)
        try:
            name = json.loads(text)["data"][0]["id"]
        except (ValueError, LookupError, TypeError):
            raise ModelUnavailable(f"{self.place} lists no models. Set TUNESMITH_MODEL.") from None
        return clean(str(name), 200)

    def _opened(self) -> httpx2.Client:
        with self._lock:
            if self._closed:
                raise ModelUnavailable("the run has ended: nothing more is asked of the model")
            if self._client is None:
                import httpx2

                from tunesmith.agent.models.network import network_transport

                self._client = httpx2.Client(
                    transport=network_transport(self._url), trust_env=False, follow_redirects=True
                )
            return self._client


def _within(response: httpx2.Response, deadline: float) -> Iterator[bytes]:
    """The body's bytes; ReadTimeout past the deadline, however steadily they arrive."""
    import httpx2

    size = 0
    for chunk in response.iter_bytes():
        size += len(chunk)
        if time.monotonic() > deadline:
            raise httpx2.ReadTimeout("the answer took too long")
        if size > LARGEST_BODY:
            raise httpx2.RemoteProtocolError(f"the answer is longer than {LARGEST_BODY:,} bytes")
        yield chunk


def _lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    pending = b""
    for chunk in chunks:
        *whole, pending = (pending + chunk).split(b"\n")
        yield from whole
    yield pending


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ModelUnavailable(f"{clean(url, 100)!r} is no base URL: write it like http://localhost:8000/v1")
    if parts.username or parts.password:  # clients log URLs
        raise ModelUnavailable("the base URL holds a user or password: put the key into TUNESMITH_API_KEY")
