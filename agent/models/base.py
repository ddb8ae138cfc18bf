"""The contract of a language model's member: a provider answers one chat-completions request at a time.

    LanguageModel            what methods and policies call: complete, sample, chat (language_model.py)
    └── Exchange             deadline, retries, circuit breaker, caps, ledger: one attempt at a time
        └── Recording        appends each exchange to a file, if the run is recorded
            └── Provider     OpenAICompatible, Recorded, PythonFunction, or one of another package

Requests and answers are those of OpenAI's chat completions, as decoded JSON. A member is one file: a subclass
of `Provider` and a builder from `ModelSettings` in `registry.LANGUAGE_MODELS` (or an entry point in the
group `tunesmith.language_models`); `TUNESMITH_PROVIDER` selects it by name. Every member passes
`tunesmith.testing.language_models`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tunesmith.errors import ModelUnavailable

if TYPE_CHECKING:
    from tunesmith.agent.models.pricing import Price
    from tunesmith.agent.models.wire import Usage

Request = dict[str, Any]
"""The body of a chat-completions request: `model`, `messages`, and parameters of the protocol."""
FLOWING = 3
"""How many times its limit a streamed answer may take in all while words come, unless a person set it."""
Answer = dict[str, Any]
"""A chat completion; for a stream, one chunk of it."""


@dataclass(frozen=True)
class Capabilities:
    """What a provider may be asked for. True means that asking can work; refusals are still handled."""

    tools: bool = True
    """Tool calls. Without them a run's decisions are taken by rules."""
    schema: bool = True
    """A JSON schema as `response_format`, or as a forced tool. Else the schema is written into the prompt."""
    choices: bool = True
    """Several answers to one request (`n`). Else one request is made for each."""
    logprobs: bool = True
    """Log-probabilities of an answer's tokens."""


class AttemptFailed(ModelUnavailable):
    """One attempt brought no answer; the facts decide whether there is another one.

    Attributes:
        retry: Whether the same request may succeed if it is made again.
        retry_after_s: Seconds to wait before that; 0: as usual.
        lasting: No later request can succeed either (a wrong key, no such model).
        timed_out: Counts as two failures for the circuit breaker.
        answered: Whether the provider itself refused; else it could not be reached, or broke off.
        usage: Tokens to account for; None: the worst case, since a lost request may be billed.
        status: HTTP status of the answer; 0: there was none.
        wrong_model: The named model answers no chats at all; another one of the server may.
        recorded: The response as a line of a recording holds it.
    """

    def __init__(
        self,
        message: str,
        *,
        retry: bool = False,
        retry_after_s: float = 0.0,
        lasting: bool = False,
        timed_out: bool = False,
        answered: bool = False,
        usage: Usage | None = None,
        recorded: dict[str, Any] | None = None,
        status: int = 0,
        wrong_model: bool = False,
    ) -> None:
        super().__init__(message)
        self.retry, self.retry_after_s, self.lasting = retry, retry_after_s, lasting
        self.timed_out, self.answered, self.usage = timed_out, answered, usage
        self.recorded = recorded if recorded is not None else {"error": type(self).__name__}
        self.status, self.wrong_model = status, wrong_model


class Rejected(AttemptFailed):
    """The provider understood the request and does not accept it in this form (HTTP 400, 422, 501).

    Attributes:
        words: All that it says, which may name what it does not accept.
        persistent: It failed twice without a reason (status 500), so that another form is worth a try.
    """

    def __init__(self, message: str, *, words: str = "", persistent: bool = False, **facts: Any) -> None:
        super().__init__(message, **facts)
        self.words, self.persistent = words or message, persistent


class Provider(ABC):
    """Answers chat-completions requests.

    `LanguageModel` calls it from any thread, several at once. It keeps no conversation: a request holds
    all of it. It neither retries nor counts; that is done for every provider above it.

    Attributes:
        place: Where requests go, for messages, such as `http://localhost:8000`. No key in it.
        capabilities: What may be asked for.
        limit_name: The parameter that limits an answer's length.
        timeout_s: Seconds one request may take in all, retries included, unless settings say otherwise; of a
            streamed answer, how long it may keep silent.
        priced: False where the cost of a call cannot be known: a cap on dollars is not applied then.
        secrets: Texts that must reach no file and no message.
        own_server: Whether the model may run on a machine of one's own and so be slow.
        live: False where answers come from a recording: nothing has to be waited for.
    """

    place: str
    capabilities: Capabilities = Capabilities()
    limit_name: str = "max_tokens"
    timeout_s: float = 60.0
    priced: bool = True
    secrets: tuple[str, ...] = ()
    own_server: bool = False
    live: bool = True

    @property
    @abstractmethod
    def model(self) -> str:
        """The model's name, put into every request. The first use may ask a server for it.

        Raises:
            AttemptFailed: It cannot be told now; with `retry` it may be told later.
            ModelUnavailable: There is none; the message names the setting.
        """

    @abstractmethod
    def respond(self, request: Request, timeout_s: float) -> Answer:
        """The completion of one request.

        Args:
            request: Not to be changed. What a provider does not know in it, it ignores or rejects.
            timeout_s: Seconds left for this attempt.
        Returns:
            `{"choices": [{"message": {"content": ...}, "finish_reason": ...}], "usage": {"prompt_tokens":
            ..., "completion_tokens": ...}}`; without `usage` tokens are estimated.
        Raises:
            Rejected: The request is not accepted in this form.
            AttemptFailed: No answer came.
            ModelError: Any other reason; it is not retried. Another exception reads as ModelUnavailable.
        """

    def stream(self, request: Request, timeout_s: float) -> Iterator[Answer]:
        """The same answer in chunks (`choices[0].delta`), as they come. Here: one chunk with all of it.

        Args:
            timeout_s: Seconds that may pass without a chunk. The caller ends an answer that takes too long.
        """
        yield as_chunk(self.respond(request, timeout_s))

    def another_model(self, refused: str) -> str | None:
        """The model to ask instead of one that answers no chats.

        None where a person named that one, or none is left.
        """
        return None

    def avoid(self, models: Collection[str]) -> None:  # noqa: B027  only a server that lists models cares
        """Told which models answer no chats, before the first use of `model`."""

    def price(self) -> Price | None:
        """The price of this model's tokens; None where it is not known, which a cap on dollars refuses."""
        return None

    def unasked(self, request: Request, cause: str) -> None:  # noqa: B027  only a recording cares
        """Told that a request was not sent, and why: a replay must not send it either."""

    def was_unasked(self, request: Request) -> str:
        """Why this request was not sent when it was recorded; empty where it was, or nothing is known."""
        return ""

    def close(self) -> None:  # noqa: B027  most providers have nothing to close
        """Break off what is being answered. Idempotent; nothing is asked afterwards."""


def as_chunk(completion: Answer) -> Answer:
    """A whole completion as the one chunk of a stream."""
    choices = []
    for choice in completion.get("choices") or []:
        delta = dict(choice.get("message") or {})
        if not delta and isinstance(choice.get("text"), str):
            delta = {"content": choice["text"]}
        if delta.get("tool_calls"):
            delta["tool_calls"] = [{**call, "index": i} for i, call in enumerate(delta["tool_calls"])]
        choices.append({"delta": delta, "finish_reason": choice.get("finish_reason")})
    return {**completion, "choices": choices}
