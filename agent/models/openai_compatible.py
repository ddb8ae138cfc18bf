"""The one door to language models: whoever needs one asks here, and nothing else in Tunesmith calls out.

    door = OpenAICompatible(settings, caps, emit, exchanges=folder.exchanges)
    done = door.complete(messages, Candidates, purpose="llambo.candidates")     # a validated value
    said = door.sample(messages, n=5, temperature=0.8, purpose="llambo.sampler")  # plain texts
    agent = create_agent(door.chat_model(), tools)                              # LangChain, same transport

Every exception that leaves `complete`, `sample` and `model` is a ModelError. LangChain raises its own and
openai's besides ours: hand them to `translate`.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel

from tunesmith.agent.models.adapting import Adapter
from tunesmith.agent.models.breaker import Breaker
from tunesmith.agent.models.faults import place, translate
from tunesmith.agent.models.importing import IMPORTING
from tunesmith.agent.models.ledger import Ledger
from tunesmith.agent.models.pricing import Price, is_own_server, price_of
from tunesmith.agent.models.recording import Player, Recorder
from tunesmith.agent.models.sampling import SampleCaller, Samples, parameters, samples_from
from tunesmith.agent.models.structured import Completion, Message, StructuredCaller
from tunesmith.agent.models.wire import reply_of
from tunesmith.budget import ModelCaps, ModelSpend
from tunesmith.errors import ModelError, ModelUnavailable
from tunesmith.events import Degraded, Noted
from tunesmith.interfaces import Emit
from tunesmith.settings import ModelSettings
from tunesmith.text.cleaning import clean

if TYPE_CHECKING:
    import httpx2
    from langchain_openai import ChatOpenAI
    from openai import OpenAI

T = TypeVar("T", bound=BaseModel)
Mode = Literal["live", "record", "replay"]
NOTHING_SPENT = ModelSpend()
REPLAY_URL = "http://replay.invalid/v1"
NO_KEY = "not-needed"
"""What `ModelSettings` puts where no key is set; not a secret."""
TIMEOUT_S, OWN_SERVER_TIMEOUT_S = 60.0, 180.0
"""A model on a few CPU cores reads a prompt of 3,000 tokens in 20 to 90 s."""


class OpenAICompatible:
    """A language model under caps, on the record.

    Safe to use from several threads. Making one costs no network and loads no HTTP library yet.

    Args:
        settings: Where the model is; may be None when replaying.
        caps: Hard caps over the whole run, checked before each attempt with its worst case.
        emit: Gets a ModelCalled per attempt and a Degraded per retry, repair and fallback; from any thread.
        exchanges: The recording, appended to or replayed from; None with mode `live`.
        mode: `live` asks, `record` asks and records, `replay` answers from the recording alone.
        spent: What earlier sessions of this run spent; counts against the caps.
        max_retries: How often the SDK, the one layer that does, retries a passing fault.
        timeout_s: Seconds one request may take in all, retries included (twice that, if its bytes drip in);
            None means 60, or 180 on a server of one's own.
        answer_tokens: Longest answer to a request that states no limit.
    Raises:
        ModelUnavailable: there are no settings, no base URL in them, or a key that no header can carry.
        ReplayMiss: replaying, and there is no recording.
    """

    def __init__(
        self,
        settings: ModelSettings | None,
        caps: ModelCaps,
        emit: Emit,
        *,
        exchanges: Path | None = None,
        mode: Mode = "record",
        spent: ModelSpend = NOTHING_SPENT,
        max_retries: int = 2,
        timeout_s: float | None = None,
        answer_tokens: int = 4096,
    ) -> None:
        self._player = Player(_needed(exchanges, mode)) if mode == "replay" else None
        if settings is None and self._player is None:
            raise ModelUnavailable(
                "no language model is configured: set OPENAI_API_KEY or TUNESMITH_BASE_URL"
            )
        replayed = settings is None or self._player is not None
        self.base_url = REPLAY_URL if replayed or settings is None else settings.base_url
        _check_url(self.base_url)
        # A replay never holds the key, so that nothing it writes can.
        self._key = NO_KEY if replayed or settings is None else settings.api_key.get_secret_value()
        if not (self._key.isascii() and self._key.isprintable() and self._key.strip() == self._key):
            raise ModelUnavailable(
                "the API key holds characters that cannot be sent; was it pasted with a line end?"
            )
        self._secrets = (self._key,) if self._key != NO_KEY and len(self._key) >= 8 else ()
        self._model = settings.model if settings is not None else None
        self._emit, self._exchanges, self._mode = emit, exchanges if mode != "live" else None, mode
        self._max_retries, self._answer_tokens = max_retries, answer_tokens
        own = is_own_server(self.base_url)
        self.timeout_s = timeout_s if timeout_s is not None else OWN_SERVER_TIMEOUT_S if own else TIMEOUT_S
        self.ledger = Ledger(caps, emit, spent)
        self._breaker = Breaker(self._went_dead)
        official = self.base_url.startswith("https://api.openai.com")
        self._adapter = Adapter(self._post, "max_completion_tokens" if official else "max_tokens", emit)
        self._structured = StructuredCaller(lambda asked: reply_of(self._adapter.ask(asked)), emit)
        self._sampler = SampleCaller(self._adapter, emit)
        self._lock = threading.RLock()  # guards what is made on first use, below
        self._prices: dict[str, Price | None] = {}
        self._http: httpx2.Client | None = None
        self._openai: OpenAI | None = None
        self._closed = False

    @property
    def model(self) -> str:
        """The model's name: the one set, else the first that the server lists."""
        with self._lock:
            if self._model is None and self._player is not None:
                self._model = self._player.model
            if self._model is None:
                self._model = self._first_listed()
            return self._model

    @property
    def spend(self) -> ModelSpend:
        return self.ledger.spend

    @property
    def level(self) -> str:
        """How answers of a given shape are asked for at present: `schema`, `tool` or `text`."""
        return self._structured.level

    def complete(
        self,
        messages: Sequence[Message],
        schema: type[T],
        *,
        purpose: str,
        temperature: float | None = None,
        max_tokens: int | None = None,
        check: Callable[[T], list[str]] | None = None,
    ) -> Completion[T]:
        """Ask for a value of `schema`.

        Args:
            messages: `{"role", "content"}` each; the last from the user.
            schema: Validated strictly whatever the server promises: no unknown key, no NaN, no bool for a
                number.
            purpose: What for, in events and the report, such as `llambo.candidates`.
            temperature: None leaves it to the server.
            max_tokens: Longest answer, its hidden reasoning included; None means `answer_tokens`.
            check: Says what is wrong with a value of the right shape, in words for the model.
        Raises:
            ModelError: ModelUnavailable, ModelRefused, InvalidAnswer, ModelBudgetReached or ReplayMiss.
        """
        asked = {"temperature": temperature, "limit": max_tokens or self._answer_tokens, "purpose": purpose}
        with self.ledger.tally() as tokens:
            value, level, repairs = self._structured.complete(messages, schema, asked, purpose, check)
        return Completion(value, sum(tokens), level, repairs > 0, repairs)

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
        """Ask for `n` answers in plain text, in one request where the server can.

        Args:
            messages: As for `complete`.
            n: How many answers, at least 1.
            temperature, top_p, stop: None leaves them to the server; so does a server that refuses them.
            max_tokens: Longest single answer; None means `answer_tokens`. The caps count n times that.
            logprobs: How many alternatives to ask for at each place of an answer, 0 to 20.
        Returns:
            `n` answers; fewer only where the model failed after giving some, which is an event.
        Raises:
            ModelError: as from `complete`, except InvalidAnswer: nothing is read into the text.
        """
        if n < 1:
            raise ValueError(f"n = {n}: at least one answer must be asked for")
        asked = parameters(
            messages,
            temperature=temperature,
            top_p=top_p,
            limit=max_tokens or self._answer_tokens,
            logprobs=logprobs,
            stop=stop,
            purpose=purpose,
        )
        with self.ledger.tally() as spent:
            choices = self._sampler.sample(asked, n, purpose)
        return samples_from(choices, spent)

    def chat_model(self, *, purpose: str = "agent", **kw: Any) -> ChatOpenAI:
        """LangChain's chat model through this door; `kw` goes to ChatOpenAI. Synchronous use only."""
        with IMPORTING:
            import httpx2
            from langchain_openai import ChatOpenAI
            from pydantic import SecretStr

            from tunesmith.agent.models.transport import PURPOSE_HEADER, NoAsync

        limit = kw.pop("max_tokens", None) or self._answer_tokens
        # LangChain turns max_tokens into max_completion_tokens, which many servers of one's own ignore.
        limits = (
            {"extra_body": {"max_tokens": limit}}
            if self._adapter.limit_name == "max_tokens"
            else {"max_tokens": limit}
        )
        return ChatOpenAI(
            **{
                "model": self.model,
                "base_url": self.base_url,
                "api_key": SecretStr(self._key),
                "http_client": self._client(),
                "http_async_client": httpx2.AsyncClient(transport=NoAsync()),
                "max_retries": self._max_retries,
                "stream_usage": True,
                "use_responses_api": False,
                "default_headers": {PURPOSE_HEADER: purpose},
                **limits,
                **kw,
            }
        )

    def close(self) -> None:
        """Break off what is being asked and let nothing more be asked. Idempotent."""
        with self._lock:
            self._closed = True
            if self._http is not None:
                self._http.close()
            self._http = self._openai = None

    def _post(self, body: dict[str, Any], purpose: str) -> Any:
        """One request: the answer's JSON, or a ModelError."""
        from tunesmith.agent.models.transport import PURPOSE_HEADER

        model, client = self.model, self._sdk()
        try:
            raw = client.chat.completions.with_raw_response.create(
                model=model, extra_headers={PURPOSE_HEADER: purpose}, **body
            )
            return json.loads(raw.text)
        except Exception as exc:  # noqa: BLE001  the door's edge: nothing but ModelErrors goes out
            raise translate(exc) from None

    def _first_listed(self) -> str:
        try:
            listing = self._sdk().models.with_raw_response.list()
            data = json.loads(listing.text).get("data")
            names = [str(entry["id"]) for entry in data] if isinstance(data, list) else []
        except Exception as exc:  # noqa: BLE001  the door's edge
            error: ModelError = translate(exc)
            raise ModelUnavailable(f"{error} Set TUNESMITH_MODEL if the server lists no models.") from None
        if not names:
            raise ModelUnavailable(f"{place(self.base_url)} lists no models. Set TUNESMITH_MODEL.")
        return clean(names[0], 200)

    def _sdk(self) -> OpenAI:
        with self._lock:
            if self._openai is None:
                with IMPORTING:
                    from openai import OpenAI

                self._openai = OpenAI(
                    api_key=self._key,
                    base_url=self.base_url,
                    max_retries=self._max_retries,
                    http_client=self._client(),
                )
            return self._openai

    def _client(self) -> httpx2.Client:
        with self._lock:
            if self._closed:
                raise ModelUnavailable("the run has ended: nothing more is asked of the model")
            if self._http is None:
                self._http = self._open()
            return self._http

    def _open(self) -> httpx2.Client:
        with IMPORTING:
            import httpx2

            from tunesmith.agent.models.network import network_transport
            from tunesmith.agent.models.tape import RecordingTransport, ReplayTransport
            from tunesmith.agent.models.transport import ModelTransport

        inner: httpx2.BaseTransport
        if self._player is not None:
            inner = ReplayTransport(self._player)
        else:
            inner = network_transport(self.base_url)
            if self._exchanges is not None:
                inner = RecordingTransport(inner, Recorder(self._exchanges, self._secrets))
        return httpx2.Client(
            transport=ModelTransport(
                inner,
                self.ledger,
                self._breaker,
                self._price,
                timeout_s=self.timeout_s,
                answer_tokens=self._answer_tokens,
                secrets=self._secrets,
            ),
            trust_env=False,
        )

    def _price(self, model: str) -> Price | None:
        with self._lock:
            if model not in self._prices:
                if self._player is not None:
                    self._prices[model] = Price(model, None, "replayed: nothing is spent", free=True)
                else:
                    self._prices[model] = price_of(model, self.base_url)
                    self._say_price(model, self._prices[model])
            return self._prices[model]

    def _say_price(self, model: str, price: Price | None) -> None:
        if price is None:
            self._emit(Noted(text=f"The price of {model} is unknown: it is shown as unknown, never as free."))
        elif price.source != "list price":
            self._emit(Noted(text=f"Price of {model} at {place(self.base_url)}: {price.source}."))

    def _went_dead(self, cause: str, meaning: str) -> None:
        self._emit(Degraded(what="fallback", where="model", cause=clean(cause, 500), continuation=meaning))


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ModelUnavailable(f"{clean(url, 100)!r} is no base URL: write it like http://localhost:8000/v1")
    if parts.username or parts.password:  # clients log URLs
        raise ModelUnavailable("the base URL holds a user or password: put the key into TUNESMITH_API_KEY")


def _needed(exchanges: Path | None, mode: Mode) -> Path:
    if exchanges is None:
        raise ModelUnavailable(f"mode {mode!r} needs the path of a recording")
    return exchanges
