"""Every failure of a model call, as one of the six ModelErrors.

The messages are for a person: what failed, where, what to change. They hold no key: a provider takes
keys out of all that a server sends, and URLs are named without user or password.
"""

from __future__ import annotations

import email.utils
import json
import time
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

from tunesmith.agent.models.base import Answer, AttemptFailed, Rejected
from tunesmith.agent.models.wire import Usage, usage_of
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
LASTING = frozenset({401, 403, 404})
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
    message, code = _error_words(text)
    words = clean(message, 300)
    lasting = status in LASTING or code == "insufficient_quota"
    facts: dict[str, Any] = {
        "retry": not lasting and (status in PASSING or status >= 500) and status != 501,
        "retry_after_s": _retry_after(headers),
        "lasting": lasting,
        "answered": True,
        "usage": Usage(0, 0),  # an error costs nothing at any provider known to us
        "recorded": {
            "status": status,
            "headers": {name: headers[name] for name in KEPT_HEADERS if name in headers},
            "body": text,
        },
    }
    if code in ("content_filter", "content_policy_violation"):
        return ContentFiltered(f"the provider's content filter stopped the request: {words}", **facts)
    if status in (401, 403):
        return AttemptFailed(f"{where} refuses the key ({status}): {words}. {KEY_FIX}", **facts)
    if status == 404:
        return AttemptFailed(f"{where} has no such model or route (404): {words}. {MODEL_FIX}", **facts)
    if status == 429:
        return AttemptFailed(f"{where} limits our rate or quota (429): {words}", **facts)
    if status in (400, 422, 501):
        return Rejected(f"{where} rejects the request ({status}): {words}", **facts)
    return AttemptFailed(f"{where} answers with status {status}: {words}", **facts)


class ContentFiltered(AttemptFailed, ModelRefused):
    """The provider's content filter refused the request."""


def completion_of(text: str, where: str) -> Answer:
    """The completion in a body of status 200.

    Raises:
        AttemptFailed: It holds none: the server's fault, and one that may pass.
    """
    try:
        data: Any = json.loads(text)
    except ValueError:
        data = None
    choices = data.get("choices") if isinstance(data, dict) else None
    if isinstance(data, dict) and isinstance(choices, list) and choices:
        return data
    raise AttemptFailed(
        f"{where}: broken answer (no chat completion came back: {clean(text[:200], 300)})",
        retry=True,
        usage=usage_of(data) or Usage(0, 0),
        recorded={"status": 200, "headers": {"content-type": "application/json"}, "body": text},
    )


def _error_words(text: str) -> tuple[str, str]:
    """The message and code in an error's body; the start of the body where it has no such form."""
    try:
        data: Any = json.loads(text)
    except ValueError:
        return text[:300], ""
    error = data.get("error", data) if isinstance(data, dict) else data
    if not isinstance(error, dict):
        return str(error)[:300], ""
    return str(error.get("message") or error.get("detail") or error)[:300], str(error.get("code") or "")


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
        return 0.0 if when is None else email.utils.mktime_tz(when) - time.time()
    return 0.0
