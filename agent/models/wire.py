"""Reads the chat-completions protocol: token counts before a call, replies and usage after it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

ANSWER_TOKENS = 4096
"""Longest answer to a request that states no limit."""
MESSAGE_OVERHEAD = 10
"""Tokens a chat template adds around one message, at most, in the templates known to us."""

STREAM_END = "[DONE]"
"""The last event of a stream; nothing is read after it."""

_PIECES = re.compile(r"[A-Za-z]+|\s+|.", re.DOTALL)


@dataclass(frozen=True)
class Usage:
    """Tokens of one attempt."""

    prompt: int
    completion: int


@dataclass(frozen=True)
class Reply:
    """One choice of a chat completion; what is missing is empty."""

    text: str = ""
    arguments: str | None = None
    """Arguments of the first tool call, as the JSON text that the model wrote; None without a call."""
    refusal: str = ""
    finish_reason: str = ""
    """`stop`, `length`, `tool_calls`, `content_filter`, or empty where the server does not say."""


@dataclass(frozen=True)
class CallPiece:
    """What one chunk adds to a tool call."""

    index: int
    """Which of the answer's calls it belongs to."""
    id: str | None
    name: str | None
    arguments: str
    """The next part of the arguments, as the JSON text that the model writes."""


@dataclass(frozen=True)
class Piece:
    """What one chunk adds to an answer."""

    text: str = ""
    calls: tuple[CallPiece, ...] = ()
    finish_reason: str = ""
    """Empty until the last chunk."""
    refusal: str = ""


TYPICAL_CHARACTERS = 4
"""Characters a token stands for in English and JSON, about: OpenAI's own rule of thumb."""


