"""Every failure of a model call, as one of the six ModelErrors.

The words are for a person: what failed, where, what to change. They hold no key: the transport has taken
keys out of all that a server says, and URLs are named without user or password.
"""

from __future__ import annotations

import re
import sys
from urllib.parse import urlsplit

from tunesmith.agent.models.importing import IMPORTING
from tunesmith.errors import (
    InvalidAnswer,
    ModelBudgetReached,
    ModelError,
    ModelRefused,
    ModelUnavailable,
)
from tunesmith.text.cleaning import clean

KEY_FIX = "Check OPENAI_API_KEY, or TUNESMITH_API_KEY for the server at TUNESMITH_BASE_URL."
MODEL_FIX = "Check TUNESMITH_MODEL and TUNESMITH_BASE_URL."


class Rejected(ModelUnavailable):
    """The server understood the request and will not have it in this form (400, 422, 501)."""


def place(url: str) -> str:
    """Scheme, host and port of a URL: what may be shown of it."""
    parts = urlsplit(url)
    try:
        port = f":{parts.port}" if parts.port else ""
    except ValueError:  # a port that is no number; the rest still tells the person which URL is meant
        port = ""
    return f"{parts.scheme}://{parts.hostname or ''}{port}"


def translate(exc: BaseException) -> ModelError:
    """The ModelError for whatever a model call raised, through either client.

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
    openai = sys.modules.get("openai")  # not loaded means it cannot have raised
    if openai is not None and isinstance(exc, openai.OpenAIError):
        return _from_openai(exc)
    name, words = type(exc).__name__, clean(exc, 300)
    if name in ("OpenAIRefusalError", "ContentFilterFinishReasonError"):
        return ModelRefused(f"the model declined to answer: {words}")
    if name in ("ModelCallLimitExceededError", "ToolCallLimitExceededError", "GraphRecursionError"):
        return ModelBudgetReached(f"the agent's own limit is reached: {words}")
    if isinstance(exc, (ValueError, TypeError, LookupError)) or name.startswith("StructuredOutput"):
        return InvalidAnswer(f"the model's answer could not be read ({name}): {words}")
    return ModelUnavailable(f"the model could not be asked ({name}): {words}")


def _from_openai(exc: BaseException) -> ModelError:
    with IMPORTING:
        import openai

    body = getattr(exc, "body", None)
    said = body.get("message") if isinstance(body, dict) else None
    # Without a body that says so itself, openai puts "Error code: 400 - " before the server's words.
    words = clean(said or re.sub(r"^Error code: \d+ - ", "", str(getattr(exc, "message", "") or exc)), 300)
    if isinstance(exc, openai.APIStatusError):
        return status_error(exc.status_code, words, place(str(exc.request.url)), str(exc.code or ""))
    if isinstance(exc, openai.APIConnectionError):
        cause = exc.__cause__
        why = f"{type(cause).__name__}: {clean(cause, 200)}" if cause is not None else words
        return ModelUnavailable(f"{place(str(exc.request.url))} cannot be reached ({why})")
    if isinstance(exc, (openai.LengthFinishReasonError, openai.APIResponseValidationError)):
        return InvalidAnswer(f"the model's answer cannot be used: {words}")
    if isinstance(exc, openai.ContentFilterFinishReasonError):
        return ModelRefused("the provider's content filter stopped the answer")
    return ModelUnavailable(f"the model could not be asked: {words}")


def status_error(status: int, words: str, where: str, code: str = "") -> ModelError:
    """The error for an HTTP status and what the server said with it."""
    if code in ("content_filter", "content_policy_violation"):
        return ModelRefused(f"the provider's content filter stopped the request: {words}")
    if status in (401, 403):
        return ModelUnavailable(f"{where} refuses the key ({status}): {words}. {KEY_FIX}")
    if status == 404:
        return ModelUnavailable(f"{where} has no such model or route (404): {words}. {MODEL_FIX}")
    if status == 429:
        return ModelUnavailable(f"{where} limits our rate or quota (429): {words}")
    if status in (400, 422, 501):
        return Rejected(f"{where} rejects the request ({status}): {words}")
    return ModelUnavailable(f"{where} answers with status {status}: {words}")
