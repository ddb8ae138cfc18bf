"""Every failure of a model call, as one of the six ModelErrors.

The messages are for a person: what failed, where, what to change. They hold no key: a provider takes
keys out of all that a server sends, and URLs are named without user or password.
"""

from __future__ import annotations

import email.utils
import json
import re
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

from tunesmith.agent.models.base import Answer, AttemptFailed, Rejected
from tunesmith.agent.models.parsing import whole_characters
from tunesmith.agent.models.rejections import is_about_form
from tunesmith.agent.models.server_words import Said, heard, is_error
from tunesmith.agent.models.wire import Usage, speaks, usage_of
from tunesmith.errors import (
    InvalidAnswer,
    ModelBudgetReached,
    ModelError,
    ModelRefused,
    ModelUnavailable,
    UsageError,
)
from tunesmith.events import Degraded
from tunesmith.interfaces import Emit
from tunesmith.text.cleaning import clean

T = TypeVar("T")
Kind = Literal["fallback", "repair", "retry"]
KEY_FIX = "Check OPENAI_API_KEY, or TUNESMITH_API_KEY for the server at TUNESMITH_BASE_URL."
MODEL_FIX = "Check TUNESMITH_MODEL and TUNESMITH_BASE_URL."
LASTING = frozenset({401, 402, 403, 404})
FORM = frozenset({400, 422, 501})
"""Statuses of a request that is not accepted as it is."""
BLAMES_REQUEST = frozenset({"invalid_request_error", "bad_request", "badrequesterror", "invalid_argument"})
"""Codes of an error that stand for status 400."""
FILTERED = frozenset({"content_filter", "content_policy_violation", "responsibleaipolicyviolation"})
_NO_CHAT = re.compile(
    r"not a chat model|not support(?:ed in the)? (?:the )?(?:v1/)?chat(?![ _]?template)"
    r"|chat ?completions? operation does not work|(?:is )?an embedding model"
    r"|only supports? (?:embedding|image|audio|speech|rerank|transcription)"
    r"|(?:not|n't) (?:be )?used (?:for|with|in) (?:the )?chat|model is not (?:an? )?llm"
    r"|embedding models? (?:do(?:es)?|can)|must provide a chat template|no chat template",
    re.I,
)
"""Says that the model is for something else than chats."""
_NO_MODEL = re.compile(
    r"model[^.;]{0,120}(?:not found|does(?:n't| not) exist|not a valid model)|no such model|model_not_found",
    re.I,
)
PASSING = frozenset({408, 409, 429})
"""Statuses below 500 that are worth another attempt."""
KEPT_HEADERS = ("content-type", "retry-after", "x-request-id")
"""Headers of a response that are recorded; the rest may hold cookies or an organisation's name."""
CONNECTION = {
    "ConnectError": "cannot connect",
    "ConnectTimeout": "cannot connect in time",
    "ReadTimeout": "no answer in time",
    "RemoteProtocolError": "broken answer",
    "ReadError": "connection lost",
}
"""httpx2's errors, by the name that is recorded."""
NEVER_SENT = ("ConnectError", "ConnectTimeout", "PoolTimeout")


def report(emit: Emit, what: Kind, purpose: str, cause: str, continuation: str) -> None:
    """Emit what was done otherwise in a model call, and why."""
    where = f"model call: {purpose}"
    emit(Degraded(what=what, where=where, cause=clean(cause, 500), continuation=continuation))


def place(url: str) -> str:
    """Scheme, host and port of a URL: what may be shown of it."""
    parts = urlsplit(url)
    try:
        port = f":{parts.port}" if parts.port else ""
    except ValueError:  # a port that is no number; the rest still names the URL
        port = ""
    return f"{parts.scheme}://{parts.hostname or ''}{port}"


def translate(exc: BaseException) -> ModelError:
    """The ModelError for whatever a model call raised, LangChain's own exceptions included.

    A ModelError, or an exception caused by one, gives that very error. Anything unknown reads as
    InvalidAnswer where it looks like a fault of the answer (ValueError, TypeError, LookupError), and as
    ModelUnavailable otherwise. Raise the result `from None`: the original may hold the request, and
    so the key.
    """
    link: BaseException | None = exc
    for _ in range(10):  # chains are short; a loop in one must not be ours
        if link is None:
            break
        if isinstance(link, ModelError):
            return link
        link = link.__cause__ or link.__context__
    name, words = type(exc).__name__, clean(exc, 300)
    if name in ("ModelCallLimitExceededError", "ToolCallLimitExceededError", "GraphRecursionError"):
        return ModelBudgetReached(f"the agent's own limit is reached: {words}")
    if isinstance(exc, (ValueError, TypeError, LookupError)) or name.startswith("StructuredOutput"):
        return InvalidAnswer(f"the model's answer could not be read ({name}): {words}")
    return ModelUnavailable(f"the model could not be asked ({name}): {words}")


def guarded(call: Callable[[], T]) -> T:
    """What `call` returns; whatever a provider raises in it is a ModelError."""
    try:
        return call()
    except UsageError:
        raise
    except Exception as error:  # noqa: BLE001  a provider may be another package's code
        raise translate(error) from None


