"""Reads the chat-completions protocol: replies, pieces of streamed ones, and usage."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from tunesmith.agent.models.parsing import whole_characters

ANSWER_TOKENS = 4096
"""Longest answer to a request that states no limit."""
STREAM_END = "[DONE]"
"""The last event of a stream; nothing is read after it."""
THOUGHTS = ("reasoning_content", "reasoning", "thinking")
"""Fields of a message or delta in which servers give the model's reasoning."""
_FIELDS = ("data", "event", "id", "retry", "error", "")
"""What a line of an event stream begins with."""
_MOST_LINES = 1000
"""Lines that one event of a stream may be spread over."""
_ENDINGS = {
    "length": ("length", "max_tokens", "max_output_tokens", "model_length", "token_limit", "max_length"),
    "stop": ("stop", "eos", "eos_token", "end_turn", "stop_sequence", "end", "complete", "completed"),
    "tool_calls": ("tool_calls", "tool_call", "tool_use", "function_call"),
    "content_filter": ("content_filter", "content_filtered", "safety", "recitation", "prohibited_content"),
}
_ENDING = {name: ending for ending, names in _ENDINGS.items() for name in names}
"""How servers write why an answer ended, in lower case."""


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
    thought: str = ""
    """What the server gives as the model's reasoning, apart from the answer."""


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
    thought: str = ""


def usage_of(data: Any) -> Usage | None:
    """The server's own count in a completion or a chunk; None where it gave none that makes sense."""
    if not isinstance(data, dict):
        return None
    groq, timings = data.get("x_groq"), data.get("timings")
    for usage, prompts, completions in (
        (data.get("usage"), ("prompt_tokens", "input_tokens"), ("completion_tokens", "output_tokens")),
        (groq.get("usage") if isinstance(groq, dict) else None, ("prompt_tokens",), ("completion_tokens",)),
        (data, ("prompt_eval_count",), ("eval_count",)),
        (timings, ("prompt_n",), ("predicted_n",)),
    ):
        if not isinstance(usage, dict):
            continue
        prompt: Any = next((usage[name] for name in prompts if name in usage), None)
        completion: Any = next((usage[name] for name in completions if name in usage), 0)
        if _counts(prompt) and _counts(completion):
            return Usage(int(prompt), int(completion))
    return None


def reply_of(data: Any) -> Reply:
    """The first choice of a completion. A reply without one, or with odd types, reads as empty."""
    return next(iter(replies_of(data)), Reply())