def typical_tokens(text: str) -> int:
    """Tokens that a text is about worth; for caps there is `estimate_tokens`, which errs upwards."""
    return -(-len(text) // TYPICAL_CHARACTERS)


def estimate_tokens(text: str) -> int:
    """Tokens of a text, estimated from above without knowing the tokenizer.

    Two letters a token, one for every digit, sign and run of spaces, one for every byte of the rest.
    Tokenizers usually join more than that, several times more in prose and little in tables of numbers,
    and none known to us joins less: the worst case must not come out too small, or a cap would not hold.
    """
    total = 0
    for match in _PIECES.finditer(text):
        piece = match.group()
        if piece[0].isascii():
            total += (len(piece) + 1) // 2 if piece[0].isalpha() else 1
        else:
            total += len(piece.encode(errors="replace"))
    return total


def estimate_prompt(body: dict[str, Any]) -> int:
    """Tokens the request's messages, tools and schema take, estimated from above."""
    messages = [m for m in body.get("messages") or [] if isinstance(m, dict)]
    parts = [str(m["content"]) for m in messages if m.get("content")]
    parts += [json.dumps(m["tool_calls"]) for m in messages if m.get("tool_calls")]
    parts += [json.dumps(body[key]) for key in ("tools", "response_format") if body.get(key)]
    return sum(map(estimate_tokens, parts)) + MESSAGE_OVERHEAD * (len(messages) + 1)


def answer_limit(body: dict[str, Any]) -> int:
    """The most tokens the answers to a request may have.

    Of two limits the larger counts: which of them a server obeys is not known.
    """
    stated = [body.get(name) for name in ("max_completion_tokens", "max_tokens")]
    limit = max((n for n in stated if isinstance(n, int) and n > 0), default=ANSWER_TOKENS)
    choices = body.get("n")
    return limit * (choices if isinstance(choices, int) and choices > 1 else 1)


def usage_of(data: Any) -> Usage | None:
    """The server's own count in a completion or a chunk; None where it gave none that makes sense."""
    usage = data.get("usage") if isinstance(data, dict) else None
    if not isinstance(usage, dict):
        return None
    prompt, completion = usage.get("prompt_tokens"), usage.get("completion_tokens", 0)
    if not isinstance(prompt, int) or not isinstance(completion, int) or prompt < 0 or completion < 0:
        return None
    return Usage(prompt, completion)


def reply_of(data: Any) -> Reply:
    """The first choice of a completion. A reply without one, or with odd types, reads as empty."""
    return next(iter(replies_of(data)), Reply())


def replies_of(data: Any) -> list[Reply]:
    """Every choice of a completion, in the server's order; what has odd types reads as empty."""
    replies = []
    for choice in _choices(data):
        message, finish_reason = _part(choice, "message")
        refusal = message.get("refusal")
        replies.append(
            Reply(
                text=_text(message.get("content")),
                arguments=_arguments(message.get("tool_calls")),
                refusal=refusal if isinstance(refusal, str) else "",
                finish_reason=finish_reason,
            )
        )
    return replies


def logprobs_of(data: Any) -> list[list[dict[str, Any]] | None]:
    """For each choice the places of its text with their log-probabilities; None where there are none."""
    logprobs: list[list[dict[str, Any]] | None] = []
    for choice in _choices(data):
        given = choice.get("logprobs")
        content = given.get("content") if isinstance(given, dict) else None
        places = [p for p in content if isinstance(p, dict)] if isinstance(content, list) else []
        logprobs.append(places or None)
    return logprobs


def with_system_folded(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same conversation without system messages: their text stands before the first user's."""
    system = [str(m.get("content") or "") for m in messages if m.get("role") == "system"]
    rest = [dict(m) for m in messages if m.get("role") != "system"]
    first = next((m for m in rest if m.get("role") == "user"), None)
    if first is not None:
        first["content"] = "\n\n".join([*system, str(first.get("content") or "")])
    return rest


def stream_event(line: str) -> dict[str, Any] | None:
    """The JSON object in one line of a server-sent event stream; None for a line that holds none."""
    if not line.startswith("data:"):
        return None
    try:
        event = json.loads(line[5:])
    except ValueError:
        return None  # the end mark, a line cut in the middle, or what a proxy writes
    return event if isinstance(event, dict) else None


def piece_of(chunk: Any) -> Piece:
    """What one chunk of a stream adds to the answer."""
    for choice in _choices(chunk):
        delta, finish_reason = _part(choice, "delta")
        calls = delta.get("tool_calls")
        read = [call for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []
        refusal = delta.get("refusal")
        said = refusal if isinstance(refusal, str) else ""
        return Piece(_text(delta.get("content")), tuple(map(_call, read)), finish_reason, said)
    return Piece()


def speaks(event: dict[str, Any]) -> bool:
    """Whether a completion or a chunk says anything, aloud or in thought."""
    parts = [_part(choice, part)[0] for choice in _choices(event) for part in ("message", "delta")]
    return any(part.get(key) for part in parts for key in ("content", "reasoning_content", "tool_calls"))


def spoken_tokens(events: Iterable[dict[str, Any]]) -> int:
    """Estimated tokens of what completions or chunks say, for servers that count nothing."""
    total = 0
    for event in events:
        for choice in _choices(event):
            for part in ("message", "delta"):
                added, _ = _part(choice, part)
                total += estimate_tokens(_text(added.get("content")) + _text(added.get("reasoning_content")))
                calls = added.get("tool_calls")
                total += estimate_tokens(json.dumps(calls)) if calls else 0
    return total


def _choices(data: Any) -> list[dict[str, Any]]:
    choices = data.get("choices") if isinstance(data, dict) else None
    return [choice for choice in choices if isinstance(choice, dict)] if isinstance(choices, list) else []


def _part(choice: dict[str, Any], part: str) -> tuple[dict[str, Any], str]:
    content, reason = choice.get(part), choice.get("finish_reason")
    return content if isinstance(content, dict) else {}, reason if isinstance(reason, str) else ""


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list):  # some servers answer in parts, as requests may
        return "".join(p["text"] for p in content if isinstance(p, dict) and isinstance(p.get("text"), str))
    return ""


def _arguments(calls: Any) -> str | None:
    call = calls[0] if isinstance(calls, list) and calls else None
    return _arguments_of(call.get("function")) if isinstance(call, dict) else None


def _arguments_of(function: Any) -> str | None:
    arguments = function.get("arguments") if isinstance(function, dict) else None
    if isinstance(arguments, dict):  # Ollama and others send the object itself
        return json.dumps(arguments)
    return arguments if isinstance(arguments, str) else None


def _call(call: dict[str, Any]) -> CallPiece:
    function, index = call.get("function"), call.get("index")
    name = function.get("name") if isinstance(function, dict) else None
    return CallPiece(
        index if isinstance(index, int) else 0,
        call["id"] if isinstance(call.get("id"), str) else None,
        name if isinstance(name, str) else None,
        _arguments_of(function) or "",
    )
