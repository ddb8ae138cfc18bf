"""How many tokens an answer of a provider took, as it says, or about as many where it does not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tunesmith.tools.pipelines.proxy.events import data_of, events_in

CHARACTERS = 4
"""Of a token, where nobody counts."""


@dataclass(frozen=True)
class Usage:
    """Tokens of one call."""

    prompt: int = 0
    completion: int = 0
    cached: int = 0
    """Of `prompt`, those that the provider had in its cache."""
    thinking: int = 0
    """Of `completion`, those that are no part of the answer."""
    estimated: bool = False
    """Whether the provider did not count."""


def usage_of(body: bytes, *, streamed: bool) -> Usage | None:
    """What a complete answer says; None where it says nothing."""
    found: Usage | None = None
    if not streamed:
        return stated(_json(body))
    for event in events_in(body):
        if b'"usage"' in event:
            found = stated(_json(data_of(event))) or found
    return found


def stated(document: Any) -> Usage | None:
    """The usage in an answer, or in one event of a stream."""
    if not isinstance(document, Mapping):
        return None
    given = document.get("usage")
    if given is None and isinstance(document.get("response"), Mapping):
        given = document["response"].get("usage")  # the last event of /responses
    if not isinstance(given, Mapping):
        return None
    prompt = _count(given, "prompt_tokens", "input_tokens")
    completion = _count(given, "completion_tokens", "output_tokens")
    read = _details(given, "prompt_tokens_details", "input_tokens_details", "cached_tokens")
    thought = _details(given, "completion_tokens_details", "output_tokens_details", "reasoning_tokens")
    return Usage(prompt, completion, min(read, prompt), min(thought, completion))


def estimated(request: bytes, answer: bytes, *, streamed: bool) -> Usage:
    """About what a call took: characters of the request, and of the texts of the answer."""
    texts: list[str] = []
    for piece in [data_of(event) for event in events_in(answer)] if streamed else [answer]:
        _texts(_json(piece), texts)
    written = sum(map(len, texts))
    return Usage(len(request) // CHARACTERS, -(-written // CHARACTERS), estimated=True)


def _texts(value: Any, found: list[str], depth: int = 0) -> None:
    """Collects what is content, arguments or text anywhere in an answer."""
    if depth > 12:
        return
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if isinstance(inner, str):
                if key in ("content", "text", "arguments", "delta", "reasoning_content"):
                    found.append(inner)
            else:
                _texts(inner, found, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            _texts(inner, found, depth + 1)


def _count(given: Mapping[str, Any], *names: str) -> int:
    for name in names:
        value = given.get(name)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 1e12:
            return int(value)
    return 0


def _details(given: Mapping[str, Any], one: str, other: str, name: str) -> int:
    details = given.get(one) or given.get(other)
    return _count(details, name) if isinstance(details, Mapping) else 0


def _json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None