def replies_of(data: Any) -> list[Reply]:
    """Every choice of a completion, in the server's order; what has odd types reads as empty."""
    replies = []
    for choice in _choices(data):
        message, finish_reason = _part(choice, "message")
        refusal = message.get("refusal")
        first = next(iter(_calls(message)), None)
        replies.append(
            Reply(
                text=_text(message.get("content")),
                arguments=None if first is None else _whole(_arguments_of(first.get("function"))),
                refusal=refusal if isinstance(refusal, str) else "",
                finish_reason=finish_reason,
                thought=_thought(message),
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


def stream_event(line: str) -> dict[str, Any] | None:
    """The JSON object in one line of a server-sent event stream; None for a line that holds none."""
    name, colon, rest = line.partition(":")
    if not colon or name not in ("data", "error"):
        return None
    try:
        event = json.loads(whole_characters(rest))
    except (ValueError, RecursionError):
        return None  # the end mark, a line cut in the middle, or what a proxy writes
    if name == "error":  # older llama.cpp servers put a fault on a line of its own
        return {"error": event}
    return event if isinstance(event, dict) else None


def events_of(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """The JSON objects of a server-sent event stream, up to its end mark.

    Each is on one line, as servers write them; one that is spread over neighbouring `data:` lines, as the
    standard allows, is put together.
    """
    begun: list[str] = []
    for line in lines:
        name, _, rest = line.partition(":")
        if rest.strip() == STREAM_END:
            return
        event = stream_event(line)
        if event is None and begun and name not in _FIELDS:  # cut at a sign that ends a line only in Unicode
            begun[-1] += f"\u2028{line}"
            event = stream_event("data:" + "\n".join(begun)) if line.rstrip().endswith("}") else None
        elif event is None and begun and name == "data":
            begun.append(rest)
            event = stream_event("data:" + "\n".join(begun)) if rest.rstrip().endswith("}") else None
        elif event is None:
            begun = [rest] if name == "data" and rest.lstrip().startswith("{") else []
        if event is not None:
            begun = []
            yield event
        elif len(begun) > _MOST_LINES:
            begun = []


def is_lines(text: str) -> bool:
    """Whether a body is a stream whose chunks stand one on each line, without any prefix."""
    first, _, more = text.strip().partition("\n")
    event = stream_event(f"data: {first}") or {}
    return bool(more) and any("delta" in choice for choice in _choices(event))


def piece_of(chunk: Any) -> Piece:
    """What one chunk of a stream adds to the answer."""
    for choice in _choices(chunk):
        delta, finish_reason = _part(choice, "delta")
        refusal = delta.get("refusal")
        said = refusal if isinstance(refusal, str) else ""
        calls = tuple(map(_call, _calls(delta)))
        return Piece(_text(delta.get("content")), calls, finish_reason, said, _thought(delta))
    return Piece()


def speaks(event: dict[str, Any]) -> bool:
    """Whether a completion or a chunk says anything, aloud or in thought."""
    parts = [_part(choice, part)[0] for choice in _choices(event) for part in ("message", "delta")]
    return any(part.get("content") or _thought(part) or _calls(part) for part in parts)


def said_in(events: Iterable[dict[str, Any]]) -> list[str]:
    """What completions or the chunks of a stream say, thoughts and calls included, joined as it was said."""
    said: dict[tuple[Any, ...], list[str]] = {}
    for event in events:
        for place, choice in enumerate(_choices(event)):
            index = choice.get("index", place)
            for part in ("message", "delta"):
                added, _ = _part(choice, part)
                said.setdefault((index, "text"), []).append(_text(added.get("content")))
                said.setdefault((index, "thought"), []).append(_thought(added))
                for call in map(_call, _calls(added)):
                    told = said.setdefault((index, "call", call.index), [])
                    told += [call.name or "", call.arguments]
    return ["".join(parts) for parts in said.values()]


def _counts(number: Any) -> bool:
    """Whether it is a number of tokens; some servers write one as a float."""
    return (
        isinstance(number, int | float)
        and not isinstance(number, bool)
        and 0 <= number < 1e12
        and number == int(number)
    )


def _choices(data: Any) -> list[dict[str, Any]]:
    choices = data.get("choices") if isinstance(data, dict) else None
    return [choice for choice in choices if isinstance(choice, dict)] if isinstance(choices, list) else []


def _part(choice: dict[str, Any], part: str) -> tuple[dict[str, Any], str]:
    content, reason = choice.get(part), choice.get("finish_reason")
    ending = _ENDING.get(reason.casefold(), reason) if isinstance(reason, str) else ""
    if content is None and isinstance(choice.get("text"), str):  # as completions without a chat have it
        content = {"content": choice["text"]}
    return content if isinstance(content, dict) else {}, ending


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list):  # some servers answer in parts, as requests may
        parts = [p for p in content if isinstance(p, dict) and p.get("type") not in ("thinking", "reasoning")]
        return "".join(p["text"] for p in parts if isinstance(p.get("text"), str))
    return ""


def _thought(part: dict[str, Any]) -> str:
    """The reasoning in a message or delta; a server that gives it under two names gives the same twice."""
    return next((part[name] for name in THOUGHTS if isinstance(part.get(name), str) and part[name]), "")


def _calls(part: dict[str, Any]) -> list[dict[str, Any]]:
    """The tool calls in a message or delta, one in the protocol's older form included."""
    calls = part.get("tool_calls")
    read = [call for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []
    older = part.get("function_call")
    return read or ([{"function": older}] if isinstance(older, dict) else [])


def _arguments_of(function: Any) -> str | None:
    arguments = function.get("arguments") if isinstance(function, dict) else None
    if isinstance(arguments, dict | list):  # Ollama and others send the object itself
        return json.dumps(arguments)
    return arguments if isinstance(arguments, str) else None


def _whole(arguments: str | None) -> str | None:
    return None if arguments is None else decoded(arguments)


def decoded(arguments: str) -> str:
    """Arguments that were written as a JSON string of JSON, as the JSON in it."""
    for _ in range(2):
        if not arguments.lstrip().startswith('"'):
            break
        try:
            inner = json.loads(arguments)
        except ValueError:
            break
        if not isinstance(inner, str):
            break
        arguments = inner
    return arguments


def _call(call: dict[str, Any]) -> CallPiece:
    function, index = call.get("function"), call.get("index")
    name = function.get("name") if isinstance(function, dict) else None
    return CallPiece(
        index if isinstance(index, int) else 0,
        call["id"] if isinstance(call.get("id"), str) else None,
        name if isinstance(name, str) else None,
        _arguments_of(function) or "",
    )