def connection_fault(name: str, detail: str, where: str) -> AttemptFailed:
    """The fault for an httpx2 error by its name; one we do not know reads as a lost connection."""
    words = CONNECTION.get(name, name)
    return AttemptFailed(
        f"{where}: {words} ({detail})" if detail else f"{where}: {words}",
        retry=True,
        timed_out=name.endswith("Timeout"),
        usage=Usage(0, 0) if name in NEVER_SENT else None,
        recorded={"error": name},
    )


def status_fault(status: int, text: str, headers: Mapping[str, str], where: str) -> ModelError:
    """The fault for an HTTP status other than 200 and the body that came with it."""
    said = heard(text)
    recorded = {
        "status": status,
        "headers": {name: headers[name] for name in KEPT_HEADERS if name in headers},
        "body": text,
    }
    return fault_of(status, said, where, retry_after_s=_retry_after(headers), recorded=recorded)


def fault_of(status: int, said: Said, where: str, *, retry_after_s: float = 0.0, **facts: Any) -> ModelError:
    """The fault that a status and the words of a server tell, whatever the way they came."""
    words = said.shown or _phrase(status)
    lasting = status in LASTING or "insufficient_quota" in said.codes
    no_chat = bool(_NO_CHAT.search(said.words))
    facts |= {
        "retry": not lasting and (status in PASSING or status >= 500) and status != 501,
        "retry_after_s": retry_after_s,
        "lasting": lasting,
        "answered": True,
        "usage": Usage(0, 0),  # an error costs nothing at any provider known to us
        "status": status,
    }
    if said.codes & FILTERED:
        return ContentFiltered(f"the provider's content filter stopped the request: {words}", **facts)
    if no_chat or (status in (400, 404, 422) and _NO_MODEL.search(said.words)):
        facts |= {"retry": False, "lasting": True, "wrong_model": True}
        what = "does not chat with this model" if no_chat else "has no such model or route"
        return AttemptFailed(f"{where} {what} ({status}): {words}. {MODEL_FIX}", **facts)
    if status in (401, 403):
        return AttemptFailed(f"{where} refuses the key ({status}): {words}. {KEY_FIX}", **facts)
    if status == 402:
        return AttemptFailed(f"{where} has no credit left for us ({status}): {words}", **facts)
    if status in FORM or (status in (404, 405, 415, 500, 503) and is_about_form(said.words)):
        facts |= {"retry": False, "lasting": False, "words": said.words}
        return Rejected(f"{where} rejects the request ({status}): {words}", **facts)
    if status == 404:
        return AttemptFailed(f"{where} has no such model or route (404): {words}. {MODEL_FIX}", **facts)
    if status == 429:
        return AttemptFailed(f"{where} limits our rate or quota (429): {words}", **facts)
    return AttemptFailed(f"{where} answers with status {status}: {words}", **facts)


def _phrase(status: int) -> str:
    try:
        return f"{HTTPStatus(status).phrase}, without a word more"
    except ValueError:
        return "without a word more"


class ContentFiltered(AttemptFailed, ModelRefused):
    """The provider's content filter refused the request."""


def completion_of(text: str, where: str) -> Answer:
    """The completion in a body of status 200.

    Raises:
        AttemptFailed: It holds none: the server's fault, and one that may pass.
        ModelError: It is an error all the same, as with the status that it has or stands for.
    """
    try:
        data: Any = json.loads(whole_characters(text))
    except (ValueError, RecursionError):
        data = None
    recorded = {"status": 200, "headers": {"content-type": "application/json"}, "body": text}
    if is_error(data) and not speaks(data if isinstance(data, dict) else {}):
        raise quiet_fault(data, where, recorded)
    choices = data.get("choices") if isinstance(data, dict) else None
    if isinstance(data, dict) and isinstance(choices, list) and choices:
        return data
    raise AttemptFailed(
        f"{where}: broken answer (no chat completion came back: {heard(text).shown or 'nothing'})",
        retry=True,
        usage=usage_of(data) or Usage(0, 0),
        recorded=recorded,
    )


def quiet_fault(data: Any, where: str, recorded: dict[str, Any] | None = None) -> ModelError:
    """The fault for an error that came with status 200, as a body or in a stream. It costs nothing."""
    said = heard(data)
    if said.status is not None:
        return fault_of(said.status, said, where, recorded=recorded)
    if is_about_form(said.words) or _NO_CHAT.search(said.words) or said.codes & BLAMES_REQUEST:
        return fault_of(400, said, where, recorded=recorded)
    return AttemptFailed(
        f"{where}: broken answer (an error with status 200: {said.shown})",
        retry=True,
        answered=True,
        usage=Usage(0, 0),
        recorded=recorded,
    )


def _retry_after(headers: Mapping[str, str]) -> float:
    """Seconds the server asks to wait, 0 where it does not say."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        value = headers.get(name)
        if value is None:
            continue
        try:
            return float(value) / unit
        except ValueError:
            pass  # not a number, so it is a date, or nonsense
        when = email.utils.parsedate_tz(value)
        try:
            return 0.0 if when is None else email.utils.mktime_tz(when) - time.time()
        except (ValueError, OverflowError):  # a date that there is not
            return 0.0
    return 0.0
