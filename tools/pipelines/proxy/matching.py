"""Which stage of a pipeline a request belongs to: by the requested model, a header, or the system prompt."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from tunesmith.tools.pipelines.proxy.asking import Asked

OTHER = "other"
"""The calls that belong to no stage."""
DIGEST = "sha256:"
_DIGITS = 12


def stage_of(asked: Asked, matches: Mapping[str, Mapping[str, Any]]) -> str:
    """The first stage all of whose conditions hold; `OTHER` where there is none.

    Args:
        matches: For each stage in order, `model`, `header` and `system`; None or absent: any. An empty
            `system`: there is no system prompt.
    """
    for stage, match in matches.items():
        if match and all(_holds(asked, key, wanted) for key, wanted in match.items() if wanted is not None):
            return stage
    return OTHER


def system_prompt(document: Mapping[str, Any]) -> str:
    """What a request says as `system`, `developer` or `instructions`; empty without one."""
    parts = [_text(document.get("instructions"))]
    for key in ("messages", "input"):
        messages = document.get(key)
        for message in messages if isinstance(messages, list) else ():
            if isinstance(message, Mapping) and message.get("role") in ("system", "developer"):
                parts.append(_text(message.get("content")))
    return "\n".join(part for part in parts if part)


def system_digest(document: Mapping[str, Any]) -> str:
    """`sha256:` and twelve hexadecimal digits of the system prompt; empty without one."""
    text = system_prompt(document)
    return DIGEST + hashlib.sha256(text.encode(errors="replace")).hexdigest()[:_DIGITS] if text else ""


def _holds(asked: Asked, key: str, wanted: str) -> bool:
    if key == "model":
        return bool(asked.document.get("model") == wanted)
    if key == "header":
        return asked.stage == wanted
    if wanted.startswith(DIGEST):
        return system_digest(asked.document) == wanted
    prompt = system_prompt(asked.document)
    return prompt.startswith(wanted) if wanted else not prompt


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    parts: Iterable[Any] = content if isinstance(content, list) else ()
    texts = [part.get("text") for part in parts if isinstance(part, Mapping)]
    return "\n".join(text for text in texts if isinstance(text, str))
