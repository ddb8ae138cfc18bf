"""What of a request an allocation changes, and what of it identifies it.

The model and the temperature of a stage are rewritten. How many samples are drawn, how they become one
output and how often a stage runs is the program's own doing, which nothing outside it can change.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Optional

from tunesmith.tools.pipelines.proxy.asking import Asked, Refused

_IRRELEVANT = ("user", "metadata", "store", "safety_identifier", "prompt_cache_key", "stream_options")
"""Keys that no answer depends on."""
_LIMITS = {
    "/chat/completions": ("max_completion_tokens", "max_tokens"),
    "/completions": ("max_tokens",),
    "/responses": ("max_output_tokens",),
}
"""Keys of an answer's largest size; the first is added where none is there, an old server gets the last."""
UNCOUNTED_PICTURE = 20_000
"""Tokens reserved for a picture that a request only refers to."""


@dataclass(frozen=True)
class Route:
    """Where the calls of a stage go."""

    model: Optional[str] = None  # noqa: UP045 - dataclass fields are read by Python 3.9
    """What the provider calls it; None: as requested."""
    name: Optional[str] = None  # noqa: UP045
    """What the task calls it."""
    temperature: Optional[float] = None  # noqa: UP045
    """None: the program's own."""
    base_url: Optional[str] = None  # noqa: UP045
    """None: the program's provider."""
    key_env: Optional[str] = None  # noqa: UP045
    """Variable that holds the provider's key; None: the program's."""


def rewritten(asked: Asked, route: Route, *, answer_limit: int | None, old_limits: bool) -> dict[str, Any]:
    """The request that is sent, as JSON.

    Args:
        answer_limit: Tokens of an answer where the request states no limit; None: none is added.
        old_limits: Whether the server knows `max_tokens` rather than `max_completion_tokens`.
    """
    document = dict(asked.document)
    if route.model is not None:
        document["model"] = route.model
    if route.temperature is not None and asked.endpoint != "/embeddings":
        document["temperature"] = route.temperature
    names = _LIMITS.get(asked.endpoint)
    if answer_limit is not None and names is not None and not any(document.get(name) for name in names):
        document[names[-1] if old_limits else names[0]] = answer_limit
    if asked.endpoint == "/chat/completions" and document.get("stream") is True:
        options = document.get("stream_options")
        kept = dict(options) if isinstance(options, Mapping) else {}
        document["stream_options"] = {**kept, "include_usage": True}
    return document


def wants_usage(document: Mapping[str, Any]) -> bool:
    """Whether the program itself asked for the usage of a streamed answer."""
    options = document.get("stream_options")
    return isinstance(options, Mapping) and bool(options.get("include_usage"))


def digest_of(endpoint: str, query: str, document: Mapping[str, Any], place: str | None = None) -> str:
    """What identifies a request, after it was rewritten: 32 hexadecimal digits.

    Args:
        place: The base URL that the task states for its model; None: the program's provider.
    """
    kept = {key: value for key, value in document.items() if key not in _IRRELEVANT}
    text = json.dumps(
        [endpoint, query, kept, place], sort_keys=True, ensure_ascii=True, separators=(",", ":")
    )
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def worst_tokens(endpoint: str, document: Mapping[str, Any], body: bytes) -> tuple[int, int]:
    """(prompt, completion) tokens that a call takes at most: no token is shorter than a byte.

    Raises:
        Refused: Nothing bounds it.
    """
    if endpoint == "/responses":
        hidden = [key for key in ("previous_response_id", "conversation", "prompt") if document.get(key)]
        tools = document.get("tools")
        outside = isinstance(tools, list) and any(
            not isinstance(tool, Mapping) or tool.get("type") not in ("function", "custom") for tool in tools
        )
        if hidden or outside:
            what = f"`{hidden[0]}`" if hidden else "tools that the provider runs"
            raise Refused(
                403,
                "tunesmith_unbounded",
                f"`money_limit` cannot be kept: the cost of a request with {what} has no bound that can be "
                "known before it is sent.",
            )
    messages = document.get("messages") or document.get("input")
    framing = 200 + 16 * (len(messages) if isinstance(messages, list) else 1)
    prompt = len(body) + framing + UNCOUNTED_PICTURE * (body.count(b'"image_url"') + body.count(b'"file_id"'))
    if endpoint == "/embeddings":
        return prompt, 0
    limits = [document.get(name) for name in _LIMITS[endpoint]]
    stated = [one for one in limits if isinstance(one, int) and not isinstance(one, bool) and one > 0]
    if not stated:
        raise Refused(
            403,
            "tunesmith_unbounded",
            f"`money_limit` cannot be kept: the request states no {' or '.join(_LIMITS[endpoint])}. State it "
            "in the program, or `answer_limit` beside `money_limit` in the task, which the proxy then adds.",
        )
    several = max((_whole(document.get(name)) for name in ("n", "best_of")), default=1)
    return prompt, max(stated) * several


def _whole(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 1
