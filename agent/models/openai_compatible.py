"""Any server that speaks OpenAI's chat completions over HTTP: OpenAI, gateways, vLLM, Ollama, llama.cpp."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tunesmith.agent.models.addresses import address_of, moved_to
from tunesmith.agent.models.base import Answer, AttemptFailed, Provider, Rejected, Request, as_chunk
from tunesmith.agent.models.choosing import listed_models
from tunesmith.agent.models.faults import (
    completion_of,
    connection_fault,
    place,
    quiet_fault,
    status_fault,
)
from tunesmith.agent.models.importing import IMPORTING
from tunesmith.agent.models.pricing import Price, price_of
from tunesmith.agent.models.recording import scrub
from tunesmith.agent.models.server_words import is_error
from tunesmith.agent.models.split_secrets import without_secrets
from tunesmith.agent.models.wire import Usage, events_of, is_lines
from tunesmith.errors import ModelError, ModelUnavailable
from tunesmith.settings import NO_KEY, ModelSettings
from tunesmith.text.cleaning import clean
from tunesmith.text.own_server import is_own_server
from tunesmith.text.secrets import Redactor, redactor

if TYPE_CHECKING:
    import httpx2
    from openai import APIResponse, OpenAI

OWN_SERVER_TIMEOUT_S = 180.0
"""A model on a few CPU cores reads a prompt of 3,000 tokens in 20 to 90 s."""
LIST_S = 5.0
"""Longest wait for a list of models, seconds: a run waits for it before its first trial. If it is not told in
time, it is asked for again with the next question."""
LIST_ATTEMPTS, LIST_PAUSE_S = 3, 0.5
EVENT = ("data:", "event:", ":")
"""How a stream of events begins, whatever its content type."""
NO_ROUTE = (404, 405)
CONNECT_S = 10.0
"""Longest wait for a connection, seconds, within the request's own time."""


class OpenAICompatible(Provider):
    """Requests by the openai SDK. Making one opens no connection and imports no SDK.

    Raises:
        ModelUnavailable: No URL can be made of the base URL, or the key can be in no header.
    """

    def __init__(self, settings: ModelSettings) -> None:
        self._address = address_of(settings.base_url)
        self._url, self._others = self._address.url, list(self._address.others)
        self._key = settings.api_key.get_secret_value()
        if not (self._key.isascii() and self._key.isprintable() and self._key.strip() == self._key):
            raise ModelUnavailable(
                "the API key holds characters that cannot be sent; was it pasted with a line end?"
            )
        self.place = place(self._url)
        key = (self._key,) if self._key != NO_KEY and len(self._key) >= 8 else ()
        self.secrets = (*key, *self._address.secrets)
        self._redactor = Redactor({}, self.secrets)
        if self._url.startswith("https://api.openai.com"):
            self.limit_name = "max_completion_tokens"
        if is_own_server(self._url):
            self.own_server, self.timeout_s = True, OWN_SERVER_TIMEOUT_S
        self._model, self._named = settings.model, settings.model is not None
        self._candidates: list[str] = []  # models that are listed, the one in use first
        self._settled = not self._others  # whether the routes are known to be under `_url`
        self._avoided: set[str] = set()
        self._probed = False
        self._redirects = {self._url}  # base URLs that a redirect may not lead to again
        self._lock = threading.RLock()  # guards the model's name and the client, made on first use
        self._client: OpenAI | None = None
        self._closed = False

    @property
    def model(self) -> str:
        """The name that is set, else the first that the server lists for chats."""
        with self._lock:
            if self._model is None:
                self._model = self._address.model or self._first_listed()
            return self._model

    def avoid(self, models: Collection[str]) -> None:
        self._avoided = set(models)

    def another_model(self, refused: str) -> str | None:
        with self._lock:
            if self._named or refused not in self._candidates:
                return None
            del self._candidates[: self._candidates.index(refused) + 1]
            if not self._candidates:
                return None
            self._model = self._candidates[0]
            return self._model

    def respond(self, request: Request, timeout_s: float) -> Answer:
        with self._sent(request, timeout_s) as response:
            return completion_of(self._scrubbed(response.text()), self.place)

    def stream(self, request: Request, timeout_s: float) -> Iterator[Answer]:
        """As `Provider.stream`; a secret that an answer quotes is no longer in it, however it is split."""
        return without_secrets(self._stream(request, timeout_s), (self._redactor, redactor()))

    def _stream(self, request: Request, timeout_s: float) -> Iterator[Answer]:
        if request.get("stream") is False:  # the server refuses to stream
            whole = {name: value for name, value in request.items() if name != "stream"}
            yield as_chunk(self.respond(whole, timeout_s))
            return
        with self._sent({**request, "stream": True}, timeout_s) as response:
            lines: Iterator[str] = response.iter_lines()
            if "event-stream" not in response.headers.get("content-type", ""):
                text = self._scrubbed(response.text())
                lines = iter(text.splitlines())
                if not text.lstrip().startswith(EVENT):
                    if not is_lines(text):
                        yield as_chunk(completion_of(text, self.place))
                        return
                    lines = (f"data: {line}" for line in text.splitlines())
            for event in events_of(scrub(line, self.secrets) for line in lines):
                if is_error(event):
                    recorded = {"status": 200, "headers": {}, "body": json.dumps(event)}
                    raise quiet_fault(event, self.place, recorded)
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
    def _sent(self, request: Request, timeout_s: float) -> Iterator[APIResponse[Any]]:
        """The response of status 200; its body is read within the time that is left."""
        self._settle(timeout_s)
        completions = self._opened().chat.completions
        with (
            self._faults(),
            completions.with_streaming_response.create(**request, timeout=_timeout(timeout_s)) as response,
        ):
            yield response

    @contextmanager
    def _faults(self, *, explain: bool = True) -> Iterator[None]:
        """Whatever the SDK or the connection raises, as an AttemptFailed without secrets."""
        with IMPORTING:
            import httpx2
            import openai
        try:
            yield
        except openai.APIStatusError as error:
            if error.response.has_redirect_location:
                raise self._redirected(error.response) from None
            text, status = self._scrubbed(error.response.text), error.status_code
            headers = {name: scrub(value, self.secrets) for name, value in error.response.headers.items()}
            fault = status_fault(status, text, headers, self.place)
            raise (self._explained(fault) if explain else fault) from None
        except (openai.APIConnectionError, httpx2.RequestError) as error:
            cause = error if isinstance(error, httpx2.RequestError) else error.__cause__ or error
            detail = clean(scrub(str(cause), self.secrets), 300)
            raise connection_fault(type(cause).__name__, detail, self.place) from None

    def _scrubbed(self, body: str) -> str:
        """A body without secrets, also where its JSON writes some of their characters as escapes."""
        body = scrub(body, self.secrets)
        if self.secrets and "\\" in body:
            try:
                data = json.loads(body)
                kept = self._redactor.data(data)
            except (ValueError, RecursionError):
                return body
            return body if kept == data else json.dumps(kept)
        return body

    def _redirected(self, response: httpx2.Response) -> AttemptFailed:
        """The fault for a redirect. Following it is another attempt, and only within the same server.

        Otherwise requests would be sent that no cap counts, and the key to whoever the server names.
        """
        location = str(response.request.url.join(response.headers["location"]))
        url = moved_to(self._url, location)
        shown = clean(scrub(location.partition("?")[0], self.secrets), 200)
        facts: dict[str, Any] = {"answered": True, "usage": Usage(0, 0), "status": response.status_code}
        facts["recorded"] = {"error": "Redirected"}
        with self._lock:
            if url is not None and url not in self._redirects:
                self._redirects.add(url)
                self._use(url)
                self._settled = True
                return AttemptFailed(
                    f"{self.place} redirects to {shown}. It is asked there.", retry=True, **facts
                )
        words = f"{self.place} redirects to {shown}, which is not followed. Check TUNESMITH_BASE_URL."
        return AttemptFailed(words, lasting=True, **facts)

    def _first_listed(self) -> str:
        self._settle(LIST_S)
        ends = time.monotonic() + LIST_S
        for retries_left in reversed(range(LIST_ATTEMPTS)):
            try:
                with self._faults():
                    text = self._list(ends - time.monotonic())
                break
            except AttemptFailed as fault:
                if not retries_left or not fault.retry:
                    words = f"{fault} Set TUNESMITH_MODEL if the server lists no models."
                    raise AttemptFailed(words, retry=fault.retry, lasting=fault.lasting) from None
                time.sleep(LIST_PAUSE_S)
        listed = listed_models(text)
        if not listed.chat:
            names = ", ".join(listed.other[:3])
            which = f"only models for other purposes than chats ({names})" if names else "no models"
            raise ModelUnavailable(f"{self.place} lists {which}. Set TUNESMITH_MODEL.")
        fitting = [name for name in listed.chat if name not in self._avoided]
        self._candidates = fitting or list(listed.chat)
        return self._candidates[0]

    def _explained(self, fault: ModelError) -> ModelError:
        """The fault of a missing route with what to look at; another base URL is tried next."""
        if not isinstance(fault, AttemptFailed) or fault.status not in NO_ROUTE or fault.wrong_model:
            return fault
        if isinstance(fault, Rejected):
            return fault
        words = f"{fault} {self._address.advice()}"
        with self._lock:
            if self._settled or not self._others:
                fault.args = (words,)
                return fault
            self._use(self._others.pop(0))
            moved = f"{fault} It is asked at {self._url} instead."
        return AttemptFailed(
            moved, retry=True, answered=True, usage=fault.usage, recorded={"error": "RouteMissing"}
        )

    def _settle(self, timeout_s: float) -> None:
        """Find out which base URL has the routes, by asking each for its models, which costs nothing."""
        with self._lock:
            if self._settled or self._probed:
                return
            ends = time.monotonic() + min(timeout_s, LIST_S)
            for url in (self._url, *self._others):
                self._use(url)
                try:
                    with self._faults(explain=False):
                        text = self._list(ends - time.monotonic())
                except AttemptFailed as fault:
                    if self._settled:  # by a redirect
                        return
                    if fault.status in (401, 403):
                        self._settled = True
                        return
                    if not fault.status:  # it cannot be reached: nothing is known of its routes
                        break
                    continue
                if any(listed_models(text)):
                    self._settled = True
                    return
            else:
                self._probed = True  # no list anywhere: the first question finds out
            self._use(self._address.url)

    def _use(self, url: str) -> None:
        if url != self._url:
            if self._client is not None:
                self._client.close()
            self._url, self._client = url, None

    def _list(self, timeout_s: float) -> str:
        models = self._opened().models.with_raw_response
        return scrub(models.list(timeout=_timeout(timeout_s)).text, self.secrets)

    def _opened(self) -> OpenAI:
        with self._lock:
            if self._closed:
                raise ModelUnavailable("the run has ended: nothing more is asked of the model")
            if self._client is None:
                with IMPORTING:
                    import httpx2
                    from openai import OpenAI

                    from tunesmith.agent.models.network import network_transport

                self._client = OpenAI(
                    api_key=self._key,
                    base_url=self._url,
                    default_query=self._address.query,
                    max_retries=0,  # `Exchange` retries, since caps and ledger count every attempt
                    # Bodies are scrubbed and recorded as they are, so they must not be compressed.
                    default_headers={
                        "accept-encoding": "identity",
                        **({"api-key": self._key} if self._address.azure else {}),
                    },
                    http_client=httpx2.Client(
                        transport=network_transport(self._url), trust_env=False, follow_redirects=False
                    ),
                )
            return self._client


def _timeout(seconds: float) -> httpx2.Timeout:
    import httpx2

    left = max(seconds, 0.01)
    return httpx2.Timeout(left, connect=min(left, CONNECT_S), pool=min(left, CONNECT_S))
